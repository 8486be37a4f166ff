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
export function positionIdOf(one: PositionId): PositionId {
  const { market, borrower } = one;
  return { market, ...marketIdOf(one), borrower };
}

/** The part of the identity that most positions lack: to be spread. */
export function marketIdOf({ marketId }: Pick<PositionId, 'marketId'>): Pick<PositionId, 'marketId'> {
  return marketId ? { marketId } : {};
}

/** The same text for the same position: a key of maps. */
export function positionKey({ market, marketId, borrower }: PositionId): string {
  return marketId ? `${market}-${marketId}-${borrower}` : `${market}-${borrower}`;
}
