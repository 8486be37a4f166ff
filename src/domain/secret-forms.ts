/** A shorter text is too common to be told apart from other text. */
const SHORTEST = 4;
/** A part of base64 below this length may stand in any text. */
const SHORTEST_BASE64 = 8;

/**
 * The ways in which a secret may be written in a text: as it is, as in a URL, as in JSON, and in base64, also
 * in the middle of something longer (`Authorization: Basic` holds user and password in one).
 *
 * @returns the longest first, so that no replacement leaves a rest. Nothing for a secret below 4 characters.
 */
export function formsOf(secret: string): string[] {
  if (secret.length < SHORTEST) return [];
  const forms = new Set([
    secret,
    JSON.stringify(secret).slice(1, -1),
    ...[encodeURIComponent(secret), encodeURI(secret), formEncoded(secret)].flatMap((text) => [
      text,
      text.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase()),
    ]),
    ...base64Of(secret),
  ]);
  return [...forms].sort(longestFirst);
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

/**
 * Base64 writes 3 bytes as 4 characters, so a text inside a longer one has three spellings. A character of 6
 * bits may hold bits of a neighbour: such a one is left out, unless the text ends there.
 */
function base64Of(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const from = Math.ceil((before * 8) / 6);
    const own = whole.slice(from, Math.floor(((before + bytes.length) * 8) / 6));
    return [own, whole.slice(from), whole.slice(from).replace(/=+$/, '')]
      .flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
      .filter((form) => form.length >= SHORTEST_BASE64);
  });
}

/** Replaces the forms of some secrets in a text by ***. */
export class SecretScrubber {
  #forms: readonly string[] = [];

  constructor(secrets: readonly string[]) {
    this.learn(secrets);
  }

  /** Further secrets. What it knew, it keeps: an old password may still stand somewhere. */
  learn(secrets: readonly string[]): void {
    this.#forms = [...new Set([...this.#forms, ...secrets.flatMap(formsOf)])].sort(longestFirst);
  }

  scrub(text: string): string {
    return this.#forms.reduce(
      (clean, form) => (clean.includes(form) ? clean.replaceAll(form, '***') : clean),
      text,
    );
  }

  holdsSecret(text: string): boolean {
    return this.#forms.some((form) => text.includes(form));
  }
}

function longestFirst(a: string, b: string): number {
  return b.length - a.length;
}
