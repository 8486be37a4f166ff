import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DEMO_SCENARIO, demoBorrowers, playStep } from '../../devnet/index.js';
import type { BotSettings } from '../../devnet/stack/bot-config.js';
import type { BotProcess } from '../../devnet/stack/bot-process.js';
import { Stack } from '../../devnet/stack/stack.js';
import type { StatusAnswer } from '../../src/api/status-answer.js';
import type { BotEvent } from '../../src/domain/events/events.js';
import { eventually } from '../../testing/eventually.js';
import { LaggingNode } from '../../testing/nodes/lagging-node.js';
import { allSettled, minedCount, signedHashes } from './operator.js';
import { faultBegins } from '../../testing/fault-times.js';

const BLOCK_MS = 500;
/**
 * Seconds. A block's timestamp has whole seconds only, so a fresh head is up to a second and a block old. On
 * a busy machine it takes another second.
 */
const MAX_AGE = 4;
const HALT_AGE = 9;
/** Blocks: 6.5 s behind, between the two limits, and 20 s. */
const LAG_TO_THROTTLE = 13;
const LAG_TO_HALT = 40;
/** Seconds. */
const PAUSE = 8;

let stack: Stack;
let events: BotEvent[];
const steps = DEMO_SCENARIO.values();

beforeAll(async () => {
  stack = await Stack.start({ borrowers: demoBorrowers(30) });
  await stack.devnet.startMining(BLOCK_MS);
});

afterEach(async () => {
  await stack.bot?.stop();
});

afterAll(() => stack.stop());

describe('an unhealthy chain', () => {
  it('F08 all nodes lag: THROTTLED until they have caught up, then HALTED, and nothing is sent', async () => {
    const node = await LaggingNode.start(stack.devnet.rpcUrl);
    try {
      await start({ rpcUrl: node.url, maxHeadAgeSeconds: MAX_AGE, haltHeadAgeSeconds: HALT_AGE });
      await eventually(
        async () => (await stack.devnet.provider.getBlockNumber()) > LAG_TO_THROTTLE,
        'blocks',
      );

      const fault = faultBegins();
      node.lagBlocks = LAG_TO_THROTTLE;
      await untilState('THROTTLED');
      fault.detected();
      expect(await safety()).toMatchObject({ reason: STALE, actor: 'chimera' });
      fault.over();
      node.lagBlocks = 0;
      await untilState('NORMAL');
      fault.recovered();

      node.lagBlocks = LAG_TO_HALT;
      await untilState('HALTED');
      expect(await safety()).toMatchObject({ reason: STALE, actor: 'chimera' });
      node.lagBlocks = 0;
      await eventually(() => told().at(-1) === 'well', 'heads to be fresh again');
      await sendsNothingUntilResumed();
      expectToldOnce();
    } finally {
      await stack.bot?.stop();
      await node.stop();
    }
  });

  it('F17 the chain stands still: THROTTLED, then HALTED, also when blocks come again', async () => {
    await start({ maxHeadAgeSeconds: MAX_AGE, haltHeadAgeSeconds: HALT_AGE });
    await untilState('NORMAL');
    await stack.devnet.stopMining();
    await untilState('THROTTLED');
    await untilState('HALTED');
    expect(await safety()).toMatchObject({ reason: STALE, actor: 'chimera' });
    await stack.devnet.startMining(BLOCK_MS);
    await eventually(() => told().at(-1) === 'well', 'heads to be fresh again');
    await sendsNothingUntilResumed();
    expectToldOnce();
  });

  it("F17 after an outage the halt ends by itself, once all was well for so long; an operator's halt does not", async () => {
    await start({ maxHeadAgeSeconds: MAX_AGE, haltHeadAgeSeconds: HALT_AGE, resumeAfterSeconds: 3 });
    await untilState('NORMAL');
    const fault = faultBegins();
    await stack.devnet.stopMining();
    await untilState('HALTED');
    fault.detected();
    expect(await safety()).toMatchObject({ cause: 'chain', concerns: [{ cause: 'chain', level: 'HALTED' }] });
    fault.over();
    await stack.devnet.startMining(BLOCK_MS);
    await untilState('NORMAL');
    fault.recovered();
    expect(await safety()).toMatchObject({
      reason: 'chain and endpoints were well for 3 s',
      actor: 'chimera',
    });

    await stack.devnet.stopMining();
    await untilState('HALTED');
    await stack.api('/api/v1/safety/halt', { body: { reason: 'I want to look' } });
    await stack.devnet.startMining(BLOCK_MS);
    await eventually(async () => (await safety()).concerns.length === 1, 'the outage to be over');
    expect(await safety()).toMatchObject({ state: 'HALTED', cause: 'operator', reason: 'I want to look' });
    await stack.api('/api/v1/safety/resume', { body: { reason: 'looked' } });
    await untilState('NORMAL');
  });

  it('a pause of the bot itself, while heads wait for it, is not a pause of the chain', async () => {
    const bot = await start({ maxHeadAgeSeconds: PAUSE - 2, haltHeadAgeSeconds: PAUSE - 2 });
    await goesOn();
    process.kill(bot.pid, 'SIGSTOP');
    await sleep(PAUSE * 1000);
    process.kill(bot.pid, 'SIGCONT');
    await goesOn();
    expect(told()).toEqual([]);
    expect(await safety()).toMatchObject({ state: 'NORMAL' });
  });

  // This test is the last one, because the clock of the chain stays ahead.
  it('F17 the time of the chain jumps by more than 20 s: HALTED before anything of that block is sent', async () => {
    await start({ maxTimestampJumpSeconds: 20 });
    await stack.devnet.increaseTime(15);
    await goesOn();
    expect(await safety()).toMatchObject({ state: 'NORMAL' });
    await stack.devnet.increaseTime(60);
    await untilState('HALTED');
    expect(await safety()).toMatchObject({
      reason: expect.stringMatching(
        /^the time of the chain jumped by [6-9]\d s .*at most 20 s a block/,
      ) as string,
      actor: 'chimera',
    });
    await sendsNothingUntilResumed();
    expect(told()).toEqual(['halt']);
  });
});

const STALE = expect.stringMatching(/^the newest block, \d+, is \d+\.\d s old/) as string;

async function start(settings: BotSettings): Promise<BotProcess> {
  events = [];
  return stack.startBot((event) => events.push(event), { scanIntervalMs: 250, ...settings });
}

/** The market falls. Positions below 1 are not liquidated because of the halt, until an operator resumes. */
async function sendsNothingUntilResumed(): Promise<void> {
  const signed = await signedHashes(stack);
  const leftAlone = stack.bot?.waitFor('position-skipped', ({ reason }) => reason === 'halted');
  for (const step of [steps.next(), steps.next()]) if (step.value) await playStep(stack.devnet, step.value);
  await leftAlone;
  await stack.bot?.waitFor('pass'); // the end of that pass
  expect(await signedHashes(stack)).toEqual(signed);
  expect(await safety()).toMatchObject({ state: 'HALTED' });

  const before = await allSettled(stack);
  const answer = await stack.api('/api/v1/safety/resume', { body: { reason: 'the chain is well' } });
  expect(answer).toMatchObject({ status: 200 });
  await eventually(async () => (await minedCount(stack)) > before, 'sending to go on');
}

async function status(): Promise<StatusAnswer> {
  return (await stack.api('/api/v1/status')).body as StatusAnswer;
}

async function safety(): Promise<StatusAnswer['safety']> {
  return (await status()).safety;
}

/** Waits for a second of blocks, in which the bot checks several times. */
async function goesOn(): Promise<void> {
  const until = (await stack.devnet.provider.getBlockNumber()) + 1_000 / BLOCK_MS;
  await eventually(async () => ((await status()).head?.number ?? 0) >= until, 'the bot to go on');
}

async function untilState(state: string): Promise<void> {
  await eventually(async () => (await safety()).state === state, state);
}

/** The events about the sequencer in the log, in order. */
function told(): string[] {
  return events.flatMap((event) => {
    if (event.event === 'sequencer-anomaly') return [event.severity];
    return event.event === 'sequencer-well' ? ['well'] : [];
  });
}

/** The bot checked dozens of times. A busy machine may throttle in addition; that is not tested here. */
function expectToldOnce(): void {
  const lines = told();
  expect(lines.filter((line, index) => line === lines[index - 1])).toEqual([]);
  expect(lines.filter((line) => line === 'halt')).toHaveLength(1);
}
