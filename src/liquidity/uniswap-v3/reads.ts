import { id } from 'ethers';
import { addressAt, addressWord, uintAt, uintWord, type Address, type Hex } from '../../domain/hex.js';
import type { Hop } from '../../domain/route.js';
import type { MulticallResult } from '../../rpc/chain/multicall3.js';
import type { Read } from '../../rpc/chain/read.js';
import type { TokenPair } from '../pool.js';
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

/** How much dearer than all it is worth the last output unit of a quote may be. */
const TOO_DEAR = 2n;
/** Gas of a quote. A pool that costs more walks over empty ticks: it has next to nothing to give. */
const COSTLY_GAS = 1_000_000n;

/**
 * Input units that the pool takes for exactly `amountOut` output units (QuoterV2.quoteExactOutputSingle);
 * undefined where the pool cannot deliver it, or not before one more output unit costs twice what all of them
 * are worth. Without that limit a pool that has too little would be walked to the end of its ticks.
 *
 * @param onCostly called when the quote took more gas than a pool in use takes, or the pool has nothing.
 */
export function inputForRead(
  quoter: Address,
  swap: Swap,
  amountOut: bigint,
  worthIn: bigint,
  onCostly: () => void,
): Read<bigint | undefined> {
  const limit = limitOf(swap, TOO_DEAR * worthIn, amountOut);
  return {
    calls: [{ to: quoter, data: `${QUOTE_OUTPUT}${quoteParams(swap, amountOut, limit)}` }],
    decode: ([result]) => {
      const quote = quoteOf(result, onCostly);
      // At the limit the swap has stopped, with a part of the output.
      return quote && quote.sqrtPriceAfter !== limit ? quote.amount : undefined;
    },
  };
}

/**
 * Output units that the pool gives until one more output unit would cost more than `worthIn / worthOut` input
 * units, pool fee included (QuoterV2.quoteExactInputSingle up to a price limit). 0 where the first unit
 * already costs more.
 */
export function depthRead(
  quoter: Address,
  swap: Swap,
  worthIn: bigint,
  worthOut: bigint,
  onCostly: () => void,
): Read<bigint> {
  const limit = limitOf(swap, worthIn, worthOut);
  return {
    calls: [{ to: quoter, data: `${QUOTE_INPUT}${quoteParams(swap, UNBOUNDED_INPUT, limit)}` }],
    decode: ([result]) => quoteOf(result, onCostly)?.amount ?? 0n,
  };
}

function limitOf({ tokenIn, tokenOut, feePips }: Swap, worthIn: bigint, worthOut: bigint): bigint {
  return sqrtPriceLimit(tokenIn < tokenOut, feePips, worthIn, worthOut);
}

/**
 * What QuoterV2 reverts with when the pool gave no reason: it has no liquidity on the way to the limit, or it
 * ran out of gas on that way.
 */
const UNEXPECTED_ERROR = Buffer.from('Unexpected error').toString('hex');

/** (amount, sqrtPriceX96After, initializedTicksCrossed, gasEstimate) */
function quoteOf(
  result: MulticallResult | undefined,
  onCostly: () => void,
): { readonly amount: bigint; readonly sqrtPriceAfter: bigint } | undefined {
  if (!result) return undefined;
  if (!result.success) {
    if (result.outOfGas || result.data.includes(UNEXPECTED_ERROR)) onCostly();
    return undefined;
  }
  if (uintAt(result.data, 3) > COSTLY_GAS) onCostly();
  return { amount: uintAt(result.data, 0), sqrtPriceAfter: uintAt(result.data, 1) };
}

/** The argument of both quotes: tokenIn, tokenOut, amount, fee, sqrtPriceLimitX96. */
function quoteParams({ tokenIn, tokenOut, feePips }: Swap, amount: bigint, limit: bigint): string {
  const tokens = `${addressWord(tokenIn)}${addressWord(tokenOut)}`;
  return `${tokens}${uintWord(amount)}${uintWord(feePips)}${uintWord(limit)}`;
}
