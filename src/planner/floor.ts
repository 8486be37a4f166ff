import type { Asset } from '../domain/opportunity.js';
import { amountWorth, BPS, max, min, mulDivFloor } from '../domain/money.js';
import type { Simulation } from '../domain/plan.js';

/**
 * The least profit, in collateral units, at which the contract may complete: enough for the profit floor and every cost
 * (both in `floorAndCostsUsd8`, but not more than was simulated), and no less than the simulated profit after `slippageBps` of the swapped amount.
 * Rounded up, and at least 1, as the contract wants it. The simulation itself has passed it: only a market that turned fails it.
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
