import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DEMO_SCENARIO, demoBorrowers, playStep } from '../../devnet/index.js';
import { Stack } from '../../devnet/stack/stack.js';
import type { StatusAnswer } from '../../src/api/status-answer.js';
import { eventually } from '../../testing/eventually.js';
import { minedCount } from './operator.js';

const PRELOADED = fileURLToPath(new URL('../../testing/shift-clock.mjs', import.meta.url));
const FIVE_MINUTES = 300_000;

describe('F18 a machine whose clock is wrong by five minutes', () => {
  let stack: Stack;
  const steps = DEMO_SCENARIO.values();

  beforeAll(async () => {
    stack = await Stack.start({ borrowers: demoBorrowers(30) });
    await stack.devnet.startMining(250);
  });

  afterEach(() => stack.bot?.stop());

  afterAll(() => stack.stop());

  it.each([
    ['ahead', FIVE_MINUTES],
    ['behind', -FIVE_MINUTES],
  ])('%s: the bot warns, goes by the time of database and chain, and liquidates', async (_, off) => {
    const bot = await stack.launchBot(undefined, {
      ...{ maxHeadAgeSeconds: 60, haltHeadAgeSeconds: 60, scanIntervalMs: 250 },
      variables: { NODE_OPTIONS: `--import ${PRELOADED}`, CLOCK_AHEAD_MS: String(off) },
    });
    const warned = bot.waitFor('clock-off');
    await Promise.all([bot.waitFor('bot-started'), bot.waitFor('api-listening')]);
    expect(await warned).toMatchObject({ wrong: 'machine' });
    const before = await minedCount(stack);
    const step = steps.next();
    if (!step.done) await playStep(stack.devnet, step.value);
    await eventually(async () => (await minedCount(stack)) > before, 'a liquidation');
    const { safety, head } = (await stack.api('/api/v1/status')).body as StatusAnswer;
    expect(safety.state).toBe('NORMAL');
    expect(Math.abs(head?.lagSeconds ?? Infinity)).toBeLessThan(60);
  });
});
