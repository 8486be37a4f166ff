/** How one question of the check-up was answered. */
export type Verdict = 'well' | 'warning' | 'problem' | 'skipped';

/** What was found, and what to do about it. */
export interface Finding {
  readonly verdict: Verdict;
  /** What is so, in one sentence without its end. It holds no secret and no URL. */
  readonly found: string;
  /** What an operator does about it. Absent where nothing has to be done. */
  readonly cure?: string;
}

/** What the check-up looks at, in the order in which it is told. */
export const AREAS = [
  'configuration',
  'machine',
  'database',
  'redis',
  'endpoints',
  'contract',
  'markets',
  'wallet',
  'alerts',
  'api',
  'live',
] as const;
export type Area = (typeof AREAS)[number];

/** A question of the check-up about `T`. */
export interface Check<T> {
  /** A few words, unique in its area. */
  readonly name: string;
  readonly look: (at: T) => Finding | readonly Finding[] | Promise<Finding | readonly Finding[]>;
}

/** A question with its answer. */
export interface Looked extends Finding {
  readonly area: Area;
  readonly name: string;
}

export function well(found: string): Finding {
  return { verdict: 'well', found };
}

export function warning(found: string, cure: string): Finding {
  return { verdict: 'warning', found, cure };
}

export function problem(found: string, cure: string): Finding {
  return { verdict: 'problem', found, cure };
}

export function skipped(found: string): Finding {
  return { verdict: 'skipped', found };
}

/**
 * A sentence of the start of the bot as a finding. It says what is wrong, and after its last semicolon what
 * was expected, or who has to do what.
 */
export function problemOf(sentence: string): Finding {
  const at = sentence.lastIndexOf('; ');
  if (at < 0) return problem(sentence, 'see docs/errors.md');
  return problem(sentence.slice(0, at), sentence.slice(at + 2));
}

/** `well` where nothing is wrong. */
export function unless(sentences: readonly string[], found: string): readonly Finding[] {
  return sentences.length === 0 ? [well(found)] : sentences.map(problemOf);
}
