import type { Contract } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from '../../devnet/index.js';
import { chainOf } from '../../testing/chain.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { PoolWorld } from '../../testing/pool-world.js';
import { FollowedPools } from '../../testing/followed-pools.js';
import { send } from '../../testing/send.js';
import { toAddress, type Address } from '../domain/hex.js';
import type { Asset } from '../domain/opportunity.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { PoolReader, venuesOf } from './pool-reader.js';
import type { Pool } from './pool.js';

const ONE = 10n ** 18n;
const SPACING = 200;

describe('what a pool charges, and whether it trades: told by its factory and by no log', () => {
  let devnet: Devnet;
  let clean: string;
  let chain: Chain;
  let rpcPool: RpcPool;
  let world: PoolWorld;
  let module: Contract;
  let slipstream: Address;
  let volatile: Address;
  let followed: FollowedPools;

  beforeAll(async () => {
    devnet = await startDevnet();
    ({ chain, pool: rpcPool } = chainOf(devnet));
    chain.askAs(toAddress(devnet.accounts.operator));
    world = await PoolWorld.start(devnet, [18, 18]);
    const [a, b] = world.tokens.map(({ address }) => address);
    if (!a || !b) throw new Error('two tokens were asked for');
    const tier = { feePips: 10_000, tickSpacing: SPACING };
    slipstream = (await world.concentrated('slipstream', [a, b], tier, 2n ** 96n)).address;
    await world.provide([{ pool: slipstream, tickLower: -2_000, tickUpper: 2_000, liquidity: 10n ** 24n }]);
    await devnet.askFactoryForFee(slipstream);
    volatile = (await world.solidly([a, b], false, [10n ** 24n, 10n ** 24n], 30)).address;
    module = await devnet.deploy('DynamicFeeModule', []);
    await asDeployer(module, 'setCustomFee', slipstream, 700);
    await asDeployer(devnet.contracts.slipstreamFactory, 'setSwapFeeModule', await module.getAddress());
  });

  beforeEach(async () => {
    clean = await devnet.snapshot();
    const { slipstreamFactory, solidlyFactory, uniswapFactory } = devnet.addresses;
    const reader = new PoolReader(
      chain,
      venuesOf({
        uniswapV3: { factory: toAddress(uniswapFactory) },
        factories: [
          { name: 'slipstream', kind: 'slipstream', factory: toAddress(slipstreamFactory) },
          { name: 'aerodrome', kind: 'solidly', factory: toAddress(solidlyFactory) },
        ],
      }),
    );
    const tokens = world.tokens.map(({ address, decimals }, index): Asset => ({
      address,
      decimals,
      symbol: `T${index}`,
      priceUsd8: 10n ** 8n,
    }));
    followed = new FollowedPools(devnet, chain, reader, () => tokens, new RecordedEvents(), new TestClock());
    await followed.whole();
  });

  afterEach(async () => {
    await followed.end();
    await devnet.revert(clean);
  });

  afterAll(async () => {
    rpcPool.close();
    await devnet.stop();
  });

  const asDeployer = (contract: Contract, method: string, ...args: unknown[]): Promise<unknown> =>
    send(devnet, devnet.accounts.deployer, contract, method, ...args);
  const ours = async (address: Address): Promise<Pool> => {
    const pool = (await followed.next()).pools.get(address);
    if (!pool) throw new Error('the pool is not followed');
    return pool;
  };
  /** Our quote of a sale, and what the operator would get for it now. */
  const quotes = async (): Promise<[ours: bigint | undefined, real: bigint]> => {
    const pool = await ours(slipstream);
    const order = { pool: slipstream, zeroForOne: true, amount: 1_000n * ONE };
    const [real] = await world.fill([order], devnet.accounts.operator);
    if (!real) throw new Error('the pool of the chain refuses the sale');
    return [pool.swapIn(pool.tokens[0], order.amount)?.amountOut, real.amountOut];
  };

  it('a discount of the operator counts in our quote; another sender gets less', async () => {
    await asDeployer(module, 'registerDiscounted', devnet.accounts.operator, 500_000);
    const [quote, real] = await quotes();
    expect(quote).toBe(real);
    const order = { pool: slipstream, zeroForOne: true, amount: 1_000n * ONE };
    const [another] = await world.fill([order], devnet.accounts.trader);
    expect(another?.amountOut).toBeLessThan(real);
  });

  it('a fee that changes by itself is asked again', async () => {
    await asDeployer(module, 'surge', slipstream, 20_000, 100);
    const [dear, dearReal] = await quotes();
    expect(dear).toBe(dearReal);
    await devnet.increaseTime(100);
    const [cheap, cheapReal] = await quotes();
    expect(cheap).toBe(cheapReal);
    expect(cheap).toBeGreaterThan(dear ?? 0n);
  });

  it('the fee module is replaced, by one that reverts too: what the factory says then is used', async () => {
    const { slipstreamFactory, solidlyFactory } = devnet.contracts;
    await asDeployer(slipstreamFactory, 'setSwapFeeModule', await solidlyFactory.getAddress());
    const [quote, real] = await quotes();
    expect(quote).toBe(real);
  });

  it('pools of a paused factory are not used until it goes on, though they give quotes', async () => {
    const { solidlyFactory } = devnet.contracts;
    const sale = { pool: volatile, zeroForOne: true, amountIn: ONE };
    await asDeployer(solidlyFactory, 'setPauseState', true);
    expect(await world.quote([sale])).toEqual([expect.any(BigInt)]);
    expect(await world.sell([sale])).toEqual([undefined]);
    const paused = await ours(volatile);
    const [token0] = paused.tokens;
    expect([paused.swapIn(token0, ONE), paused.swapOut(token0, ONE)]).toEqual([undefined, undefined]);
    expect([paused.estimateOut(token0, 1e18), paused.estimateIn(token0, 1e18)]).toEqual([0, Infinity]);

    await asDeployer(solidlyFactory, 'setPauseState', false);
    const [sold] = await world.sell([sale]);
    expect((await ours(volatile)).swapIn(token0, ONE)?.amountOut).toBe(sold?.amountOut);
  });
});
