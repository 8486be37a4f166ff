import { id } from 'ethers';
import {
  amountAt,
  uintAt,
  uintWithin,
  uintWord,
  type Address,
  type Hash,
  type Hex,
} from '../../domain/hex.js';
import type { RawLog } from '../../rpc/chain/chain-answers.js';
import type { Chain } from '../../rpc/chain/chain.js';
import type { MulticallResult } from '../../rpc/chain/multicall3.js';
import { each, readAt, successOf, together, type Read } from '../../rpc/chain/read.js';
import { poolRead } from '../factory-read.js';
import type { FoundPool, PoolKind } from '../pool-kind.js';
import type { Pool, TokenPair } from '../pool.js';
import { ConcentratedPool } from './concentrated-pool.js';
import { TickTable } from './tick-table.js';

const selector = (signature: string): Hex => id(signature).slice(0, 10) as Hex;
const topic = (signature: string): Hash => id(signature) as Hash;

const GET_POOL_BY_FEE = selector('getPool(address,address,uint24)');
const GET_POOL_BY_SPACING = selector('getPool(address,address,int24)');
const SLOT0 = selector('slot0()');
const LIQUIDITY = selector('liquidity()');
const TICK_SPACING = selector('tickSpacing()');
const FEE = selector('fee()');
const TICK_BITMAP = selector('tickBitmap(int16)');
const TICKS = selector('ticks(int24)');

/** (sender, recipient; amount0, amount1, sqrtPriceX96, liquidity, tick) of Uniswap v3 and Slipstream. */
const SWAP = topic('Swap(address,address,int256,int256,uint160,uint128,int24)');
/** The same of Pancake v3, with the protocol's fees behind it. */
const PANCAKE_SWAP = topic('Swap(address,address,int256,int256,uint160,uint128,int24,uint128,uint128)');
/** (owner, tickLower, tickUpper; sender, amount, amount0, amount1) */
const MINT = topic('Mint(address,address,int24,int24,uint128,uint256,uint256)');
/** (owner, tickLower, tickUpper; amount, amount0, amount1) */
const BURN = topic('Burn(address,int24,int24,uint128,uint256,uint256)');

/** v3-core TickMath.MAX_TICK. */
const MAX_TICK = 887_272;
const TICKS_PER_WORD = 256;
/** A word of the bitmap costs some 8,000 gas to read, a tick up to 15,000. */
const WORDS_PER_CALL = 1_500;
const TICKS_PER_CALL = 700;
const CHUNKS_PER_REQUEST = 4;
/** v3-core: a fee is below 100 %. */
const MOST_PIPS = 999_999n;

interface Slot {
  readonly sqrtPriceX96: bigint;
  readonly tick: number;
  readonly liquidity: bigint;
}

/** Pools of Uniswap v3's kind, whose logs tell price, liquidity and ticks. */
export class ConcentratedKind implements PoolKind {
  readonly topics = [SWAP, PANCAKE_SWAP, MINT, BURN];

  /** @param by what the factory knows its pools by: the fee in pips, or the tick spacing. */
  constructor(
    readonly parameters: readonly number[],
    private readonly by: 'fee' | 'spacing',
  ) {}

  lookUp(factory: Address, tokens: TokenPair, parameter: number): Read<Address | undefined> {
    const getPool = this.by === 'fee' ? GET_POOL_BY_FEE : GET_POOL_BY_SPACING;
    return poolRead(factory, getPool, tokens, parameter);
  }

  check({ topics: [first, , lower, upper], data }: RawLog): void {
    if (first === SWAP || first === PANCAKE_SWAP) swapOf(data);
    else if (first === MINT || first === BURN) {
      ticksOf(lower, upper);
      amountAt(data, first === MINT ? 1 : 0, 'a liquidity');
    }
  }

  apply(pool: Pool, { topics: [first, , lower, upper], data }: RawLog): Pool {
    const before = concentrated(pool);
    if (first === SWAP || first === PANCAKE_SWAP) {
      const { sqrtPriceX96, liquidity, tick } = swapOf(data);
      return before.afterSwapLog(sqrtPriceX96, liquidity, tick);
    }
    if (first !== MINT && first !== BURN) return pool;
    const amount = amountAt(data, first === MINT ? 1 : 0);
    return before.afterLiquidityLog(...ticksOf(lower, upper), first === MINT ? amount : -amount);
  }

  async read(
    chain: Chain,
    found: readonly FoundPool[],
    block: Hash,
  ): Promise<readonly (ConcentratedPool | undefined)[]> {
    const heads = await readAt(chain, each(found.map(headRead)), block);
    const words = await inTurns(
      chain,
      heads.map((head, index) => wordsRead(found[index]?.address, head?.tickSpacing)),
      block,
      WORDS_PER_CALL,
    );
    const ticks = await inTurns(
      chain,
      words.map((own, index) => each(own.map((tick) => tickRead(found[index]?.address ?? '0x', tick)))),
      block,
      TICKS_PER_CALL,
    );
    return found.map(({ address, tokens, venue, parameter }, index) => {
      const head = heads[index];
      if (!head) return undefined;
      const factory = venue.isBuiltIn ? {} : { factory: venue.factory };
      const table = TickTable.of(ticks[index] ?? [], head.tickSpacing);
      return new ConcentratedPool({
        ...head,
        address,
        tokens,
        venue: venue.name,
        parameter,
        ...factory,
        ticks: table,
      });
    });
  }

  /** A fee that is the tier never changes. Others are asked for. */
  floating({ address }: FoundPool): Read<(pool: Pool) => Pool> {
    if (this.by === 'fee') return { calls: [], decode: () => (pool) => pool };
    return {
      calls: [{ to: address, data: FEE }],
      decode: ([result]) => {
        const feePips = pipsOf(result);
        return (pool) => concentrated(pool).withFee(feePips);
      },
    };
  }

  sameness({ address }: FoundPool): Read<(pool: Pool) => boolean> {
    return map(slotRead(address), (slot) => (pool) => {
      const { sqrtPriceX96, tick, liquidity } = concentrated(pool).state;
      return slot?.sqrtPriceX96 === sqrtPriceX96 && slot.tick === tick && slot.liquidity === liquidity;
    });
  }
}

/**
 * Reads that are many calls, in requests of some eth_calls: a pool whose ticks are one apart has 6,932 words.
 */
async function inTurns<T>(chain: Chain, reads: readonly Read<T>[], block: Hash, chunk: number): Promise<T[]> {
  const values: T[] = [];
  for (let from = 0; from < reads.length;) {
    let to = from;
    for (let calls = 0; to < reads.length && (to === from || calls < CHUNKS_PER_REQUEST * chunk); to++)
      calls += reads[to]?.calls.length ?? 0;
    values.push(...(await readAt(chain, each(reads.slice(from, to)), block, { chunk })));
    from = to;
  }
  return values;
}

function concentrated(pool: Pool): ConcentratedPool {
  if (pool instanceof ConcentratedPool) return pool;
  throw new TypeError(`the pool ${pool.address} is not of Uniswap v3's kind`);
}

function map<A, B>({ calls, decode }: Read<A>, to: (value: A) => B): Read<B> {
  return { calls, decode: (results) => to(decode(results)) };
}

/** Undefined where there is no price yet. */
function slotRead(pool: Address): Read<Slot | undefined> {
  return {
    calls: [SLOT0, LIQUIDITY].map((data) => ({ to: pool, data })),
    decode: ([slot0, liquidity]) => {
      const data = successOf(slot0, 'the price of a pool');
      const sqrtPriceX96 = uintWithin(data, 0, 2n ** 160n - 1n, 'a price');
      if (sqrtPriceX96 === 0n) return undefined;
      return {
        sqrtPriceX96,
        tick: tickAt(data, 1),
        liquidity: amountAt(successOf(liquidity, 'the liquidity of a pool'), 0, 'a liquidity'),
      };
    },
  };
}

function headRead({
  address,
}: FoundPool): Read<(Slot & { tickSpacing: number; feePips: number }) | undefined> {
  const terms: Read<{ tickSpacing: number; feePips: number }> = {
    calls: [TICK_SPACING, FEE].map((data) => ({ to: address, data })),
    decode: ([spacing, fee]) => ({
      tickSpacing: Number(uintWithin(successOf(spacing, 'a tick spacing'), 0, 16_384n, 'a tick spacing')),
      feePips: pipsOf(fee),
    }),
  };
  return map(together(slotRead(address), terms), ([slot, own]) => slot && { ...slot, ...own });
}

function pipsOf(result: MulticallResult | undefined): number {
  return Number(uintWithin(successOf(result, 'a fee'), 0, MOST_PIPS, 'a fee'));
}

/** The ticks that have liquidity. */
function wordsRead(pool: Address | undefined, tickSpacing: number | undefined): Read<readonly number[]> {
  if (pool === undefined || tickSpacing === undefined || tickSpacing === 0)
    return { calls: [], decode: () => [] };
  const most = Math.floor(MAX_TICK / tickSpacing);
  const first = Math.floor(-most / TICKS_PER_WORD);
  const last = Math.floor(most / TICKS_PER_WORD);
  const positions = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return {
    calls: positions.map((position) => ({ to: pool, data: `${TICK_BITMAP}${intWord(position)}` })),
    decode: (results) =>
      results.flatMap((result, index) => {
        const word = uintAt(successOf(result, 'a word of ticks'), 0);
        const position = positions[index] ?? 0;
        return word === 0n ? [] : bitsOf(word).map((bit) => (position * TICKS_PER_WORD + bit) * tickSpacing);
      }),
  };
}

function tickRead(
  pool: Address,
  tick: number,
): Read<{ readonly tick: number; readonly liquidityNet: bigint; readonly liquidityGross: bigint }> {
  return {
    calls: [{ to: pool, data: `${TICKS}${intWord(tick)}` }],
    decode: ([result]) => {
      const data = successOf(result, 'a tick');
      return {
        tick,
        liquidityGross: amountAt(data, 0, 'a liquidity'),
        liquidityNet: BigInt.asIntN(128, uintAt(data, 1)),
      };
    },
  };
}

function bitsOf(word: bigint): number[] {
  const bits: number[] = [];
  for (let rest = word, bit = 0; rest > 0n; rest >>= 1n, bit++) if (rest & 1n) bits.push(bit);
  return bits;
}

function swapOf(data: Hex): Slot {
  const sqrtPriceX96 = uintWithin(data, 2, 2n ** 160n - 1n, 'a price');
  return { sqrtPriceX96, liquidity: amountAt(data, 3, 'a liquidity'), tick: tickAt(data, 4) };
}

function ticksOf(lower: Hash | undefined, upper: Hash | undefined): [number, number] {
  return [tickAt(lower ?? '0x', 0), tickAt(upper ?? '0x', 0)];
}

/** @throws RangeError when it is no tick. */
function tickAt(data: Hex, index: number): number {
  const tick = Number(BigInt.asIntN(256, uintAt(data, index)));
  if (Math.abs(tick) > MAX_TICK) throw new RangeError('a tick is out of its range');
  return tick;
}

function intWord(value: number): string {
  return uintWord(BigInt.asUintN(256, BigInt(value)));
}
