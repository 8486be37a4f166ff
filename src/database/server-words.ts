import { Secret } from '../domain/secret.js';
import { SecretScrubber } from '../domain/secret-forms.js';

/** What a connection logs in with. Both can change while the bot runs; the next connection takes the new. */
export interface Login {
  readonly user: string | Secret;
  readonly password?: Secret | undefined;
}

/** A shorter user name may be a word of any message. */
const SHORTEST_USER = 8;

export function userOf({ user }: Login): string {
  return user instanceof Secret ? user.reveal() : user;
}

/**
 * Removes user and password from what a server says, those of now and those before. Poolers and hosted
 * servers repeat them, and their words reach events, answers of the API, and the reason of a halt in a row.
 */
export class LoginScrubber {
  #known = '';
  readonly #scrubber = new SecretScrubber([]);

  constructor(private readonly login: Login) {
    this.#learn();
  }

  scrub(text: string): string {
    this.#learn();
    return this.#scrubber.scrub(text);
  }

  #learn(): void {
    const user = userOf(this.login);
    const password = this.login.password?.reveal() ?? '';
    const both = `${user}:${password}`;
    if (both === this.#known) return;
    this.#known = both;
    this.#scrubber.learn([password, password && both, user.length < SHORTEST_USER ? '' : user]);
  }
}
