import { chainDescription } from '../../domain/chain-description.js';
import type { Address, Hash } from '../../domain/hex.js';
import type { Chain } from '../../rpc/chain/chain.js';
import { each, readAt, together } from '../../rpc/chain/read.js';
import { agreedAccounts } from '../agreed-accounts.js';
import { borrowersOf, borrowFilter } from './borrowers.js';
import type { CompoundAccount, CompoundMarket, MarketConditions } from './market.js';
import {
  accountRead,
  clockRead,
  comptrollerRead,
  mTokenRead,
  priceRead,
  stateRead,
  underlyingRead,
} from './reads.js';

/** An account costs a node some 15,000 gas a market. A call with so many stays well below a cap of 50M. */
const CALLS_AT_ONCE = 2_500;

/** History is read from the archive endpoint, when one is configured. Such an answer takes longer. */
const HISTORY = { archive: true, deadlineMs: 15_000 } as const;

/** Reads a Comptroller, its markets and accounts from the chain, every answer pinned to one block. */
export class CompoundV2Reader {
  constructor(private readonly chain: Chain) {}

  /** The terms at a block. @throws RetryError */
  async market(name: string, comptroller: Address, block: Hash): Promise<CompoundMarket> {
    const { chain } = this;
    const { markets, ...terms } = await readAt(chain, comptrollerRead(name, comptroller), block);
    const [underlying, clocks] = await readAt(
      chain,
      together(each(markets.map(underlyingRead)), each(markets.slice(0, 1).map(clockRead))),
      block,
    );
    const { wrappedNative } = chainDescription(chain.chainId);
    const mTokens = await readAt(
      chain,
      each(
        markets.map((address, id) => {
          const asset = underlying[id];
          return mTokenRead(comptroller, { id, address, asset: asset ?? wrappedNative, isNative: !asset });
        }),
      ),
      block,
    );
    return {
      ...{ name, comptroller, ...terms },
      clock: clocks[0] ?? 'block',
      mTokens: new Map(mTokens.map((mToken) => [mToken.id, mToken])),
    };
  }

  /** All states and prices at a block. @param at {@link MarketConditions.at} */
  async conditions(market: CompoundMarket, at: bigint, block: Hash): Promise<MarketConditions> {
    const mTokens = [...market.mTokens.values()];
    const [states, prices] = await readAt(
      this.chain,
      together(
        each(mTokens.map(({ address }) => stateRead(address, market.clock))),
        each(mTokens.map(({ address }) => priceRead(market.oracle, address))),
      ),
      block,
    );
    const known = <T>(values: readonly (T | undefined)[]): ReadonlyMap<number, T> =>
      new Map(
        mTokens.flatMap(({ id }, index) => {
          const value = values[index];
          return value === undefined ? [] : [[id, value] as const];
        }),
      );
    return { at, states: known(states), prices: known(prices) };
  }

  /** The accounts as they stand at a block, in the order given. @throws RetryError */
  accounts(market: CompoundMarket, addresses: readonly Address[], block: Hash): Promise<CompoundAccount[]> {
    const reads = each(addresses.map((address) => accountRead(market, address)));
    return readAt(this.chain, reads, block, { chunk: CALLS_AT_ONCE });
  }

  /** See {@link agreedAccounts}. @throws RetryError when no endpoint answers. */
  agreedAccounts(
    market: CompoundMarket,
    addresses: readonly Address[],
    block: Hash,
  ): Promise<CompoundAccount[]> {
    const read = each(addresses.map((address) => accountRead(market, address)));
    const fromOne = (): Promise<CompoundAccount[]> => this.accounts(market, addresses, block);
    return agreedAccounts(this.chain, { read, count: addresses.length }, block, fromOne);
  }

  /** Every account that took debt in a range of blocks, both ends included. */
  async borrowers(market: CompoundMarket, fromBlock: number, toBlock: number): Promise<Set<Address>> {
    const { addresses, topics } = borrowFilter(market);
    return borrowersOf(await this.chain.getLogs({ fromBlock, toBlock }, addresses, topics, HISTORY));
  }
}
