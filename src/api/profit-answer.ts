import type { ExecutionStatus, PeriodFigures, SendTimes, StepFigures } from '../database/index.js';
import { formatUnits } from '../domain/money.js';
import { NO_OUTCOMES } from '../domain/outcome-tally.js';

/** A point of the course of the profit. The sums run from the beginning of the period. */
export interface ProfitPointAnswer {
  readonly at: string;
  /** After all costs: of what was won, and of the plans of a dry run. */
  readonly simulatedUsd: string;
  /** After all fees, by the receipts. */
  readonly realisedUsd: string;
  /** Paid for transactions that won nothing. */
  readonly lostFeesUsd: string;
}

/** How often something was the reason. */
export interface CountedAnswer {
  readonly what: string;
  readonly count: number;
}

/** GET /api/v1/profit: what a period brought. Of all wallets of the chain. */
export interface ProfitAnswer {
  readonly from: string;
  readonly to: string;
  /** At most 300. Empty while nothing came of anything. */
  readonly points: readonly ProfitPointAnswer[];
  /** The last point, or nothing. */
  readonly simulatedUsd: string;
  readonly realisedUsd: string;
  readonly lostFeesUsd: string;
  /** What was decided in the period, by what was done. */
  readonly decisions: {
    /** All of them: plans that were simulated. */
    readonly simulated: number;
    /** Left, for a reason. */
    readonly left: number;
    readonly dryRun: number;
    /** Signed, whatever became of it. */
    readonly signed: number;
  };
  /** What was settled in the period. */
  readonly outcomes: {
    readonly won: number;
    readonly lost: number;
    readonly stale: number;
    readonly refused: number;
    readonly malfunction: number;
  };
  /** The most frequent first. */
  readonly leftBecause: readonly CountedAnswer[];
  /** Accounts that were first, the most frequent first. */
  readonly rivals: readonly CountedAnswer[];
  /** From the arrival of a head until a transaction was handed over. Null while nothing was sent. */
  readonly headToSend: {
    readonly p50Us: number | null;
    readonly p99Us: number | null;
    readonly sample: number;
  };
}

export interface Profit {
  readonly from: Date;
  readonly to: Date;
  readonly steps: readonly StepFigures[];
  readonly figures: PeriodFigures;
  readonly statuses: ReadonlyMap<ExecutionStatus, number>;
  readonly times: SendTimes;
}

/** Of a list of reasons or rivals. */
const MOST_NAMED = 20;

export function profitAnswer({ from, to, steps, figures, statuses, times }: Profit): ProfitAnswer {
  let [simulated, realised, lost] = [0n, 0n, 0n];
  const usd = (usd8: bigint): string => formatUnits(usd8, 8);
  const points = steps.map(({ until, simulatedUsd8, realisedUsd8, lostFeesUsd8 }) => {
    simulated += simulatedUsd8;
    realised += realisedUsd8;
    lost += lostFeesUsd8;
    const at = until.toISOString();
    return { at, simulatedUsd: usd(simulated), realisedUsd: usd(realised), lostFeesUsd: usd(lost) };
  });
  const outcomes = { won: 0, lost: 0, stale: 0, refused: 0, malfunction: 0 } satisfies Record<
    keyof typeof NO_OUTCOMES,
    number
  >;
  for (const { outcome, count } of figures.outcomes) outcomes[outcome] += count;
  const { rejected = 0, 'dry-run': dryRun = 0, planned = 0, ...signed } = Object.fromEntries(statuses);
  const ofSigned = Object.values(signed).reduce((sum, one) => sum + one, 0);
  return {
    from: from.toISOString(),
    to: to.toISOString(),
    points,
    ...{ simulatedUsd: usd(simulated), realisedUsd: usd(realised), lostFeesUsd: usd(lost) },
    decisions: {
      simulated: rejected + dryRun + planned + ofSigned,
      ...{ left: rejected, dryRun, signed: ofSigned },
    },
    outcomes,
    leftBecause: figures.rejections.slice(0, MOST_NAMED),
    rivals: figures.rivals.slice(0, MOST_NAMED),
    headToSend: { p50Us: times.p50Us ?? null, p99Us: times.p99Us ?? null, sample: times.sample },
  };
}
