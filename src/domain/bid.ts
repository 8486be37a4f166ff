import { BPS, max, min } from './money.js';

export interface BidPolicy {
  readonly baseBribeBps: number;
  readonly maxBribeBps: number;
  readonly minProfitUsd8: bigint;
}

/** From this multiple of the floor on, every rival is assumed to bid, and the bid is at its maximum. */
const FULL_COMPETITION_MULTIPLE = 10n;

/**
 * How much of the margin (gross profit less unavoidable costs, USD8) to offer for inclusion. A larger profit
 * has more rivals, so the share rises linearly from `baseBribeBps` at the floor to `maxBribeBps` at ten
 * floors. A bid never takes the net profit below the floor. Rounded down.
 *
 * @returns USD8, or undefined when the margin is below the floor even without a bid.
 */
export function bidUsd8(marginUsd8: bigint, policy: BidPolicy): bigint | undefined {
  const floor = policy.minProfitUsd8;
  if (marginUsd8 < floor || marginUsd8 <= 0n) return undefined;
  const base = BigInt(policy.baseBribeBps);
  const span = BigInt(policy.maxBribeBps) - base;
  const rangeUsd8 = floor * (FULL_COMPETITION_MULTIPLE - 1n);
  const progressUsd8 = min(marginUsd8 - floor, rangeUsd8);
  const shareBps = rangeUsd8 === 0n ? base + span : base + (span * progressUsd8) / rangeUsd8;
  return max(0n, min((marginUsd8 * shareBps) / BPS, marginUsd8 - floor));
}
