import { setTimeout as sleep } from 'node:timers/promises';
import { SeededRandom } from '../../devnet/random.js';
import type { BotProcess } from '../../devnet/stack/bot-process.js';
import type { BotEvent } from '../../src/domain/events/events.js';

/** Repeat a failing run with its seed: KILL_SEED=… npm run test:e2e */
export const KILL_SEED = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);

/** When to kill a bot: this long after an event happened for the first time. */
export interface KillMoment {
  readonly after: BotEvent['event'];
  readonly delayMs: number;
}

/** Long enough for a pass to go on to its next step, short enough to come before the next block. */
const LONGEST_DELAY_MS = 120;

/** One moment for each event, in a random order, each after a random delay: no two are alike. */
export function killMoments(seed: number, events: readonly BotEvent['event'][]): KillMoment[] {
  const random = new SeededRandom(seed);
  return events
    .map((after) => ({ after, delayMs: random.integer(0, LONGEST_DELAY_MS), key: random.next() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ after, delayMs }) => ({ after, delayMs }));
}

/** Resolves when the bot is dead. @throws Error when it ends before the moment comes */
export async function killAt(bot: BotProcess, { after, delayMs }: KillMoment): Promise<void> {
  await bot.waitFor(after);
  await sleep(delayMs);
  await bot.kill();
}
