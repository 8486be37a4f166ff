import { BPS, max, min } from './money.js';
import type { Outcome } from './outcome.js';
import type { Cause, Level, Numbers } from './safety.js';

/** How many of the last executions count. */
export const RATED_EXECUTIONS = 100;

/** One execution that ended. */
export interface RatedExecution {
  readonly outcome: Outcome;
  /** After all costs, as it was planned. USD with 8 decimals. */
  readonly simulatedUsd8: bigint;
  /** After all fees, of a win. USD with 8 decimals. */
  readonly realisedUsd8: bigint;
}

/** The rates of the last executions. Each share is in hundredths of a percent, rounded down. */
export interface ExecutionRates {
  /** How many count: won, lost, stale and malfunctions. What every node refused was never sent. */
  readonly sample: number;
  /** Won, of all that were sent; a lost race weighs less. undefined while nothing was sent. */
  readonly inclusionBps: number | undefined;
  /** How many count without lost races. */
  readonly ownSample: number;
  /** The same without lost races: what failed by our own doing, or by the market's. */
  readonly ownInclusionBps: number | undefined;
  readonly won: number;
  /** Realised of simulated profit, of those won; more than was simulated counts as simulated. */
  readonly accuracyBps: number | undefined;
}

export interface RateLimits {
  /** The weight of a lost race in the inclusion, beside 10,000 of everything else. */
  readonly lostRaceWeightBps: number;
  /** A rate of fewer executions does not count. */
  readonly minRateSample: number;
  readonly haltInclusionBps: number;
  readonly throttleInclusionBps: number;
  readonly haltAccuracyBps: number;
  readonly throttleAccuracyBps: number;
}

/** @param executions the last {@link RATED_EXECUTIONS}, in any order. */
export function ratesOf(
  executions: readonly RatedExecution[],
  { lostRaceWeightBps }: Pick<RateLimits, 'lostRaceWeightBps'>,
): ExecutionRates {
  const count = (of: Outcome): number => executions.filter(({ outcome }) => outcome === of).length;
  const [won, lost] = [count('won'), count('lost')];
  const ownSample = won + count('stale') + count('malfunction');
  const wins = executions.filter(({ outcome, simulatedUsd8 }) => outcome === 'won' && simulatedUsd8 > 0n);
  const simulated = wins.reduce((sum, { simulatedUsd8 }) => sum + simulatedUsd8, 0n);
  const realised = wins.reduce(
    (sum, { simulatedUsd8, realisedUsd8 }) => sum + min(simulatedUsd8, realisedUsd8),
    0n,
  );
  const weighed = BigInt(ownSample) * BPS + BigInt(lost) * BigInt(lostRaceWeightBps);
  return {
    sample: ownSample + lost,
    inclusionBps: shareBps(BigInt(won) * BPS, weighed),
    ownSample,
    ownInclusionBps: shareBps(BigInt(won), BigInt(ownSample)),
    won,
    accuracyBps: shareBps(max(0n, realised), simulated),
  };
}

/** What a rate says about the safety state. */
export interface RateVerdict {
  readonly cause: Extract<Cause, 'inclusion' | 'accuracy'>;
  /** undefined: the rate is well, or of too few executions to count. */
  readonly level: Level | undefined;
  readonly reason: string;
  readonly numbers: Numbers;
}

/**
 * The verdict of each rate. Only what failed without a rival halts. Lost races count, with their weight,
 * where they throttle.
 */
export function verdictsOf(rates: ExecutionRates, limits: RateLimits): readonly RateVerdict[] {
  const { sample, inclusionBps, ownSample, ownInclusionBps, won, accuracyBps } = rates;
  const least = limits.minRateSample;
  const below = (bps: number | undefined, of: number, limitBps: number): boolean =>
    of >= least && bps !== undefined && bps < limitBps;
  const halts = below(ownInclusionBps, ownSample, limits.haltInclusionBps);
  const inclusion = halts ? ownInclusionBps : inclusionBps;
  const inaccurate = below(accuracyBps, won, limits.haltAccuracyBps);
  return [
    {
      cause: 'inclusion',
      level: halts
        ? 'HALTED'
        : below(inclusionBps, sample, limits.throttleInclusionBps)
          ? 'THROTTLED'
          : undefined,
      reason: `${percent(inclusion)} of the last ${halts ? ownSample : sample} transactions did what they should${halts ? '; lost races are not counted' : ''}; at least ${percent(halts ? limits.haltInclusionBps : limits.throttleInclusionBps)} was expected`,
      numbers: { inclusionBps: inclusionBps ?? '-', ownInclusionBps: ownInclusionBps ?? '-', sample },
    },
    {
      cause: 'accuracy',
      level: inaccurate
        ? 'HALTED'
        : below(accuracyBps, won, limits.throttleAccuracyBps)
          ? 'THROTTLED'
          : undefined,
      reason: `the last ${won} wins brought ${percent(accuracyBps)} of the profit that was simulated; at least ${percent(inaccurate ? limits.haltAccuracyBps : limits.throttleAccuracyBps)} was expected`,
      numbers: { accuracyBps: accuracyBps ?? '-', sample: won },
    },
  ];
}

function shareBps(part: bigint, whole: bigint): number | undefined {
  return whole === 0n ? undefined : Number((part * BPS) / whole);
}

/** For display only. */
function percent(bps: number | undefined): string {
  return bps === undefined ? '-' : `${(bps / 100).toFixed(1)} %`;
}
