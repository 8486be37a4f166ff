import type { Address } from '../../domain/hex.js';
import type { Hop } from '../../domain/route.js';
import type { Read } from '../../rpc/chain/read.js';
import type { TokenPair } from '../pool.js';
import type { AskedPool } from '../venue.js';
import { depthRead, inputForRead } from './reads.js';

/** One pool of Uniswap v3. Its quoter computes what it would do: each answer is a call. */
export class UniswapV3Pool implements AskedPool {
  constructor(
    readonly address: Address,
    readonly tokens: TokenPair,
    private readonly feePips: number,
    private readonly quoter: Address,
    /** A quote of it took more gas than a pool in use ever takes. */
    private readonly onCostly: () => void,
  ) {}

  amountIn(tokenIn: Address, amountOut: bigint, worthIn: bigint): Read<bigint | undefined> {
    return inputForRead(this.quoter, this.swapOf(tokenIn), amountOut, worthIn, this.onCostly);
  }

  depth(tokenIn: Address, worthIn: bigint, worthOut: bigint): Read<bigint> {
    return depthRead(this.quoter, this.swapOf(tokenIn), worthIn, worthOut, this.onCostly);
  }

  hop(tokenIn: Address): Hop {
    const swap = this.swapOf(tokenIn);
    return { venue: 'uniswap-v3', pool: this.address, ...swap, parameter: this.feePips };
  }

  private swapOf(tokenIn: Address): Pick<Hop, 'tokenIn' | 'tokenOut' | 'feePips'> {
    const [a, b] = this.tokens;
    return { tokenIn, tokenOut: tokenIn === a ? b : a, feePips: this.feePips };
  }
}
