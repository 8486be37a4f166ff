import type { Secret } from '../domain/secret.js';
import { SecretScrubber } from '../domain/secret-forms.js';

interface Login {
  readonly user: string;
  readonly password?: Secret | undefined;
}

/** A shorter user name may be a word of any message. */
const SHORTEST_USER = 8;

/**
 * Removes user and password from what a server says. Poolers and hosted servers repeat them, and their words
 * reach events, answers of the API, and the reason of a halt in a row.
 */
export function scrubberOf({ user, password }: Login): SecretScrubber {
  const secret = password?.reveal() ?? '';
  return new SecretScrubber([secret, secret && `${user}:${secret}`, user.length < SHORTEST_USER ? '' : user]);
}
