import { weiWithin } from './costs.js';
import { BPS, max, min } from './money.js';

/** The rules by which a bid is made, as the configuration names them. */
export const BID_MODELS = ['by-size', 'by-inclusion', 'least-that-wins'] as const;

export type BidModel = (typeof BID_MODELS)[number];

export interface BidPolicy {
  readonly baseBribeBps: number;
  readonly maxBribeBps: number;
  readonly minProfitUsd8: bigint;
}

/** A plan, as far as its bid depends on it. */
export interface BidQuestion {
  /** Value of the profit before all costs. */
  readonly grossProfitUsd8: bigint;
  /** The gross profit less all costs but the bid. */
  readonly marginUsd8: bigint;
  /** Over so much gas the bid is spread. */
  readonly gasUsed: bigint;
  readonly nativePriceUsd8: bigint;
}

/** What is offered for a place in a block, before any limit. */
export interface Bid {
  readonly model: BidModel;
  /** Wei per gas, rounded down. */
  readonly perGasWei: bigint;
  /** What the plan can afford to offer. Wei per gas, rounded down; never below `perGasWei`. */
  readonly mostPerGasWei: bigint;
  /** For an operator. */
  readonly why: string;
}

/** @returns undefined when the plan is below the profit floor even without a bid. */
export type Bidder = (question: BidQuestion) => Bid | undefined;

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

/** The model `by-size`: {@link bidUsd8}. */
export function bySize(policy: BidPolicy): Bidder {
  return ({ marginUsd8, gasUsed, nativePriceUsd8 }) => {
    const usd8 = bidUsd8(marginUsd8, policy);
    if (usd8 === undefined) return undefined;
    const perGasWei = weiWithin(usd8, nativePriceUsd8) / gasUsed;
    const shareBps = (usd8 * BPS) / marginUsd8;
    const why = `${percentOf(shareBps)} of the margin, by its size`;
    return { model: 'by-size', perGasWei, mostPerGasWei: perGasWei, why };
  };
}

/**
 * The model `by-inclusion`: a share of the gross profit, whatever its size. It never takes the net profit
 * below the floor. Rounded down.
 */
export function byInclusion(shareBps: number, { minProfitUsd8 }: Pick<BidPolicy, 'minProfitUsd8'>): Bidder {
  return ({ grossProfitUsd8, marginUsd8, gasUsed, nativePriceUsd8 }) => {
    if (marginUsd8 < minProfitUsd8 || marginUsd8 <= 0n) return undefined;
    const wanted = (grossProfitUsd8 * BigInt(shareBps)) / BPS;
    const usd8 = min(wanted, marginUsd8 - minProfitUsd8);
    const perGasWei = weiWithin(usd8, nativePriceUsd8) / gasUsed;
    const share = `${percentOf(BigInt(shareBps))} of the gross profit`;
    const why = usd8 < wanted ? `${share}, less what the profit floor needs` : share;
    return { model: 'by-inclusion', perGasWei, mostPerGasWei: perGasWei, why };
  };
}

/** Whatever the model: on a chain that takes what comes first, a tip is given away. */
export function withoutTip({
  bidModel,
  minProfitUsd8,
}: { readonly bidModel: BidModel } & Pick<BidPolicy, 'minProfitUsd8'>): Bidder {
  const bid: Bid = {
    model: bidModel,
    perGasWei: 0n,
    mostPerGasWei: 0n,
    why: 'the chain does not order by tips',
  };
  return ({ marginUsd8 }) => (marginUsd8 < minProfitUsd8 || marginUsd8 <= 0n ? undefined : bid);
}

/** "15 %", "37.5 %". For display only. */
export function percentOf(bps: bigint): string {
  return `${Number(bps) / 100} %`;
}
