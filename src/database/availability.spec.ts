import { describe, expect, it } from 'vitest';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { DatabaseAvailability } from './availability.js';

describe('the availability of the database', () => {
  const setUp = () => {
    const clock = new TestClock();
    const events = new RecordedEvents();
    return { clock, events, availability: new DatabaseAvailability(events, clock) };
  };

  it('F28 a loss is reported once, and so is its end', () => {
    const { events, availability } = setUp();
    availability.answered();
    availability.lost('the connection was refused');
    availability.lost('the connection was refused again');
    availability.answered();
    availability.answered();
    expect(events.all).toEqual([
      { event: 'database-lost', message: 'the connection was refused' },
      { event: 'database-back' },
    ]);
  });

  it('a database that comes and goes is reported at most every 10 s', () => {
    const { clock, events, availability } = setUp();
    for (let second = 0; second < 25; second++) {
      availability.lost('away');
      availability.answered();
      clock.advance(1_000);
    }
    expect(events.named('database-lost')).toHaveLength(3);
    expect(events.named('database-back')).toHaveLength(3);
  });

  it('F28 tells since when it is away, also while nothing is reported', () => {
    const { clock, availability } = setUp();
    availability.lost('away');
    availability.answered();
    clock.advance(1_000);
    expect([availability.isAway, availability.awayForMs, availability.sinceFailureMs]).toEqual([
      false,
      0,
      1_000,
    ]);
    availability.lost('away again');
    clock.advance(2_000);
    availability.lost('still away');
    clock.advance(3_000);
    expect([availability.isAway, availability.awayForMs, availability.sinceFailureMs]).toEqual([
      true,
      5_000,
      3_000,
    ]);
  });
});
