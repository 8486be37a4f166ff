import { bidUsd8, type BidPolicy, type Bidder } from '../domain/bid.js';
import { weiWithin } from '../domain/costs.js';
import { formatUnits, max, min } from '../domain/money.js';
import { sizeOf, tipFor, type RaceLevels } from './race-levels.js';

/** What transactions paid in the chain's recent blocks: medians over the blocks. Wei per gas. */
export interface TipsOfChain {
  /** Half of the gas of a block paid no more. */
  readonly usualWei: bigint;
  /** Nine tenths of it paid no more. */
  readonly highWei: bigint;
}

/** Nodes refuse a new transaction without any tip (geth: txpool.pricelimit is 1 wei). Wei per gas. */
const LEAST_TIP_WEI = 1n;

/**
 * The model `least-that-wins`: what the races of this size say, and at least what is usual on the chain.
 * Before the first race: what nine tenths of the chain's gas does not exceed. Never more than `by-size` would
 * offer, and so never so much that the net profit is below the floor. All in wei per gas, rounded down.
 */
export function leastThatWins(policy: BidPolicy, levels: RaceLevels, chain: TipsOfChain | undefined): Bidder {
  return ({ grossProfitUsd8, marginUsd8, gasUsed, nativePriceUsd8 }) => {
    const mostUsd8 = bidUsd8(marginUsd8, policy);
    if (mostUsd8 === undefined) return undefined;
    const mostPerGasWei = weiWithin(mostUsd8, nativePriceUsd8) / gasUsed;
    const learnedWei = tipFor(levels, sizeOf(grossProfitUsd8, policy.minProfitUsd8));
    const chainWei = (learnedWei === undefined ? chain?.highWei : chain?.usualWei) ?? 0n;
    const wantedWei = max(LEAST_TIP_WEI, max(learnedWei ?? 0n, chainWei));
    const perGasWei = min(wantedWei, mostPerGasWei);
    const why = [reasonFor(wantedWei, learnedWei, chainWei)];
    if (perGasWei < wantedWei) why.push(`no more than by-size: ${gwei(mostPerGasWei)}`);
    return { model: 'least-that-wins', perGasWei, mostPerGasWei, why: why.join('; ') };
  };
}

function reasonFor(wantedWei: bigint, learnedWei: bigint | undefined, chainWei: bigint): string {
  if (learnedWei === wantedWei) return `${gwei(wantedWei)}, by the races of its size`;
  if (chainWei === wantedWei)
    return learnedWei === undefined
      ? `${gwei(wantedWei)}, a high tip of the recent blocks: there was no race yet`
      : `${gwei(wantedWei)}, the usual tip of the recent blocks: races needed less`;
  return 'the least tip that nodes take: nothing is known of others';
}

/** For display only. */
function gwei(wei: bigint): string {
  return `${formatUnits(wei, 9)} gwei`;
}
