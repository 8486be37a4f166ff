import type { Address, Hash } from '../domain/hex.js';
import type { Chain } from '../rpc/chain/chain.js';
import { each, type Read, readAt } from '../rpc/chain/read.js';
import { depthRead, FEE_TIERS, inputForRead, poolRead, type UniswapV3Pool } from './uniswap-v3.js';

export interface UniswapV3Addresses {
  readonly factory: Address;
  readonly quoter: Address;
}

/** Uniswap v3 as a place that lends the debt token by flash swap and takes the collateral for it. */
export class UniswapV3Venue {
  private readonly pools = new Map<string, readonly UniswapV3Pool[]>();

  constructor(
    private readonly chain: Chain,
    private readonly addresses: UniswapV3Addresses,
  ) {}

  /** The pools of these pairs, looked up once a pair: a pool's address never changes, and a new tier is rare. */
  async findPools(pairs: readonly (readonly [Address, Address])[], block: Hash): Promise<void> {
    const unknown = new Map(
      pairs.filter(([a, b]) => a !== b && !this.pools.has(key(a, b))).map((pair) => [key(...pair), pair]),
    );
    if (unknown.size === 0) return;
    const found = await readAt(
      this.chain,
      each(
        [...unknown.values()].map(([a, b]) =>
          each(FEE_TIERS.map((fee) => poolRead(this.addresses.factory, a, b, fee))),
        ),
      ),
      block,
    );
    for (const [index, name] of [...unknown.keys()].entries())
      this.pools.set(
        name,
        (found[index] ?? []).filter((pool): pool is UniswapV3Pool => pool !== undefined),
      );
  }

  /** The pools of a pair that {@link findPools} was asked for; none for a token against itself. */
  poolsOf(a: Address, b: Address): readonly UniswapV3Pool[] {
    return this.pools.get(key(a, b)) ?? [];
  }

  /** See {@link inputForRead}. */
  inputFor(
    pool: UniswapV3Pool,
    tokenIn: Address,
    tokenOut: Address,
    amountOut: bigint,
  ): Read<bigint | undefined> {
    return inputForRead(this.addresses.quoter, tokenIn, tokenOut, pool.feePips, amountOut);
  }

  /** See {@link depthRead}. */
  depth(
    pool: UniswapV3Pool,
    tokenIn: Address,
    tokenOut: Address,
    worthIn: bigint,
    worthOut: bigint,
  ): Read<bigint> {
    return depthRead(this.addresses.quoter, tokenIn, tokenOut, pool.feePips, worthIn, worthOut);
  }
}

const key = (a: Address, b: Address): string => (a < b ? `${a}-${b}` : `${b}-${a}`);
