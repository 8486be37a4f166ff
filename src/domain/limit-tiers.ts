import { BPS, USD8 } from './money.js';

/** A step of the two limits on what is liquidated. USD with 8 decimals. */
export interface LimitTier {
  readonly maxSingleExecutionUsd8: bigint;
  readonly maxDailyVolumeUsd8: bigint;
}

const tier = (single: bigint, daily: bigint): LimitTier => ({
  maxSingleExecutionUsd8: single * USD8,
  maxDailyVolumeUsd8: daily * USD8,
});

/** The key `safety.tier` counts from 1. An operator goes up by changing it. */
export const LIMIT_TIERS: readonly LimitTier[] = [
  tier(500n, 2_500n),
  tier(1_000n, 5_000n),
  tier(2_500n, 12_500n),
  tier(5_000n, 25_000n),
];

/** What the last days have shown. */
export interface Record7d {
  /** Transactions with an outcome. */
  readonly settled: number;
  readonly won: number;
  /** undefined while there is none. In hundredths of a percent. */
  readonly inclusionBps: number | undefined;
  readonly accuracyBps: number | undefined;
  /** By the bot itself. */
  readonly halts: number;
  /** Won and lost together. USD with 8 decimals. */
  readonly profitUsd8: bigint;
}

/** How many days a record covers. */
export const RECORD_DAYS = 7;

/** One thing that the last seven days should show before the limits go up. */
export interface Criterion {
  readonly what: string;
  readonly needed: string;
  readonly seen: string;
  readonly met: boolean;
}

const LEAST_SETTLED = 50;
const LEAST_WON = 20;
const LEAST_INCLUSION_BPS = 7_000;
const LEAST_ACCURACY_BPS = 9_500;

/**
 * What speaks for the next tier. It is computed and shown; nothing goes up by itself. Enough executions to
 * judge, rates well above those that throttle, no halt by the bot itself, and a profit.
 */
export function tierCriteria(record: Record7d): readonly Criterion[] {
  const { settled, won, inclusionBps, accuracyBps, halts, profitUsd8 } = record;
  return [
    atLeast('executions that ended', settled, LEAST_SETTLED),
    atLeast('executions that were won', won, LEAST_WON),
    rate('inclusion', inclusionBps, LEAST_INCLUSION_BPS),
    rate('simulation accuracy', accuracyBps, LEAST_ACCURACY_BPS),
    { what: 'halts by the bot itself', needed: 'none', seen: String(halts), met: halts === 0 },
    {
      what: 'profit after all fees',
      needed: 'above 0 USD',
      seen: `${(Number(profitUsd8) / Number(USD8)).toFixed(2)} USD`,
      met: profitUsd8 > 0n,
    },
  ];
}

function atLeast(what: string, seen: number, least: number): Criterion {
  return { what, needed: `at least ${least}`, seen: String(seen), met: seen >= least };
}

function rate(what: string, bps: number | undefined, leastBps: number): Criterion {
  const met = bps !== undefined && bps >= leastBps;
  return { what, needed: `at least ${percent(leastBps)}`, seen: bps === undefined ? '-' : percent(bps), met };
}

/** For display only. */
function percent(bps: number): string {
  return `${((bps * 100) / Number(BPS)).toFixed(1)} %`;
}
