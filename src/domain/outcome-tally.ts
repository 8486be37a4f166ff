import { BPS } from './money.js';
import type { Outcome } from './outcome.js';

/** One outcome as the tally counts it. */
export interface Counted {
  readonly outcome: Outcome;
  /** Everything that was paid. Wei. */
  readonly feesWei: bigint;
  /** After all fees; negative when only fees were paid. USD with 8 decimals. */
  readonly profitUsd8: bigint;
}

/** All outcomes of one kind. */
export interface OutcomeTotal {
  readonly count: number;
  readonly feesWei: bigint;
  readonly profitUsd8: bigint;
}

export type OutcomeTotals = Readonly<Record<Outcome, OutcomeTotal>>;

const NONE: OutcomeTotal = { count: 0, feesWei: 0n, profitUsd8: 0n };
export const NO_OUTCOMES: OutcomeTotals = {
  ...{ won: NONE, lost: NONE, stale: NONE, refused: NONE, malfunction: NONE },
};

/** @param times -1 takes it back. */
export function counted(
  totals: OutcomeTotals,
  { outcome, feesWei, profitUsd8 }: Counted,
  times: 1 | -1 = 1,
): OutcomeTotals {
  const before = totals[outcome];
  const sign = BigInt(times);
  return {
    ...totals,
    [outcome]: {
      count: before.count + times,
      feesWei: before.feesWei + sign * feesWei,
      profitUsd8: before.profitUsd8 + sign * profitUsd8,
    },
  };
}

export interface OutcomeSummary {
  readonly counts: Readonly<Record<Outcome, number>>;
  /** won / (won + lost), rounded down; undefined while there is neither. */
  readonly winRateBps: number | undefined;
  /** What everything paid that won nothing. */
  readonly lossesWei: bigint;
  readonly lossesUsd8: bigint;
}

export function summaryOf(totals: OutcomeTotals): OutcomeSummary {
  const { won, lost, stale, refused, malfunction } = totals;
  const races = won.count + lost.count;
  const losing = [lost, stale, refused, malfunction];
  return {
    counts: {
      won: won.count,
      lost: lost.count,
      stale: stale.count,
      refused: refused.count,
      malfunction: malfunction.count,
    },
    winRateBps: races === 0 ? undefined : Number((BigInt(won.count) * BPS) / BigInt(races)),
    lossesWei: losing.reduce((sum, { feesWei }) => sum + feesWei, 0n),
    lossesUsd8: losing.reduce((sum, { profitUsd8 }) => sum - profitUsd8, 0n),
  };
}
