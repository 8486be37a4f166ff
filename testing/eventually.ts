import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a condition holds. @throws Error naming what was waited for, after 20 seconds */
export async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const until = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`waited 20 s for ${what}`);
    await sleep(25);
  }
}
