import { beforeEach, describe, expect, it } from 'vitest';
import { standIn } from '../../testing/fakes/stand-in.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import type { ChimeraConfig } from '../config/index.js';
import type { SafetyController } from '../safety/index.js';
import type { PassWatchdog } from './pass-watchdog.js';
import type { SequencerWatch } from './sequencer-watch.js';
import { WayBack } from './way-back.js';

describe('F08 F17 the way back after an outage', () => {
  let clock: TestClock;
  let cleared: string[];
  let wellSinceMs: number | undefined;
  let isWell: boolean;
  let wayBack: WayBack;

  beforeEach(() => {
    clock = new TestClock();
    cleared = [];
    wellSinceMs = undefined;
    isWell = true;
    const safety = standIn<SafetyController>('safety', {
      clear: (cause, _reason, options) => {
        cleared.push(`${cause} ${String(options?.endsHalt)}`);
        return Promise.resolve();
      },
    });
    wayBack = new WayBack(
      {
        get wellSinceMs() {
          return wellSinceMs;
        },
      } as SequencerWatch,
      {
        get isWell() {
          return isWell;
        },
      } as PassWatchdog,
      safety,
      clock,
      { safety: { resumeAfterSeconds: 120 } } as ChimeraConfig,
    );
  });

  const seconds = (count: number): void => {
    for (let n = 0; n < count; n++) {
      clock.advance(1_000);
      wayBack.tick();
    }
  };

  it('ends the halts of chain and endpoints after all was well for so long', () => {
    wellSinceMs = 0;
    seconds(120);
    expect(cleared).toEqual([]);
    seconds(1);
    expect(cleared).toEqual(['chain true', 'rpc true']);
  });

  it.each([
    [
      'the heads are old again',
      (): unknown => (wellSinceMs = undefined),
      (): unknown => (wellSinceMs = clock.monotonicMs()),
    ],
    ['a pass fails', (): unknown => (isWell = false), (): unknown => (isWell = true)],
  ])('counts anew when %s', (_, breaks, mends) => {
    wellSinceMs = 0;
    seconds(100);
    breaks();
    seconds(1);
    mends();
    seconds(120);
    expect(cleared).toEqual([]);
    seconds(1);
    expect(cleared).toHaveLength(2);
  });

  it('an anomaly between two looks counts too', () => {
    wellSinceMs = 0;
    seconds(100);
    wellSinceMs = clock.monotonicMs(); // it was gone, and came back, within a second
    seconds(119);
    expect(cleared).toEqual([]);
    seconds(1);
    expect(cleared).toHaveLength(2);
  });
});
