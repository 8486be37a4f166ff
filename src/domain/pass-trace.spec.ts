import { describe, expect, it } from 'vitest';
import { aBlock } from '../../testing/builders/blocks.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
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
