import type { Asset } from '../domain/opportunity.js';
import { amountWorth, BPS, max, min, mulDivFloor } from '../domain/money.js';

/**
 * The least profit, in units of the profit token, with which the contract may complete: the larger of two
 * amounts.
 * - what pays for the profit floor and every cost (`floorAndCostsUsd8`), but not more than was simulated;
 * - the simulated profit less `slippageBps` of the swapped amount.
 *
 * Rounded up, and at least 1, as the contract requires. The simulation met it; only a market that moved fails
 * it.
 *
 * @param profit as simulated, units of the profit token.
 * @param swapped what the pools took or gave of the profit token; without pools what was seized.
 */
export function onChainFloor(
  profit: bigint,
  swapped: bigint,
  profitAsset: Asset,
  floorAndCostsUsd8: bigint,
  slippageBps: number,
): bigint {
  const tolerated = mulDivFloor(max(swapped, 0n), BigInt(slippageBps), BPS);
  const paysForAll = min(amountWorth(floorAndCostsUsd8, profitAsset), profit);
  return max(max(paysForAll, profit - tolerated), 1n);
}
