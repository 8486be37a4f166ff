import type { SafetyLimits } from '../../src/domain/authorisation.js';
import type { RateLimits } from '../../src/domain/execution-rates.js';
import { USD8 } from '../../src/domain/money.js';
import type { Operator } from '../../src/safety/index.js';

/** The limits that the keys of `safety` have by default. */
export const SAFETY_LIMITS: SafetyLimits & RateLimits = {
  maxSingleExecutionUsd8: 500n * USD8,
  maxDailyVolumeUsd8: 2_500n * USD8,
  maxConsecutiveFailures: 3,
  minOperatorBalanceWei: 10n ** 17n,
  throttledInFlight: 1,
  throttledSkipBps: 5_000,
  minRateSample: 10,
  throttleInclusionBps: 6_000,
  haltInclusionBps: 5_000,
  lostRaceWeightBps: 2_500,
  throttleAccuracyBps: 9_000,
  haltAccuracyBps: 8_500,
};

/** A person who calls the API. */
export const ALICE: Operator = { name: 'alice', role: 'operator', address: '127.0.0.1' };
