import { id } from 'ethers';
import {
  addressWord,
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
import { each, readAt, successOf, together, type Read } from '../../rpc/chain/read.js';
import { poolRead } from '../factory-read.js';
import type { FoundPool, PoolKind } from '../pool-kind.js';
import type { Pool, TokenPair } from '../pool.js';
import { SolidlyPool } from './solidly-pool.js';

const selector = (signature: string): Hex => id(signature).slice(0, 10) as Hex;

const GET_POOL = selector('getPool(address,address,bool)');
/** Units (10^decimals) of both tokens, both reserves, whether stable, both tokens. */
const METADATA = selector('metadata()');
const GET_FEE = selector('getFee(address,bool)');
const IS_PAUSED = selector('isPaused()');
/** Sync(uint256 reserve0, uint256 reserve1) */
const SYNC = id('Sync(uint256,uint256)') as Hash;
/** Aerodrome v2 PoolFactory.MAX_FEE is 300 bps; a fork may allow more, but no whole. */
const MOST_FEE_BPS = 9_999n;

/** Pools of Aerodrome v2: two reserves, and the volatile or the stable curve between them. */
export class SolidlyKind implements PoolKind {
  /** 0: the volatile curve, 1: the stable one. */
  readonly parameters = [0, 1];
  readonly topics = [SYNC];

  lookUp(factory: Address, tokens: TokenPair, parameter: number): Read<Address | undefined> {
    return poolRead(factory, GET_POOL, tokens, parameter);
  }

  check({ topics: [first], data }: RawLog): void {
    if (first === SYNC) reservesAt(data, 0);
  }

  apply(pool: Pool, { topics: [first], data }: RawLog): Pool {
    return first === SYNC ? solidly(pool).withReserves(...reservesAt(data, 0)) : pool;
  }

  async read(
    chain: Chain,
    found: readonly FoundPool[],
    block: Hash,
  ): Promise<readonly (SolidlyPool | undefined)[]> {
    const states = await readAt(
      chain,
      each(found.map((pool) => together(metadataRead(pool.address), termsRead(pool)))),
      block,
    );
    return found.map(({ address, tokens, venue, parameter }, index) => {
      const [metadata, terms] = states[index] ?? [];
      if (!metadata || !terms || metadata.reserves.includes(0n)) return undefined;
      const { factory, name } = venue;
      return new SolidlyPool({
        ...metadata,
        address,
        tokens,
        venue: name,
        factory,
        stable: parameter === 1,
        ...terms,
      });
    });
  }

  floating(found: FoundPool): Read<(pool: Pool) => Pool> {
    const { calls, decode } = termsRead(found);
    return {
      calls,
      decode: (results) => {
        const { feeBps, paused } = decode(results);
        return (pool) => solidly(pool).withFee(feeBps, paused);
      },
    };
  }

  sameness({ address }: FoundPool): Read<(pool: Pool) => boolean> {
    const { calls, decode } = metadataRead(address);
    return {
      calls,
      decode: (results) => {
        const [reserve0, reserve1] = decode(results).reserves;
        return (pool) => {
          const [ours0, ours1] = solidly(pool).state.reserves;
          return reserve0 === ours0 && reserve1 === ours1;
        };
      },
    };
  }
}

function solidly(pool: Pool): SolidlyPool {
  if (pool instanceof SolidlyPool) return pool;
  throw new TypeError(`the pool ${pool.address} is not of Solidly's kind`);
}

function metadataRead(pool: Address): Read<{ decimals: [number, number]; reserves: [bigint, bigint] }> {
  return {
    calls: [{ to: pool, data: METADATA }],
    decode: ([result]) => {
      const data = successOf(result, 'the reserves of a pool');
      return { decimals: [decimalsAt(data, 0), decimalsAt(data, 1)], reserves: reservesAt(data, 2) };
    },
  };
}

/** What the factory says of a pool. A fork that cannot be paused is not. */
function termsRead({ address, venue, parameter }: FoundPool): Read<{ feeBps: number; paused: boolean }> {
  const { factory } = venue;
  return {
    calls: [
      { to: factory, data: `${GET_FEE}${addressWord(address)}${uintWord(parameter)}` },
      { to: factory, data: IS_PAUSED },
    ],
    decode: ([fee, paused]) => ({
      feeBps: Number(uintWithin(successOf(fee, 'a fee'), 0, MOST_FEE_BPS, 'a fee')),
      paused: paused?.success === true && paused.data.length >= 66 && uintAt(paused.data, 0) !== 0n,
    }),
  };
}

function reservesAt(data: Hex, index: number): [bigint, bigint] {
  return [amountAt(data, index, 'a reserve'), amountAt(data, index + 1, 'a reserve')];
}

/** Of a unit, which is a power of ten. */
function decimalsAt(data: Hex, index: number): number {
  return String(uintWithin(data, index, 10n ** 36n, 'the unit of a token')).length - 1;
}
