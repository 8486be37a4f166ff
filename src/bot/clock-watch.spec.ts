import { beforeEach, describe, expect, it } from 'vitest';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import type { ServerClock } from '../database/index.js';
import { RetryError } from '../domain/errors.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { FailurePolicy } from '../safety/index.js';
import { ClockWatch } from './clock-watch.js';

const NOON = Date.UTC(2026, 0, 31, 12);
const FIVE_MINUTES = 300_000;

describe('F18 the clock of this machine', () => {
  let events: RecordedEvents;
  let blockMs: number;
  let away: RetryError | undefined;

  beforeEach(() => {
    events = new RecordedEvents();
    blockMs = NOON - 2_000;
    away = undefined;
  });

  /** @param serverMs of the database server, while it is noon in truth. */
  const watchOf = (clock: TestClock, serverMs = NOON): ClockWatch =>
    new ClockWatch(
      standIn<ServerClock>('server', {
        nowMs: () => (away ? Promise.reject(away) : Promise.resolve(serverMs + clock.monotonicMs())),
      }),
      standIn<Chain>('chain', {
        getBlock: () =>
          Promise.resolve({ timestamp: blockMs / 1_000 } as Awaited<ReturnType<Chain['getBlock']>>),
      }),
      clock,
      standIn<FailurePolicy>('policy', {}),
      events,
    );

  it.each([
    ['ahead', FIVE_MINUTES],
    ['behind', -FIVE_MINUTES],
  ])(
    'is five minutes %s: corrected to the time that database and chain agree on, with one warning',
    async (_, off) => {
      const clock = new TestClock(NOON + off);
      const watch = watchOf(clock);
      await watch.look();
      expect(clock.wallMs()).toBe(NOON);
      await watch.look();
      expect(clock.wallMs()).toBe(NOON);
      expect(events.all).toEqual([{ event: 'clock-off', wrong: 'machine', offByMs: -off }]);
    },
  );

  it('is put right while the bot runs: the correction ends', async () => {
    let off = FIVE_MINUTES;
    class MovedClock extends TestClock {
      override wallMs(): number {
        return super.wallMs() + off;
      }
    }
    const clock = new MovedClock(NOON);
    const watch = watchOf(clock);
    await watch.look();
    off = 0;
    await watch.look();
    expect(clock.wallMs()).toBe(NOON);
    expect(events.all.map(({ event }) => event)).toEqual(['clock-off', 'clock-well']);
  });

  it('agrees with the chain, and the database server is off: nothing is corrected, and it warns', async () => {
    const clock = new TestClock(NOON);
    await watchOf(clock, NOON + FIVE_MINUTES).look();
    expect(clock.wallMs()).toBe(NOON);
    expect(events.all).toEqual([{ event: 'clock-off', wrong: 'database', offByMs: FIVE_MINUTES }]);
  });

  it('all nodes lag by five minutes: database and machine agree, nothing is corrected, and F08 judges', async () => {
    const clock = new TestClock(NOON);
    blockMs = NOON - FIVE_MINUTES;
    await watchOf(clock).look();
    expect(clock.wallMs()).toBe(NOON);
    expect(events.all).toEqual([]);
  });

  it('a node alone cannot move it', async () => {
    const clock = new TestClock(NOON);
    blockMs = NOON + FIVE_MINUTES;
    await watchOf(clock).look();
    expect(clock.wallMs()).toBe(NOON);
  });

  it('without the database the correction stays, and it is looked at once a minute', async () => {
    const clock = new TestClock(NOON + FIVE_MINUTES);
    const watch = watchOf(clock);
    await watch.lookIfDue();
    away = new RetryError('the database does not serve');
    clock.advance(60_000);
    await watch.lookIfDue();
    expect(clock.correctionMs).toBe(-FIVE_MINUTES);
  });
});
