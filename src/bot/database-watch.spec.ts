import { beforeEach, describe, expect, it } from 'vitest';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import type { ChimeraConfig } from '../config/index.js';
import { DatabaseAvailability, type DatabaseProbe } from '../database/index.js';
import type { SafetyController } from '../safety/index.js';
import { DatabaseWatch } from './database-watch.js';
import type { WriteQueue } from './write-queue.js';

describe('the watch of the database', () => {
  let clock: TestClock;
  let availability: DatabaseAvailability;
  let latencyMs: number;
  let serves: boolean;
  let said: string[];
  let watch: DatabaseWatch;

  beforeEach(() => {
    clock = new TestClock();
    availability = new DatabaseAvailability(new RecordedEvents(), clock);
    latencyMs = 2;
    serves = true;
    said = [];
    watch = new DatabaseWatch(
      standIn<DatabaseProbe>('probe', {
        ask: () => {
          if (serves) availability.answered();
          else availability.lost('the connection was refused');
          return Promise.resolve();
        },
        get latencyMs() {
          return latencyMs;
        },
      }),
      availability,
      standIn<WriteQueue>('writes', { status: { waiting: 4, inJournal: 1, dropped: 2 } }),
      standIn<SafetyController>('safety', {
        raise: (cause, level, reason) => {
          said.push(`${cause} ${level}: ${reason}`);
          return Promise.resolve();
        },
        clear: (cause) => {
          said.push(`${cause} is well`);
          return Promise.resolve();
        },
        unsavedCount: 3,
      }),
      { safety: { haltDatabaseAwaySeconds: 300 } } as ChimeraConfig,
    );
  });

  /** What it says in so many seconds, each thing once. */
  function run(seconds: number): string[] {
    said = [];
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1_000);
      watch.tick();
    }
    return said.filter((one, index) => one !== said[index - 1]);
  }

  it('F28 throttles at once, halts after five minutes, and says when it serves again', () => {
    expect(run(2)).toEqual(['database is well']);
    serves = false;
    expect(run(300)).toEqual(['database THROTTLED: the database is away']);
    expect(watch.status.awayForMs).toBe(299_000);
    expect(run(1)).toEqual(['database HALTED: the database has been away for 300 s']);
    serves = true;
    expect(run(8)).toEqual([]);
    expect(run(4)).toEqual(['database is well']);
    expect(watch.status.awayForMs).toBe(0);
  });

  it('F30 slow now and then is slow: it is well after ten seconds without a slow answer', () => {
    run(1);
    latencyMs = 2_001;
    expect(run(1)).toEqual(['database THROTTLED: the database is slow']);
    latencyMs = 2;
    expect(run(9)).toEqual([]);
    latencyMs = 2_001;
    expect(run(1)).toEqual(['database THROTTLED: the database is slow']);
    latencyMs = 2;
    expect(run(9)).toEqual([]);
    expect(run(1)).toEqual(['database is well']);
  });

  it('F28 five minutes begin anew after each answer', () => {
    serves = false;
    run(290);
    serves = true;
    run(1);
    serves = false;
    expect(run(290)).toEqual(['database THROTTLED: the database is away']);
  });

  it('F30 throttles while answers are slow, before any has failed', () => {
    latencyMs = 2_001;
    expect(run(3)).toEqual(['database THROTTLED: the database is slow']);
    latencyMs = 2_000;
    expect(run(9)).toEqual([]);
    expect(run(1)).toEqual(['database is well']);
  });

  it('F30 is not well before ten seconds without a failed statement', () => {
    availability.lost('a statement took too long');
    availability.answered();
    expect(run(9)).toEqual([]);
    expect(run(1)).toEqual(['database is well']);
  });

  it('shows what waits for the database', () => {
    expect(watch.status).toEqual({
      awayForMs: 0,
      latencyMs: 2,
      waiting: 4,
      inJournal: 1,
      dropped: 2,
      safetyChanges: 3,
    });
  });
});
