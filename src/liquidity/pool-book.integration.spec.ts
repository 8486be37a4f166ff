import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet, type TokenSymbol } from '../../devnet/index.js';
import { chainOf } from '../../testing/chain.js';
import { eventually } from '../../testing/eventually.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { endow, send } from '../../testing/send.js';
import { Clock } from '../domain/clock.js';
import { chainDescription } from '../domain/chain-description.js';
import { RetryError } from '../domain/errors.js';
import { toAddress, type Hash } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import type { Asset } from '../domain/opportunity.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { BlockFollower } from '../state/block-follower.js';
import { ConcentratedPool } from './concentrated/concentrated-pool.js';
import { PoolBook, type PoolsView } from './pool-book.js';
import type { Pool } from './pool.js';
import { pairsOf, PoolReader, venuesOf, type KnownPool } from './pool-reader.js';

describe('the book of pools, on the real chain', { timeout: 60_000 }, () => {
  let devnet: Devnet;
  let clean: string;
  let chain: Chain;
  let pool: RpcPool;
  let tokens: Asset[];
  let reader: PoolReader;
  let clock: TestClock;
  let events: RecordedEvents;
  let book: PoolBook;
  let follower: BlockFollower;

  beforeAll(async () => {
    devnet = await startDevnet();
    ({ chain, pool } = chainOf(devnet));
    const prices = await devnet.prices();
    tokens = Object.entries(devnet.tokens).map(([symbol, { address, decimals }]) => ({
      address: toAddress(address),
      symbol,
      decimals,
      priceUsd8: prices[symbol as keyof typeof prices],
    }));
    const { uniswapFactory, slipstreamFactory, solidlyFactory } = devnet.addresses;
    reader = new PoolReader(
      chain,
      venuesOf({
        uniswapV3: { factory: toAddress(uniswapFactory) },
        factories: [
          { name: 'slipstream', kind: 'slipstream', factory: toAddress(slipstreamFactory) },
          { name: 'aerodrome', kind: 'solidly', factory: toAddress(solidlyFactory) },
        ],
      }),
    );
  });

  beforeEach(async () => {
    clean = await devnet.snapshot();
    clock = new TestClock();
    await begin();
    await whole();
  });

  afterEach(async () => {
    await book.onModuleDestroy();
    await devnet.revert(clean);
  });

  afterAll(async () => {
    pool.close();
    await devnet.stop();
  });

  const begin = async (from = reader): Promise<void> => {
    events = new RecordedEvents();
    book = new PoolBook(from, { minPoolUsd8: 1_000n * USD8, hubs: [] }, events, clock);
    book.serve(() => tokens);
    follower = new BlockFollower(chain, [book], chainDescription(devnet.chainId), new Clock());
    const block = await chain.getBlock('latest');
    follower.beginAt(block, [await book.prepareRange(block, undefined)]);
  };
  /** Three moves of a price, each with trades in the pools. */
  const trade = async (...prices: readonly bigint[]): Promise<void> => {
    for (const usd of prices) {
      await devnet.setPrice('WETH', usd * USD8);
      await devnet.alignPools();
    }
  };
  const follow = async (): Promise<PoolsView> => {
    clock.advance(5_000);
    const head = await chain.getBlock('latest');
    const path = await follower.pathTo(head);
    if (path.kind !== 'walk') throw new Error(`the path is ${path.kind}`);
    const answers = await follower.walk(head, path, []);
    return follower.views(answers).get('pools') as PoolsView;
  };
  const followAgain = async (): Promise<PoolsView> => {
    await devnet.mine();
    return follow();
  };
  /** Mines until everything was found and read. */
  const whole = (): Promise<void> =>
    eventually(async () => (await followAgain()).isWhole, 'every pool is read');
  /** Every followed pool as the chain has it now. */
  const onChain = async (block: Hash): Promise<Map<string, unknown>> => {
    const all = await reader.find(pairsOf(tokens.map(({ address }) => address)), block);
    const states = await reader.states(all, block);
    return new Map(all.map(({ address }: KnownPool) => [address, states.get(address)]));
  };
  const expectExact = async ({ pools }: PoolsView): Promise<void> => {
    const { hash } = await chain.getBlock('latest');
    const expected = await onChain(hash);
    expect(pools.size).toBeGreaterThan(5);
    for (const [address, one] of pools) expect(one).toEqual(expected.get(address));
  };

  it('finds the pools of all kinds and reads them as they are', async () => {
    await devnet.mine();
    const view = await follow();
    const { pools, slipstreamPools, solidlyPools } = devnet;
    for (const { address } of [...pools, ...slipstreamPools, ...solidlyPools])
      expect(view.pools.has(toAddress(address))).toBe(true);
    expect(book.status()).toMatchObject({
      counts: new Map([
        ['uniswap-v3', { followed: pools.length, leftOut: 0 }],
        ['slipstream', { followed: slipstreamPools.length, leftOut: 0 }],
        ['solidly', { followed: solidlyPools.length, leftOut: 0 }],
      ]),
      unread: 0,
    });
    await expectExact(view);
  });

  it('follows swaps in all pools by their logs, to the unit', async () => {
    for (const weth of [2_900n, 3_100n, 2_700n]) {
      await devnet.setPrice('WETH', weth * USD8);
      await devnet.alignPools();
      await expectExact(await follow());
    }
    expect(events.named('pool-differs')).toEqual([]);
  });

  it('F15 follows a reorg: swaps that are gone are undone', async () => {
    const fork = await devnet.snapshot();
    await devnet.setPrice('WETH', 2_500n * USD8);
    await devnet.alignPools();
    await follow();
    await devnet.revert(fork);
    await devnet.setPrice('WETH', 2_950n * USD8);
    await devnet.alignPools();
    await devnet.mine(2);
    await expectExact(await follow());
    expect(events.named('pool-differs')).toEqual([]);
  });

  it('F15 a long gap is crossed by the logs of its blocks', async () => {
    await trade(2_900n, 2_950n);
    await devnet.mine(3);
    const [from, head] = [follower.tip.number + 1, await chain.getBlock('latest')];
    follower.beginAt(head, [await book.prepareRange(head, follower.rangeLogs(from, head))]);
    const view = follower.views(await follower.ask(head)).get('pools') as PoolsView;
    await expectExact(view);
    expect(events.named('pool-differs')).toEqual([]);
  });

  it('follows liquidity that is given and taken in narrow ranges', async () => {
    const { positionManager } = devnet.contracts;
    const { deployer } = devnet.accounts;
    const [first] = devnet.pools.filter(({ token0, token1 }) => token0 !== 'WETH' && token1 !== 'WETH');
    if (!first) throw new Error('the chain has no pool of two tokens that can be minted');
    const { token0, token1, fee, address } = first;
    for (const symbol of [token0, token1] as Exclude<TokenSymbol, 'WETH'>[])
      await endow(devnet, deployer, symbol, 10n ** 12n, await positionManager.getAddress());
    const before = (await followAgain()).pools.get(toAddress(address));
    const { tick = 0, tickSpacing = 1 } = before instanceof ConcentratedPool ? before.state : {};
    const near = Math.floor(tick / tickSpacing) * tickSpacing;
    for (const [below, above] of [
      [1, 1],
      [3, -1],
      [-2, 4],
    ] as const)
      await send(devnet, deployer, positionManager, 'mint', {
        token0: devnet.tokens[token0].address,
        token1: devnet.tokens[token1].address,
        fee,
        tickLower: near - below * tickSpacing,
        tickUpper: near + above * tickSpacing,
        amount0Desired: 10n ** 9n,
        amount1Desired: 10n ** 9n,
        amount0Min: 0n,
        amount1Min: 0n,
        recipient: deployer,
        deadline: 10n ** 12n,
      });
    await expectExact(await follow());
    const id = (await positionManager.getFunction('tokenOfOwnerByIndex')(deployer, 0n)) as bigint;
    const { liquidity } = (await positionManager.getFunction('positions')(id)) as { liquidity: bigint };
    await send(devnet, deployer, positionManager, 'decreaseLiquidity', {
      tokenId: id,
      liquidity,
      amount0Min: 0n,
      amount1Min: 0n,
      deadline: 10n ** 12n,
    });
    await expectExact(await follow());
    expect(events.named('pool-differs')).toEqual([]);
  });

  it('what was read in the background catches up with the swaps since then', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let reads = 0;
    const slow = new (class extends PoolReader {
      override async states(...ask: Parameters<PoolReader['states']>): ReturnType<PoolReader['states']> {
        reads += 1;
        const states = await super.states(...ask);
        await held;
        return states;
      }
    })(chain, reader.venues);
    await begin(slow);
    await eventually(async () => {
      await devnet.mine();
      await follow();
      return events.named('pools-found').length > 0;
    }, 'the pools are found');
    await devnet.mine(2);
    expect((await follow()).pools.size).toBe(0);
    await trade(2_900n);
    await follow();
    release();
    await whole();
    // What was read is used, and not read again because blocks came meanwhile.
    expect(reads).toBe(1);
    await devnet.mine();
    await expectExact(await follow());
  });

  it('a pool that cannot be read keeps back no other', async () => {
    const bad = toAddress(devnet.pools[0]?.address ?? '');
    const failing = new (class extends PoolReader {
      override async states(...ask: Parameters<PoolReader['states']>): ReturnType<PoolReader['states']> {
        if (ask[0].some(({ address }) => address === bad)) throw new RetryError('it cannot be read');
        return super.states(...ask);
      }
    })(chain, reader.venues);
    await begin(failing);
    const others = devnet.pools.length + devnet.slipstreamPools.length + devnet.solidlyPools.length - 1;
    let view = await followAgain();
    await eventually(async () => {
      view = await followAgain();
      return view.pools.size === others;
    }, 'all others are read');
    expect(view.pools.has(bad)).toBe(false);
    expect(view.isWhole).toBe(false);
    expect(events.named('pools-not-read')).not.toEqual([]);
  });

  it('F44 a pool whose state is wrong is found by the comparison, and read again', async () => {
    const [one] = devnet.pools;
    const address = toAddress(one?.address ?? '');
    let lies = true;
    const lying = new (class extends PoolReader {
      override async states(...ask: Parameters<PoolReader['states']>): ReturnType<PoolReader['states']> {
        const states = new Map(await super.states(...ask));
        const pool = states.get(address);
        if (lies && pool instanceof ConcentratedPool)
          states.set(address, pool.afterSwapLog(pool.state.sqrtPriceX96 + 1n, 1n, pool.state.tick));
        return states;
      }
    })(chain, reader.venues);
    await begin(lying);
    await eventually(async () => {
      await devnet.mine();
      await follow();
      return events.named('pool-differs').length > 0;
    }, 'the comparison finds it');
    expect(events.named('pool-differs')[0]).toMatchObject({ pool: address, kind: 'uniswap-v3' });
    expect(book.status().comparedAtMs).toBe(clock.wallMs());
    lies = false;
    await eventually(async () => {
      const { pools } = await followAgain();
      const pool = pools.get(address);
      return pool instanceof ConcentratedPool && pool.state.liquidity > 1n;
    }, 'it is read again');
    await expectExact(await followAgain());
  });

  it('a pool that is created later is found at the next look', async () => {
    const { positionManager } = devnet.contracts;
    const [first] = devnet.pools.filter(({ token0, token1 }) => token0 !== 'WETH' && token1 !== 'WETH');
    if (!first) throw new Error('the chain has no pool of two tokens that can be minted');
    const { token0, token1 } = first;
    const { deployer } = devnet.accounts;
    const amount = 10n ** 13n;
    for (const symbol of [token0, token1] as Exclude<TokenSymbol, 'WETH'>[])
      await endow(devnet, deployer, symbol, amount, await positionManager.getAddress());
    const [address0, address1] = [devnet.tokens[token0].address, devnet.tokens[token1].address];
    await send(
      devnet,
      deployer,
      positionManager,
      'createAndInitializePoolIfNecessary',
      address0,
      address1,
      10_000,
      2n ** 96n,
    );
    const found = async (): Promise<Pool[]> =>
      [...(await followAgain()).pools.values()].filter(
        (pool) => pool instanceof ConcentratedPool && pool.state.feePips === 10_000,
      );
    clock.advance(600_000);
    await whole();
    // It has nothing yet.
    expect(await found()).toEqual([]);
    await send(devnet, deployer, positionManager, 'mint', {
      token0: address0,
      token1: address1,
      fee: 10_000,
      tickLower: -200,
      tickUpper: 200,
      amount0Desired: amount,
      amount1Desired: amount,
      amount0Min: 0n,
      amount1Min: 0n,
      recipient: deployer,
      deadline: 10n ** 12n,
    });
    await whole();
    expect(await found()).toEqual([]);
    clock.advance(600_000);
    await eventually(async () => (await found()).length === 1, 'the pool is found');
  });
});
