import { after, refusalOf, type Allowance } from './budget.js';
import { reservationOf, type Spend, type SpendingReason } from './spend.js';
import { weiWithin } from './costs.js';
import type { Rejection } from './decision.js';
import { BPS, max, min, mulDivCeil } from './money.js';

/**
 * The base fee may rise by this factor until inclusion, where the budget allows it. The profit floor on chain
 * pays for it.
 */
export const BASE_FEE_TOLERANCE = 2n;

/** The least that must be offered: the base fee rises by at most 12.5 % a block, so this lasts two blocks. */
const LEAST_TOLERANCE_BPS = 12_700n;

/** Nodes refuse a new transaction without any tip (geth: txpool.pricelimit is 1 wei). Wei per gas. */
const LEAST_BID_PER_GAS = 1n;

/** What a plan would pay if nothing limited it. */
export interface FeeNeed {
  readonly gasLimit: bigint;
  /** Of the planning block. */
  readonly baseFeePerGasWei: bigint;
  /** The most that L1 data and operator may cost. Wei. */
  readonly besideGasWei: bigint;
  readonly bidPerGasWei: bigint;
  /** What it can afford to offer: the share of each bid that is offered now is taken of this. */
  readonly mostBidPerGasWei: bigint;
}

/** The fees with which a plan may be signed. */
export interface Allotment {
  readonly kind: 'allotted';
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  readonly reservation: Spend;
  /** The limit that made the bid lower than it should be. */
  readonly bidLoweredBy: SpendingReason | undefined;
}

/**
 * Divides what may be spent among plans, in their order. First each plan gets the least with which it can be
 * mined, as long as that fits: a bid of one wei, and a base fee that may rise for two blocks. A plan whose
 * least does not fit is refused. What is left then goes to the bids and to a higher tolerance of the base
 * fee. When it is not enough for all, each gets the same share of what it wants: so a large bid does not
 * leave the others unsent.
 */
export function allot(
  needs: readonly FeeNeed[],
  nativePriceUsd8: bigint,
  allowance: Allowance,
): readonly (Allotment | Rejection)[] {
  const bidShare = BigInt(allowance.bidShareBps);
  let left = allowance;
  const wants = needs.map((full): Want | Rejection => {
    const sharePerGasWei = (full.mostBidPerGasWei * bidShare) / BPS;
    const need = { ...full, bidPerGasWei: min(full.bidPerGasWei, sharePerGasWei) };
    const leastWei = feeOf(need, leastPerGas(need));
    const least = reservationOf(leastWei, nativePriceUsd8);
    const refusal = refusalOf(least, left);
    if (refusal) return refusal;
    left = after(left, least);
    const fullWei = feeOf(need, need.baseFeePerGasWei * BASE_FEE_TOLERANCE + need.bidPerGasWei);
    const extraWei = max(0n, min(fullWei, mostOfOne(allowance).wei) - leastWei);
    return { need, leastWei, extraWei };
  });

  const accepted = wants.filter((want) => 'need' in want);
  const wantedWei = accepted.reduce((sum, { extraWei }) => sum + extraWei, 0n);
  // The loss of each is rounded up on its own.
  const rest = sharedBy(left, nativePriceUsd8, BigInt(accepted.length));
  const enough = wantedWei <= rest.wei;
  return wants.map((want) => {
    if (!('need' in want)) return want;
    const { need, leastWei, extraWei } = want;
    const grantedWei = leastWei + (enough ? extraWei : (extraWei * rest.wei) / wantedWei);
    const limit = enough ? mostOfOne(allowance).limit : rest.limit;
    return allotmentOf(need, grantedWei, nativePriceUsd8, limit);
  });
}

interface Want {
  readonly need: FeeNeed;
  readonly leastWei: bigint;
  readonly extraWei: bigint;
}

/** The fees of one plan that may reserve this much. @param limit what would have made its bid lower. */
function allotmentOf(
  need: FeeNeed,
  grantedWei: bigint,
  nativePriceUsd8: bigint,
  limit: SpendingReason,
): Allotment {
  const { gasLimit, baseFeePerGasWei, besideGasWei, bidPerGasWei } = need;
  const perGas = (grantedWei - besideGasWei) / gasLimit;
  const maxPriorityFeePerGas = min(bidPerGasWei, perGas - toleratedBaseFee(need));
  const maxFeePerGas = min(baseFeePerGasWei * BASE_FEE_TOLERANCE + maxPriorityFeePerGas, perGas);
  return {
    kind: 'allotted',
    maxFeePerGas,
    maxPriorityFeePerGas,
    reservation: reservationOf(feeOf(need, maxFeePerGas), nativePriceUsd8),
    bidLoweredBy: maxPriorityFeePerGas < bidPerGasWei ? limit : undefined,
  };
}

function feeOf({ gasLimit, besideGasWei }: FeeNeed, maxFeePerGas: bigint): bigint {
  return gasLimit * maxFeePerGas + besideGasWei;
}

/** The base fee that the least fee still pays. Wei per gas. */
function toleratedBaseFee({ baseFeePerGasWei }: Pick<FeeNeed, 'baseFeePerGasWei'>): bigint {
  return mulDivCeil(baseFeePerGasWei, LEAST_TOLERANCE_BPS, BPS);
}

/** Whether a transaction with these fees can still be mined when the base fee has risen for two blocks. */
export function doFeesLast(
  { maxFeePerGas, maxPriorityFeePerGas }: Pick<Allotment, 'maxFeePerGas' | 'maxPriorityFeePerGas'>,
  baseFeePerGasWei: bigint,
): boolean {
  return maxFeePerGas >= toleratedBaseFee({ baseFeePerGasWei }) + maxPriorityFeePerGas;
}

function leastPerGas(need: FeeNeed): bigint {
  return toleratedBaseFee(need) + min(need.bidPerGasWei, LEAST_BID_PER_GAS);
}

/** What one transaction may reserve, whatever is left for all. */
function mostOfOne({ perTransactionWei, nodeCapWei }: Allowance): Limit {
  return nodeCapWei !== undefined && nodeCapWei < perTransactionWei
    ? { limit: 'fee-above-node-cap', wei: nodeCapWei }
    : { limit: 'fee-above-limit', wei: perTransactionWei };
}

/** What all together may still reserve. @param roundings how often a loss is rounded up. */
function sharedBy(
  { dayWei, walletWei, lossUsd8 }: Allowance,
  nativePriceUsd8: bigint,
  roundings: bigint,
): Limit {
  const limits: readonly Limit[] = [
    { limit: 'daily-loss-reached', wei: weiWithin(max(0n, lossUsd8 - roundings), nativePriceUsd8) },
    { limit: 'wallet-share-reached', wei: walletWei },
  ];
  const day: Limit = { limit: 'daily-fee-reached', wei: dayWei };
  return limits.reduce((least, one) => (one.wei < least.wei ? one : least), day);
}

interface Limit {
  readonly limit: SpendingReason;
  readonly wei: bigint;
}
