import { id } from 'ethers';
import { addressAt, addressWord, uintAt, uintWord, type Address, type Hex } from '../../domain/hex.js';
import type { Hop } from '../../domain/route.js';
import type { Read } from '../../rpc/chain/read.js';
import type { TokenPair } from '../venue.js';
import { sqrtPriceLimit } from './price-limit.js';

/** Calls of the factory (v3-core 1.0.1) and of QuoterV2 (v3-periphery). */

/** The fee tiers of the factory, in pips. */
export const FEE_TIERS = [100, 500, 3000, 10_000] as const;
/** More than any pool holds: an exact-input quote of this much runs to its price limit. */
const UNBOUNDED_INPUT = 1n << 120n;

const selector = (signature: string): Hex => id(signature).slice(0, 10) as Hex;
const GET_POOL = selector('getPool(address,address,uint24)');
const QUOTE_OUTPUT = selector('quoteExactOutputSingle((address,address,uint256,uint24,uint160))');
const QUOTE_INPUT = selector('quoteExactInputSingle((address,address,uint256,uint24,uint160))');

type Swap = Pick<Hop, 'tokenIn' | 'tokenOut' | 'feePips'>;

/** The pool of a tier, or undefined where the factory has none. */
export function poolRead(factory: Address, [a, b]: TokenPair, feePips: number): Read<Address | undefined> {
  return {
    calls: [{ to: factory, data: `${GET_POOL}${addressWord(a)}${addressWord(b)}${uintWord(feePips)}` }],
    decode: ([result]) => {
      if (!result?.success) return undefined;
      const address = addressAt(result.data, 0);
      return /^0x0+$/.test(address) ? undefined : address;
    },
  };
}

/**
 * Input units that the pool takes for exactly `amountOut` output units (QuoterV2.quoteExactOutputSingle);
 * undefined where the pool cannot deliver it.
 */
export function inputForRead(quoter: Address, swap: Swap, amountOut: bigint): Read<bigint | undefined> {
  return {
    calls: [{ to: quoter, data: `${QUOTE_OUTPUT}${quoteParams(swap, amountOut, 0n)}` }],
    decode: ([result]) => (result?.success ? uintAt(result.data, 0) : undefined),
  };
}

/**
 * Output units that the pool gives until one more output unit would cost more than `worthIn / worthOut` input
 * units, pool fee included (QuoterV2.quoteExactInputSingle up to a price limit). 0 where the first unit
 * already costs more.
 */
export function depthRead(quoter: Address, swap: Swap, worthIn: bigint, worthOut: bigint): Read<bigint> {
  const limit = sqrtPriceLimit(swap.tokenIn < swap.tokenOut, swap.feePips, worthIn, worthOut);
  return {
    calls: [{ to: quoter, data: `${QUOTE_INPUT}${quoteParams(swap, UNBOUNDED_INPUT, limit)}` }],
    decode: ([result]) => (result?.success ? uintAt(result.data, 0) : 0n),
  };
}

/** The argument of both quotes: tokenIn, tokenOut, amount, fee, sqrtPriceLimitX96. A limit of 0 is none. */
function quoteParams({ tokenIn, tokenOut, feePips }: Swap, amount: bigint, limit: bigint): string {
  const tokens = `${addressWord(tokenIn)}${addressWord(tokenOut)}`;
  return `${tokens}${uintWord(amount)}${uintWord(feePips)}${uintWord(limit)}`;
}
