import { describe, expect, it } from 'vitest';
import { ENDS_THE_PROCESS, FAULT_NAMES, scheduleOf, type ScheduledFault } from './schedule.js';

const MINUTES = 30;

describe('the schedule of the soak', () => {
  it('is the same for the same seed, and another one for another seed', () => {
    expect(scheduleOf(7, MINUTES)).toEqual(scheduleOf(7, MINUTES));
    expect(scheduleOf(7, MINUTES)).not.toEqual(scheduleOf(8, MINUTES));
  });

  it.each([1, 2, 3, 4, 5])(
    'seed %i: within its time, in each lane one after the other, each kind at least once',
    (seed) => {
      const schedule = scheduleOf(seed, MINUTES);
      for (const { from, to } of schedule) {
        expect(from).toBeLessThan(to);
        expect(to).toBeLessThan(MINUTES * 60);
      }
      for (const lane of ['nodes', 'rest'] as const) {
        const own = schedule.filter((one) => one.lane === lane);
        const overlaps = own.filter((one, index) => one.from < (own[index - 1]?.to ?? 0));
        expect(overlaps).toEqual([]);
        expect([...new Set(own.map(({ name }) => name))].sort()).toEqual([...FAULT_NAMES[lane]].sort());
      }
    },
  );

  it('ends no process in its last three quarters, so that the memory of one can be watched', () => {
    const ends = ({ name }: ScheduledFault): boolean => ENDS_THE_PROCESS.includes(name);
    for (let seed = 0; seed < 20; seed++) {
      const late = scheduleOf(seed, MINUTES).filter(({ from }) => from > MINUTES * 15);
      expect(late.filter(ends)).toEqual([]);
    }
  });
});
