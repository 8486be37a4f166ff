import { Secret } from '../domain/secret.js';

/** A secret of a configuration that another one has with another value. */
interface Difference {
  /** As `environment.dbPassword`, `rpc.primary.http`. */
  readonly path: string;
  readonly secret: Secret | undefined;
  readonly value: string | undefined;
}

/**
 * What only a start can change. The key and its address are in every plan and row; the account of AWS is in
 * its clients.
 */
const FIXED = ['environment.operatorPrivateKey', 'environment.aws.'];

/**
 * Gives the secrets of a running configuration the values of another one, where that can be done while the
 * bot runs: whoever holds the secret finds the new value at the next use.
 *
 * @returns `changed`; `needs-start` when something is different that only a start can change, and nothing
 *   was changed; `same`
 */
export function takeSecrets(running: object, fresh: object): 'changed' | 'needs-start' | 'same' {
  const differences = differencesOf(running, fresh, '');
  if (differences.length === 0) return 'same';
  const replacements = differences.flatMap(({ path, secret, value }) =>
    secret && value !== undefined && !FIXED.some((fixed) => path.startsWith(fixed))
      ? [{ secret, value }]
      : [],
  );
  if (replacements.length < differences.length) return 'needs-start';
  for (const { secret, value } of replacements) secret.replace(value);
  return 'changed';
}

/** Everything that differs, secrets and other values alike. */
function differencesOf(running: unknown, fresh: unknown, path: string): Difference[] {
  if (running instanceof Secret || fresh instanceof Secret) {
    const secret = running instanceof Secret ? running : undefined;
    const value = fresh instanceof Secret ? fresh.reveal() : undefined;
    return secret?.reveal() === value ? [] : [{ path, secret, value }];
  }
  if (isObject(running) && isObject(fresh)) {
    const keys = new Set([...Object.keys(running), ...Object.keys(fresh)]);
    return [...keys].flatMap((key) =>
      differencesOf(running[key], fresh[key], path === '' ? key : `${path}.${key}`),
    );
  }
  return running === fresh ? [] : [{ path, secret: undefined, value: undefined }];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
