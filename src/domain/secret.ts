import { inspect } from 'node:util';

const MASK = '***';

/**
 * A value that must not reach a log, an error, an answer or a row: a private key, a password, an RPC URL.
 * Every way of printing it gives `***`; only {@link Secret.reveal} gives the value.
 */
export class Secret {
  #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  /**
   * Gives it another value, for everybody who holds it. Only the re-reading of secrets calls this
   * (src/config/secret-rotation.ts).
   */
  replace(value: string): void {
    this.#value = value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}
