import type { Asset } from '../domain/opportunity.js';
import { amountWorth, BPS, max, min, mulDivFloor } from '../domain/money.js';
import type { Simulation } from '../domain/plan.js';

/**
 * The least profit, in collateral units, with which the contract may complete. It is the larger of two
 * amounts:
 * - what pays for the profit floor and every cost (`floorAndCostsUsd8`), but not more than was simulated;
 * - the simulated profit less `slippageBps` of the swapped amount.
 *
 * Rounded up, and at least 1, as the contract requires. The simulation met it; only a market that moved fails
 * it.
 */
export function onChainFloor(
  { swapInput, profit }: Pick<Simulation, 'swapInput' | 'profit'>,
  collateral: Asset,
  floorAndCostsUsd8: bigint,
  slippageBps: number,
): bigint {
  const tolerated = mulDivFloor(max(swapInput, 0n), BigInt(slippageBps), BPS);
  const paysForAll = min(amountWorth(floorAndCostsUsd8, collateral), profit);
  return max(max(paysForAll, profit - tolerated), 1n);
}
