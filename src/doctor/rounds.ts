import { ChimeraError, messageOf, StartupError } from '../domain/errors.js';
import { problem, problemOf, skipped, type Area, type Check, type Finding, type Looked } from './finding.js';

/** One question may take so long. */
const LONGEST_LOOK_MS = 6_000;

/**
 * Asks all questions of an area at once. A question that fails, or does not come to its end, is a problem of
 * its own. Never throws.
 */
export async function ask<T>(area: Area, checks: readonly Check<T>[], at: T): Promise<Looked[]> {
  const answers = await Promise.all(
    checks.map(async ({ name, look }) => {
      const findings = await answerOf(async () => look(at));
      return findings.map((finding) => ({ area, name, ...finding }));
    }),
  );
  return answers.flat();
}

/** The questions of an area that cannot be asked, with the reason. */
export function leave<T>(area: Area, checks: readonly Check<T>[], why: string): Looked[] {
  return checks.map(({ name }) => ({ area, name, ...skipped(why) }));
}

async function answerOf(look: () => Promise<Finding | readonly Finding[]>): Promise<readonly Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(
      () =>
        resolve(
          problem(
            `this took longer than ${LONGEST_LOOK_MS / 1_000} s`,
            'look at what it asks, and run this again',
          ),
        ),
      LONGEST_LOOK_MS,
    );
  });
  try {
    const found = await Promise.race([look(), late]);
    return 'verdict' in found ? [found] : found;
  } catch (error) {
    if (error instanceof StartupError) return error.problems.map(problemOf);
    const said =
      error instanceof ChimeraError ? error.message : `an error without a class: ${messageOf(error)}`;
    return [problem(said, 'see docs/errors.md for these words')];
  } finally {
    clearTimeout(timer);
  }
}
