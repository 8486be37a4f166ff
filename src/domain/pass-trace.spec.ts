import { describe, expect, it } from 'vitest';
import { aBlock } from '../../testing/builders/blocks.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { Clock } from './clock.js';
import { PassTrace } from './pass-trace.js';

describe('PassTrace', () => {
  it('measures from the arrival of the head, and never below zero', () => {
    const clock = new TestClock();
    const trace = new PassTrace(clock, clock.monotonicMs() + 2);
    expect(trace.sinceHeadMs()).toBe(0);
    clock.advance(5.5);
    expect(trace.sinceHeadMs()).toBe(3.5);
  });

  it('tells how long each stage took, from the end of the one before it', () => {
    const clock = new TestClock();
    const trace = new PassTrace(clock, clock.monotonicMs());
    clock.advance(10);
    trace.mark('logs', clock.monotonicMs() - 4);
    trace.mark('state');
    clock.advance(3);
    trace.mark('prove');
    const taken = trace.stages.map(({ stage, ms }) => `${stage} ${ms}`);
    expect(taken).toEqual(['logs 6', 'state 4', 'prove 3']);
  });

  it('of a stage that comes again for a later list of plans only the first time counts', () => {
    const clock = new TestClock();
    const trace = new PassTrace(clock, clock.monotonicMs());
    clock.advance(5);
    trace.mark('prove');
    clock.advance(2);
    trace.mark('prove');
    clock.advance(3);
    trace.mark('record');
    const taken = trace.stages.map(({ stage, ms }) => `${stage} ${ms}`);
    expect(taken).toEqual(['prove 5', 'record 5']);
  });

  it('knows when the pass has worked for as long as it may', () => {
    const clock = new TestClock();
    const trace = new PassTrace(clock, 0, undefined, 100);
    clock.advance(99);
    expect(trace.isWorkedOut).toBe(false);
    clock.advance(1);
    expect(trace.isWorkedOut).toBe(true);
  });

  it('gives everything else its turn when some milliseconds have passed without one', async () => {
    const clock = new TestClock();
    let turns = 0;
    clock.nextTurn = () => {
      turns += 1;
      return Promise.resolve();
    };
    const trace = new PassTrace(clock, 0);
    const after = async (ms: number): Promise<number> => {
      clock.advance(ms);
      await trace.breathe();
      return turns;
    };
    expect(await after(7)).toBe(0);
    expect(await after(1)).toBe(1);
    expect(await after(7)).toBe(1);
    expect(await after(30)).toBe(2);
  });

  it('counts as work only what the event loop does, not what the pass waits for', async () => {
    const clock = new Clock();
    const trace = new PassTrace(clock, 0, undefined, 150);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(trace.isWorkedOut).toBe(false);
    const until = performance.now() + 160;
    while (performance.now() < until);
    expect(trace.isWorkedOut).toBe(true);
  });

  it('a stage of the past takes no time below zero', () => {
    const clock = new TestClock();
    const trace = new PassTrace(clock, clock.monotonicMs());
    trace.mark('logs', clock.monotonicMs() - 1);
    expect(trace.stages).toEqual([{ stage: 'logs', ms: 0 }]);
  });

  const block = aBlock(10);
  it.each([
    ['no newer head', undefined, false],
    ['the same block', aBlock(10), false],
    ['its child', aBlock(11, { parentHash: block.hash }), false],
    ['a later block', aBlock(12), false],
    ['another block of its number', aBlock(10, { hash: `0x${'77'.repeat(32)}` }), true],
    ['a block of another parent', aBlock(11, { parentHash: `0x${'77'.repeat(32)}` }), true],
    ['an earlier block, of a node that is behind', aBlock(9), false],
  ])('F50 %s: it replaces the block of the plan: %s', (_, newer, replaces) => {
    const head = newer && { ...newer, receivedAtMs: 0 };
    expect(new PassTrace(new TestClock(), 0, () => head).replaces(block)).toBe(replaces);
  });
});
