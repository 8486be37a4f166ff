import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from '../../devnet/index.js';
import { chainOf } from '../../testing/chain.js';
import { TestDatabase } from '../../testing/database.js';
import { configOf } from '../../testing/devnet-config.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { FollowedPools } from '../../testing/followed-pools.js';
import { KnownPoolsRepository } from '../database/index.js';
import { RetryError } from '../domain/errors.js';
import { toAddress, type Address } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import type { Asset } from '../domain/opportunity.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { ConcentratedPool } from './concentrated/concentrated-pool.js';
import { pairsOf, PoolReader, venuesOf, type ConfiguredVenue } from './pool-reader.js';
import type { SavedPools } from './pool-search.js';
import { StoredPools } from './stored-pools.js';

describe('how many blocks it takes until pools are known', { timeout: 60_000 }, () => {
  let devnet: Devnet;
  let clean: string;
  let database: TestDatabase;
  let rows: KnownPoolsRepository;
  let chain: Chain;
  let rpcPool: RpcPool;
  let venues: readonly [ConfiguredVenue, ...ConfiguredVenue[]];
  let all: Asset[];
  /** What the market knows: its prices come with the first block. */
  let tokens: readonly Asset[];
  let events: RecordedEvents;
  let followed: FollowedPools;

  beforeAll(async () => {
    [devnet, database] = await Promise.all([startDevnet(), TestDatabase.start()]);
    rows = new KnownPoolsRepository(database.database);
    ({ chain, pool: rpcPool } = chainOf(devnet));
    const [uniswap, ...others] = venuesOf(configOf(devnet).liquidity);
    if (!uniswap) throw new Error('no venue');
    venues = [uniswap, ...others];
    const prices = await devnet.prices();
    all = Object.entries(devnet.tokens).map(([symbol, { address, decimals }]) => ({
      address: toAddress(address),
      symbol,
      decimals,
      priceUsd8: prices[symbol as keyof typeof prices],
    }));
  });

  beforeEach(async () => {
    clean = await devnet.snapshot();
    begin();
  });

  afterEach(async () => {
    await followed.end();
    await devnet.revert(clean);
    await rows.replace(devnet.chainId, []);
  });

  afterAll(async () => {
    rpcPool.close();
    await Promise.all([devnet.stop(), database.stop()]);
  });

  const begin = (saved: SavedPools = new StoredPools(rows, devnet.chainId, venues)): void => {
    tokens = [];
    events = new RecordedEvents();
    const reader = new PoolReader(chain, venues);
    followed = new FollowedPools(devnet, chain, reader, () => tokens, events, new TestClock(), saved);
  };
  /** The first block, after which prices are known, and what is done beside it. */
  const firstBlock = async (): Promise<void> => {
    await followed.next();
    await followed.rest();
    tokens = all;
  };
  const restart = async (): Promise<void> => {
    await followed.end();
    begin();
    await firstBlock();
  };
  const poolCount = (): number =>
    devnet.pools.length + devnet.slipstreamPools.length + devnet.solidlyPools.length;
  const onChain = async (): Promise<ReadonlyMap<Address, unknown>> => {
    const { hash } = await chain.getBlock('latest');
    const reader = new PoolReader(chain, venues);
    return reader.states(await reader.find(pairsOf(all.map(({ address }) => address)), hash), hash);
  };

  it('at first they are found and read beside one block, and used in the next', async () => {
    await firstBlock();
    await followed.next();
    await followed.rest();
    const view = await followed.next();
    expect(view.pools.size).toBe(poolCount());
    expect(view.isWhole).toBe(true);
    expect(new Map(view.pools)).toEqual(await onChain());
  });

  it('what is traded between the read and the next block is not missed', async () => {
    await firstBlock();
    await followed.next();
    await followed.rest();
    // Their logs were not asked for when the book learned of them.
    await devnet.setPrice('WETH', 2_900n * USD8);
    await devnet.alignPools();
    const view = await followed.next();
    expect(view.pools.size).toBe(poolCount());
    expect(new Map(view.pools)).toEqual(await onChain());
    expect(events.named('pool-differs')).toEqual([]);
  });

  it('F15 the block since which they are followed is replaced: nothing of it is left', async () => {
    await firstBlock();
    await followed.next();
    await followed.rest();
    const fork = await devnet.snapshot();
    await devnet.setPrice('WETH', 2_700n * USD8);
    await devnet.alignPools();
    await followed.next();
    await devnet.revert(fork);
    await devnet.setPrice('WETH', 2_950n * USD8);
    await devnet.alignPools();
    await devnet.mine();
    await followed.next();
    await followed.rest();
    const view = await followed.next();
    expect(view.pools.size).toBe(poolCount());
    expect(new Map(view.pools)).toEqual(await onChain());
    expect(events.named('pool-differs')).toEqual([]);
  });

  it('after a restart they are used in the second block, as they are then', async () => {
    await firstBlock();
    await followed.next();
    await followed.rest();
    await followed.next();
    await devnet.setPrice('WETH', 2_800n * USD8);
    await devnet.alignPools();
    await restart();
    const view = await followed.next();
    expect(view.pools.size).toBe(poolCount());
    expect(new Map(view.pools)).toEqual(await onChain());
    // Not everything has been looked for again.
    expect(view.isWhole).toBe(false);
    await followed.rest();
    expect((await followed.next()).isWhole).toBe(true);
  });

  it('F28 the database is away: pools are followed as at a first start, and saved when it is back', async () => {
    const stored = new StoredPools(rows, devnet.chainId, venues);
    let isAway = true;
    const away = (): Promise<never> => Promise.reject(new RetryError('the database is away'));
    await followed.end();
    begin({
      load: () => (isAway ? away() : stored.load()),
      save: (pools) => (isAway ? away() : stored.save(pools)),
    });
    await firstBlock();
    await followed.next();
    await followed.rest();
    expect((await followed.next()).isWhole).toBe(true);
    expect(events.named('pools-not-read')).not.toEqual([]);
    await followed.rest();
    expect(await rows.load(devnet.chainId)).toEqual([]);
    isAway = false;
    await followed.next();
    await followed.rest();
    expect(await rows.load(devnet.chainId)).toHaveLength(poolCount());
  });

  it('a saved pool that its factory does not name is dropped, and one of another factory is passed over', async () => {
    await firstBlock();
    await followed.next();
    await followed.rest();
    const saved = await rows.load(devnet.chainId);
    const [slipstream] = devnet.slipstreamPools;
    if (!slipstream) throw new Error('the chain has no pool of Slipstream');
    const address = toAddress(slipstream.address);
    const [uniswap] = venues;
    const pool = toAddress(devnet.addresses.pool);
    await rows.replace(devnet.chainId, [
      // A real pool, but Uniswap's factory does not know it.
      ...saved.map((one) => (one.address === address ? { ...one, factory: uniswap.factory } : one)),
      ...saved.slice(0, 1).map((one) => ({ ...one, address: pool, factory: pool })),
    ]);
    await restart();
    const venueOf = (one: unknown): unknown => (one instanceof ConcentratedPool ? one.state.venue : one);
    expect(venueOf((await followed.next()).pools.get(address))).toBe('uniswap-v3');
    await followed.rest();
    // What it was is forgotten with the first block, and what it is read beside it.
    expect((await followed.next()).pools.has(address)).toBe(false);
    await followed.next();
    await followed.rest();
    const view = await followed.next();
    expect(venueOf(view.pools.get(address))).toBe('slipstream');
    expect(new Map(view.pools)).toEqual(await onChain());
    expect(await rows.load(devnet.chainId)).toEqual(saved);
  });
});
