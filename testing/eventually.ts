import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_PAUSE_MS = 25;
/** An API refuses a caller that asks too often. */
const LONGEST_PAUSE_MS = 250;

/**
 * Waits until a condition holds.
 *
 * @throws Error naming what was waited for, after a minute, because a busy machine is slow
 */
export async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const until = performance.now() + 60_000;
  for (let pauseMs = FIRST_PAUSE_MS; !(await holds()); pauseMs = Math.min(pauseMs * 1.2, LONGEST_PAUSE_MS)) {
    if (performance.now() > until) throw new Error(`waited a minute for ${what}`);
    await sleep(pauseMs);
  }
}
