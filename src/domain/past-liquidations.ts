import type { Address, Hash } from './hex.js';

/** A liquidation by any account, as the logs of a market tell it. */
export interface PastLiquidation {
  readonly transactionHash: Hash;
  readonly blockNumber: number;
  readonly blockHash: Hash;
}

/** One position, in blocks of the chain. */
export interface LiquidationSearch {
  /** The configured name of the protocol. */
  readonly protocol: string;
  /** The contract whose liquidation function is called (Aave: the Pool). */
  readonly market: Address;
  readonly borrower: Address;
  /** Both included. */
  readonly fromBlock: number;
  readonly toBlock: number;
}

/** Which liquidations of a position have happened. Each lending family knows its own logs. */
export abstract class PastLiquidations {
  /** In the order of the chain. @throws RpcError when the chain could not be asked. */
  abstract find(search: LiquidationSearch): Promise<readonly PastLiquidation[]>;
}
