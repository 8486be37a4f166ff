/** Where the secrets come from. No event holds a value, or the name of a secret in AWS. */
export type SecretsEvent =
  | {
      /** The start has read them. Each list holds names, such as DB_PASSWORD. */
      readonly event: 'secrets-read';
      /** From AWS Secrets Manager (NAME_AWS_SECRET). */
      readonly aws: readonly string[];
      /** From files (NAME_FILE). */
      readonly files: readonly string[];
      /** From the variables themselves. */
      readonly variables: readonly string[];
      /** Variables that are set and not used, because another source of the same secret wins. */
      readonly unused: readonly string[];
    }
  | {
      /** SIGHUP: files and AWS were read again. */
      readonly event: 'secrets-reread';
      /** In use from now on. */
      readonly changed: readonly string[];
      /** They have another value, which only a start can take. The old one stays in use. */
      readonly needStart: readonly string[];
      /** One sentence for each that could not be read, or is wrong. The old value stays in use. */
      readonly problems: readonly string[];
    };
