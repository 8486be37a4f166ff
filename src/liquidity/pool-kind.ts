import type { Address, Hash } from '../domain/hex.js';
import type { RawLog } from '../rpc/chain/chain-answers.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { Read } from '../rpc/chain/read.js';
import type { Pool, TokenPair } from './pool.js';

/** A factory of pools, as it is configured. */
export interface Venue {
  /** Its name in the configuration and in routes, for instance "uniswap-v3". */
  readonly name: string;
  readonly factory: Address;
  /** Our contract was deployed with this factory: its steps need not name it. */
  readonly isBuiltIn: boolean;
}

/** Where a pool is and what it trades. Its state is not known yet. */
export interface FoundPool {
  readonly address: Address;
  readonly venue: Venue;
  /** In the order of the contract: token0, token1. */
  readonly tokens: TokenPair;
  /** As in a {@link Hop}. */
  readonly parameter: number;
}

/** How pools of one kind are found, read and followed. One for each family of maths. */
export interface PoolKind {
  /** What the factory distinguishes the pools of two tokens by. */
  readonly parameters: readonly number[];
  /** The pool of two tokens, or undefined where the factory has none. */
  lookUp(factory: Address, tokens: TokenPair, parameter: number): Read<Address | undefined>;
  /** The first topics of the logs that change a pool's state. */
  readonly topics: readonly Hash[];
  /** @throws TypeError or RangeError when a log of these topics is malformed. */
  check(log: RawLog): void;
  /** The state after a log of the pool. */
  apply(pool: Pool, log: RawLog): Pool;
  /**
   * The states at a block; undefined for a pool that cannot trade.
   *
   * @throws RpcError
   */
  read(chain: Chain, found: readonly FoundPool[], block: Hash): Promise<readonly (Pool | undefined)[]>;
  /**
   * Asked at a head, because no log tells it: the fee. The value puts what was answered into the state at
   * that head. It has no calls where logs tell everything.
   */
  floating(found: FoundPool): Read<(pool: Pool) => Pool>;
  /** Compares the state at the head with what the chain says there, by a few words of it. */
  sameness(found: FoundPool): Read<(pool: Pool) => boolean>;
}
