import type { Address, Hash } from './hex.js';

/** What tells a position from all others on a chain. */
export interface PositionId {
  /** The contract whose liquidation function is called (Aave: the Pool). */
  readonly market: Address;
  /**
   * Which market of the contract, where the contract has several (Morpho Blue); absent where the contract is
   * the market.
   */
  readonly marketId?: Hash;
  readonly borrower: Address;
}

/** The identity alone, of anything that has one. */
export function positionIdOf({ market, marketId, borrower }: PositionId): PositionId {
  return { market, ...(marketId && { marketId }), borrower };
}

/** The same text for the same position: a key of maps. */
export function positionKey({ market, marketId, borrower }: PositionId): string {
  return marketId ? `${market}-${marketId}-${borrower}` : `${market}-${borrower}`;
}
