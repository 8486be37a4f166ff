import { TestRunner } from 'vitest';

/** What the table of `npm run test:faults` shows of one test. Milliseconds; reported, never asserted. */
export interface FaultTimes {
  detectMs?: number;
  recoverMs?: number;
}

declare module 'vitest' {
  interface TaskMeta {
    fault?: FaultTimes;
  }
}

/** Takes the times of a fault, as a test sees them: from outside of the bot. */
export interface FaultClock {
  /** The bot, or the part under test, has shown that it knows of the fault. */
  detected(): void;
  /** The fault ends now. Before it, `detected` was called, or there was nothing to see. */
  over(): void;
  /** It works again as before. */
  recovered(): void;
}

/**
 * The fault begins now. The times go into the table of `npm run test:faults`; a test that has several faults
 * keeps the longest.
 *
 * @param nowMs the clock that the part under test goes by, where the test moves it
 */
export function faultBegins(nowMs: () => number = () => performance.now()): FaultClock {
  const test = TestRunner.getCurrentTest();
  const beganAtMs = nowMs();
  let overAtMs = beganAtMs;
  const note = (name: keyof FaultTimes, sinceMs: number): void => {
    if (!test) return;
    const times = (test.meta.fault ??= {});
    times[name] = Math.max(times[name] ?? 0, nowMs() - sinceMs);
  };
  return {
    detected: () => note('detectMs', beganAtMs),
    over: () => void (overAtMs = nowMs()),
    recovered: () => note('recoverMs', overAtMs),
  };
}
