import { describe, expect, it } from 'vitest';
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
});
