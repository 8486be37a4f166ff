import type { LiquidationPair } from '../domain/opportunity.js';
import { gasOf } from '../protocols/market-kinds.js';

/** More pools than one, a loan, or a second debt take up to so much beside the liquidation itself. */
const GAS_BESIDE = 350_000n;
/** What a further liquidation saves: the base cost of the transaction, and storage that is warm by then. */
const GAS_SHARED = 100_000n;
/** What the first one takes more than by itself: its calldata, and what is done once for all of them. */
const GAS_OF_START = 50_000n;

/** The most that a liquidation of this pair is assumed to burn before its simulation tells. */
export function gasBeforeSimulation(pair: Pick<LiquidationPair, 'terms'>): bigint {
  return gasOf(pair) + GAS_BESIDE;
}

/** What the transaction of one liquidation burns, over one pool. */
export function gasOfFirst(pair: Pick<LiquidationPair, 'terms'>): bigint {
  return gasOf(pair) + GAS_OF_START;
}

/** What one more liquidation burns in a transaction: on Aave 250,000, measured by bench:gas. */
export function gasOfFurther(pair: Pick<LiquidationPair, 'terms'>): bigint {
  return gasOf(pair) - GAS_SHARED;
}
