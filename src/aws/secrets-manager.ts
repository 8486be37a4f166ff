import { setTimeout as sleep } from 'node:timers/promises';
import type { GetSecretValueCommandOutput } from '@aws-sdk/client-secrets-manager';
import type { AwsAccess } from './aws-access.js';
import { awsClientOptions, type AwsPatience } from './aws-client-options.js';

/** A text that was fetched, or why there is none: it continues "NAME_AWS_SECRET: …". */
export type Fetched = { readonly value: string } | { readonly problem: string };

/** Everything together, with the search for credentials and all attempts. */
const DEADLINE_MS = 10_000;
const PATIENCE: AwsPatience = { connectMs: 3_000, requestMs: 5_000, attempts: 3 };

const EXPECTED = 'the name or the ARN of a secret was expected, with #key for one text of an object of JSON';

/** What the errors of AWS mean for the variable. Their own words name the secret and the account. */
const REFUSALS: Readonly<Record<string, string>> = {
  ResourceNotFoundException: `AWS has no such secret in this region; ${EXPECTED}`,
  ValidationException: `AWS does not take it for a secret; ${EXPECTED}`,
  InvalidParameterException: `AWS does not take it for a secret; ${EXPECTED}`,
  InvalidRequestException: 'the secret is marked for deletion in AWS; a secret in use was expected',
  AccessDeniedException:
    'AWS does not let these credentials read the secret; the permission secretsmanager:GetSecretValue for it was expected',
  DecryptionFailure:
    'AWS cannot decrypt the secret for these credentials; the permission kms:Decrypt for its key was expected',
  ThrottlingException: 'AWS refuses to answer so many requests; fewer were expected, or a later one',
};
const BAD_CREDENTIALS = new Set([
  'InvalidSignatureException',
  'UnrecognizedClientException',
  'ExpiredTokenException',
  'IncompleteSignatureException',
  'MissingAuthenticationTokenException',
]);

/**
 * Fetches secrets of AWS Secrets Manager: all at once, and each secret once however many of its keys are
 * asked for. Never throws, and is over after {@link DEADLINE_MS}. No problem holds a value.
 *
 * @param references by the name of the variable that they are for: `id` or `id#key`
 */
export async function fetchSecrets(
  references: ReadonlyMap<string, string>,
  access: AwsAccess,
  deadlineMs: number = DEADLINE_MS,
): Promise<Map<string, Fetched>> {
  if (references.size === 0) return new Map();
  const ids = new Set([...references.values()].map((reference) => partsOf(reference).id));
  const { SecretsManagerClient, GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient(awsClientOptions(access, PATIENCE));
  const deadline = new AbortController();
  // The search for credentials heeds no signal, so the clock is raced as well.
  const late = sleep(deadlineMs, undefined, { signal: deadline.signal }).then(
    (): Answer => ({ problem: `AWS did not answer within ${deadlineMs / 1000} s; an answer was expected` }),
    (): Answer => ({ problem: 'the answer of AWS is not needed any more' }),
  );
  const ask = (SecretId: string): Promise<Answer> =>
    client.send(new GetSecretValueCommand({ SecretId }), { abortSignal: deadline.signal }).then(
      (answer) => answer,
      (error: unknown) => ({ problem: problemOf(error) }),
    );
  try {
    const answers = new Map(
      await Promise.all([...ids].map(async (id) => [id, await Promise.race([ask(id), late])] as const)),
    );
    return new Map(
      [...references].map(([name, reference]) => {
        const { id, key } = partsOf(reference);
        return [name, fetchedOf(answers.get(id), key)];
      }),
    );
  } finally {
    deadline.abort();
    client.destroy();
  }
}

type Answer =
  Pick<GetSecretValueCommandOutput, 'SecretString' | 'SecretBinary'> | { readonly problem: string };

/** The names and ARNs of secrets hold no #. */
function partsOf(reference: string): { id: string; key: string | undefined } {
  const [id = '', ...key] = reference.split('#');
  return { id, key: key.length === 0 ? undefined : key.join('#') };
}

function fetchedOf(answer: Answer | undefined, key: string | undefined): Fetched {
  if (answer === undefined) return { problem: `names no secret; ${EXPECTED}` };
  if ('problem' in answer) return answer;
  if (answer.SecretString === undefined) return { problem: 'the secret is binary; a text was expected' };
  const value = key === undefined ? answer.SecretString : valueAt(key, answer.SecretString);
  if (typeof value === 'object') return value;
  if (key === undefined && objectOf(value))
    return {
      problem: 'the secret is an object of JSON; #key behind its name was expected, for one of its texts',
    };
  const text = value.replace(/\r?\n$/, '');
  return text === '' ? { problem: 'the secret is empty; a text was expected' } : { value: text };
}

function valueAt(key: string, text: string): string | { problem: string } {
  const object = objectOf(text);
  if (!object)
    return { problem: 'the secret is no object of JSON, so it has no #key; its name alone was expected' };
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  if (typeof value === 'string') return value;
  return {
    problem: `the secret has no text under the key behind #; the name of one of its keys was expected, in the same case`,
  };
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Only names and codes of errors are shown: their words name secrets, accounts and addresses. */
function problemOf(error: unknown): string {
  const { name, message } = error instanceof Error ? error : new Error('unknown');
  const code = error instanceof Error && 'code' in error ? String(error.code) : name;
  const known = REFUSALS[name];
  if (known !== undefined) return `${known} (${name})`;
  if (BAD_CREDENTIALS.has(name))
    return `AWS refuses the credentials (${name}); AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role were expected`;
  if (/credential|token/i.test(name))
    return `there are no credentials for AWS (${name}); AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role were expected`;
  if (/region/i.test(message))
    return 'no region of AWS is set; AWS_REGION was expected, for example eu-central-1';
  // The SDK gives a connection that was cut the same name.
  if (name === 'TimeoutError' && code === name)
    return 'AWS did not answer in time (TimeoutError); an answer was expected';
  return `AWS could not be asked (${/^\w{1,60}$/.test(code) ? code : 'unknown error'}); a connection to Secrets Manager was expected`;
}
