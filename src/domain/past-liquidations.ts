import type { Hash } from './hex.js';
import type { PositionId } from './position-id.js';

/** A liquidation by any account, as the logs of a market tell it. */
export interface PastLiquidation {
  readonly transactionHash: Hash;
  readonly blockNumber: number;
  readonly blockHash: Hash;
}

/** One position, in blocks of the chain. */
export interface LiquidationSearch extends PositionId {
  /** The configured name of the protocol. */
  readonly protocol: string;
  /** Both included. */
  readonly fromBlock: number;
  readonly toBlock: number;
}

/** Which liquidations of a position have happened. Each lending family knows its own logs. */
export abstract class PastLiquidations {
  /** In the order of the chain. @throws RpcError when the chain could not be asked. */
  abstract find(search: LiquidationSearch): Promise<readonly PastLiquidation[]>;
}
