import { StartupError } from '../domain/errors.js';

/**
 * The text of a file that a person wrote. Editors on Windows put a mark before it, or write UTF-16.
 *
 * @param file its name in the message.
 * @throws StartupError when it is neither UTF-8 nor UTF-16 with its mark. Nothing is replaced.
 */
export function textOf(bytes: Uint8Array, file: string): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : 'utf-8';
  try {
    // The decoder takes the mark off.
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // Below.
  }
  throw new StartupError([`${file}: the file is not UTF-8 text; save it as UTF-8`]);
}
