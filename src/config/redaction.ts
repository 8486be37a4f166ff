const MASK = '***';
const LONGEST_SHOWN = 60;
/** Below this length a value is too common to be recognised inside another text. */
const SHORTEST_RECOGNISED = 4;
/** 64 hex digits is a private key, and also a digest: neither is worth the risk of being printed. */
const KEY_LIKE = /[0-9a-f]{64}/i;
const URL_LIKE = /:\/\//;

/** How a value from the configuration file appears in a message: quoted, cut, and masked when it may be a secret. */
export class Redaction {
  readonly #secrets: readonly string[];

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.filter((secret) => secret.length >= SHORTEST_RECOGNISED);
  }

  show(text: string): string {
    if (this.#mayBeSecret(text)) return MASK;
    return JSON.stringify(text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text);
  }

  /** A key of the file, which is printed without quotes. */
  key(text: string): string {
    return this.#mayBeSecret(text) ? MASK : text.slice(0, LONGEST_SHOWN).replace(/[^\x20-\x7e]/g, '?');
  }

  #mayBeSecret(text: string): boolean {
    return (
      KEY_LIKE.test(text) || URL_LIKE.test(text) || this.#secrets.some((secret) => text.includes(secret))
    );
  }
}
