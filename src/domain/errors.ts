import type { Cause } from './safety.js';

/**
 * Errors are named by what the bot must do about them, so that the policy sits in one place (FailurePolicy).
 * After a {@link RetryError} the next pass tries again. A {@link SkipError} drops this one opportunity. A
 * {@link HaltError} stops all sending until an operator resumes.
 */
export type Consequence = 'retry' | 'skip' | 'halt';

export abstract class ChimeraError extends Error {
  abstract readonly consequence: Consequence;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A temporary failure, for example of the network or of a slow database. The same work may succeed later. */
export class RetryError extends ChimeraError {
  readonly consequence = 'retry';
}

/** This opportunity cannot be executed; others can. */
export class SkipError extends ChimeraError {
  readonly consequence = 'skip';
}

/**
 * Going on could lose money, because something we believe about the chain, our keys or our books is wrong.
 */
export class HaltError extends ChimeraError {
  readonly consequence = 'halt';

  /** @param about the concern that it raises. */
  constructor(
    message: string,
    readonly about: Cause = 'bug',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The start-up found something missing or wrong. It carries all problems, one sentence each. */
export class StartupError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'StartupError';
  }
}

/**
 * The consequence of any thrown value. A value that is no {@link ChimeraError} is a bug. It halts, because a
 * bug must not go on spending.
 */
export function consequenceOf(error: unknown): Consequence {
  return error instanceof ChimeraError ? error.consequence : 'halt';
}

/** What a thrown value that halts is about. */
export function causeOf(error: unknown): Cause {
  return error instanceof HaltError ? error.about : 'bug';
}

const RANK: Readonly<Record<Consequence, number>> = { skip: 0, retry: 1, halt: 2 };

/** The errors among these values, the worst first: halt, then retry, then skip. */
export function worstFirst(errors: readonly (Error | undefined)[]): Error[] {
  return errors
    .filter((error) => error !== undefined)
    .sort((a, b) => RANK[consequenceOf(b)] - RANK[consequenceOf(a)]);
}

/** A thrown value as an Error. JavaScript can throw any value. */
export function errorFrom(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
