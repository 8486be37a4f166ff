import { amountWorth, BPS, max, mulDivFloor } from '../domain/money.js';
import type { Quote } from './quotes.js';

/**
 * The least profit, in collateral units, at which the contract may complete: enough for the profit floor and every cost
 * (both USD8), and no less than the quote after `slippageBps` of the swapped amount. Rounded up.
 */
export function onChainFloor(quote: Quote, floorAndCostsUsd8: bigint, slippageBps: number): bigint {
  const worth = amountWorth(floorAndCostsUsd8, quote.candidate.collateral);
  const tolerated = mulDivFloor(quote.input, BigInt(slippageBps), BPS);
  return max(worth, quote.profit - tolerated);
}
