import { SecretScrubber } from '../domain/secret-forms.js';

export const MASK = '***';
const LONGEST_SHOWN = 60;
/** 64 hex digits may be a private key or a digest. Neither may be printed. */
const KEY_LIKE = /[0-9a-f]{64}/i;
const URL_LIKE = /:\/\//;

/**
 * Shows a value of the configuration file in a message: quoted, cut when it is long, masked when it may be a
 * secret.
 */
export class Redaction {
  readonly #secrets: SecretScrubber;

  constructor(secrets: readonly string[]) {
    this.#secrets = new SecretScrubber(secrets);
  }

  show(text: string): string {
    if (this.#mayBeSecret(text)) return MASK;
    return JSON.stringify(text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text);
  }

  /** Shows a whole value without quotes. */
  whole(text: string): string {
    return this.#mayBeSecret(text) ? MASK : text;
  }

  /** Shows a key of the file, without quotes. */
  key(text: string): string {
    return this.#mayBeSecret(text) ? MASK : text.slice(0, LONGEST_SHOWN).replace(/[^\x20-\x7e]/g, '?');
  }

  /** Whether a text holds one of the secrets that are known. */
  holdsSecret(text: string): boolean {
    return this.#secrets.holdsSecret(text);
  }

  #mayBeSecret(text: string): boolean {
    return KEY_LIKE.test(text) || URL_LIKE.test(text) || this.holdsSecret(text);
  }
}
