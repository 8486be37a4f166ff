import { describe, expect, it } from 'vitest';
import { StageTimes } from './stage-times.js';

const passed = (times: StageTimes, ...ms: readonly number[]): void => {
  for (const one of ms) times.hear({ event: 'stages-timed', stages: [{ stage: 'plan', ms: one }] });
};

describe('StageTimes', () => {
  it('shows nothing before a stage ran', () => {
    expect(new StageTimes().shares).toEqual([]);
  });

  it('gives the middle and the tail as times that were measured', () => {
    const times = new StageTimes();
    passed(times, ...Array.from({ length: 100 }, (_, index) => 100 - index));
    expect(times.shares).toEqual([{ stage: 'plan', p50Ms: 50, p99Ms: 99, sample: 100 }]);
  });

  it('forgets the oldest times, and keeps the order of the stages', () => {
    const times = new StageTimes();
    passed(times, ...Array.from({ length: 512 }, () => 1_000));
    passed(times, ...Array.from({ length: 512 }, () => 1));
    times.hear({ event: 'stages-timed', stages: [{ stage: 'logs', ms: 3 }] });
    expect(times.shares).toEqual([
      { stage: 'logs', p50Ms: 3, p99Ms: 3, sample: 1 },
      { stage: 'plan', p50Ms: 1, p99Ms: 1, sample: 512 },
    ]);
  });
});
