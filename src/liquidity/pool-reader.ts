import { id } from 'ethers';
import type { ChimeraConfig } from '../config/index.js';
import { addressWord, uintAt, type Address, type Hash, type Hex } from '../domain/hex.js';
import type { Chain } from '../rpc/chain/chain.js';
import { each, readAt, type Read } from '../rpc/chain/read.js';
import { POOL_KINDS, type PoolKindName } from './pool-kinds.js';
import type { FoundPool, Venue } from './pool-kind.js';
import { pairKey, type Pool, type TokenPair } from './pool.js';

const BALANCE_OF = id('balanceOf(address)').slice(0, 10) as Hex;

/** A factory that the configuration names. */
export interface ConfiguredVenue extends Venue {
  readonly kind: PoolKindName;
}

/** A pool with the factory that it is of. */
export interface KnownPool extends FoundPool {
  readonly venue: ConfiguredVenue;
}

/** Uniswap's factory, and those that the configuration names beside it. */
export function venuesOf({
  uniswapV3,
  factories,
}: Pick<ChimeraConfig['liquidity'], 'uniswapV3' | 'factories'>): ConfiguredVenue[] {
  const { factory } = uniswapV3;
  return [
    { name: 'uniswap-v3', kind: 'uniswap-v3', factory, isBuiltIn: true },
    ...factories.map(({ name, kind, factory: of }) => ({ name, kind, factory: of, isBuiltIn: false })),
  ];
}

/** Asks the chain for pools and their states. It keeps nothing. */
export class PoolReader {
  constructor(
    private readonly chain: Chain,
    readonly venues: readonly ConfiguredVenue[],
  ) {}

  /** The pools of these pairs, in a fixed order. @throws RpcError */
  async find(pairs: readonly TokenPair[], block: Hash): Promise<readonly KnownPool[]> {
    const sorted = pairs.map(([a, b]): TokenPair => (a < b ? [a, b] : [b, a]));
    const wanted = sorted.flatMap((tokens) =>
      this.venues.flatMap((venue) =>
        POOL_KINDS[venue.kind].parameters.map((parameter) => ({
          venue,
          tokens,
          parameter,
        })),
      ),
    );
    const addresses = await readAt(
      this.chain,
      each(
        wanted.map(({ venue, tokens, parameter }) =>
          POOL_KINDS[venue.kind].lookUp(venue.factory, tokens, parameter),
        ),
      ),
      block,
    );
    return wanted.flatMap((one, index) => {
      const address = addresses[index];
      return address === undefined ? [] : [{ ...one, address }];
    });
  }

  /** Units of both tokens that each pool holds; undefined where a token does not tell. @throws RpcError */
  balances(
    pools: readonly KnownPool[],
    block: Hash,
  ): Promise<readonly (readonly [bigint | undefined, bigint | undefined])[]> {
    return readAt(
      this.chain,
      each(
        pools.map(
          ({ address, tokens: [token0, token1] }): Read<[bigint | undefined, bigint | undefined]> => ({
            calls: [token0, token1].map((to) => ({ to, data: `${BALANCE_OF}${addressWord(address)}` })),
            decode: (results) => {
              const [first, second] = results.map(({ success, data }) =>
                success && data.length >= 66 ? uintAt(data, 0) : undefined,
              );
              return [first, second];
            },
          }),
        ),
      ),
      block,
    );
  }

  /** The states of pools at a block; undefined for one that cannot trade. @throws RpcError */
  async states(pools: readonly KnownPool[], block: Hash): Promise<ReadonlyMap<Address, Pool | undefined>> {
    const byKind = new Map<PoolKindName, KnownPool[]>();
    for (const pool of pools) byKind.set(pool.venue.kind, [...(byKind.get(pool.venue.kind) ?? []), pool]);
    const read = await Promise.all(
      [...byKind].map(async ([kind, own]) => {
        const states = await POOL_KINDS[kind].read(this.chain, own, block);
        return own.map(({ address }, index) => [address, states[index]] as const);
      }),
    );
    return new Map(read.flat());
  }
}

/** Every pair of two different tokens. */
export function pairsOf(tokens: readonly Address[]): TokenPair[] {
  const pairs = new Map<string, TokenPair>();
  for (const [index, a] of tokens.entries())
    for (const b of tokens.slice(index + 1)) if (a !== b) pairs.set(pairKey([a, b]), [a, b]);
  return [...pairs.values()];
}
