import { Contract, ZeroAddress } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Devnet,
  type DevnetPool,
  type SolidlyPool,
  TOKEN_SYMBOLS,
  amountWorth,
  initialPrices,
  startDevnet,
} from '../index.js';
import { endow, send } from '../../testing/send.js';

const WAD = 10n ** 18n;
const usd8 = (dollars: number): bigint => BigInt(dollars) * 10n ** 8n;

const SOLIDLY_POOL_ABI = [
  'function getAmountOut(uint256 amountIn, address tokenIn) view returns (uint256)',
  'function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes data)',
];

describe('exchanges of the local chain besides Uniswap', () => {
  let devnet: Devnet;
  let clean: string;

  const addressOf = (symbol: 'WETH' | 'USDC' | 'cbETH' | 'cbBTC'): string => devnet.tokens[symbol].address;

  /** Where a pool stands, and where the feeds want it: a hundred-thousandth off at most. */
  async function expectAtFeedPrice(pool: DevnetPool | SolidlyPool): Promise<void> {
    const prices = await devnet.prices();
    const wanted = (prices[pool.token0] * WAD) / prices[pool.token1];
    const difference = (await devnet.poolPriceWad(pool)) - wanted;
    expect((difference < 0n ? -difference : difference) * 100_000n).toBeLessThanOrEqual(wanted);
  }

  beforeAll(async () => {
    devnet = await startDevnet();
  });

  afterAll(() => devnet.stop());

  beforeEach(async () => {
    clean = await devnet.snapshot();
  });

  afterEach(() => devnet.revert(clean));

  it('has a Balancer vault that can lend every token', async () => {
    const { balancerVault } = devnet.contracts;
    for (const symbol of TOKEN_SYMBOLS) {
      const held: unknown = await devnet.token(symbol).getFunction('balanceOf')(balancerVault.target);
      expect(held).toBe(amountWorth(symbol, usd8(100_000_000), initialPrices()[symbol]));
    }
    expect(await balancerVault.getFunction('WETH')()).toBe(addressOf('WETH'));
    const collector = (await balancerVault.getFunction('getProtocolFeesCollector')()) as string;
    const fee = new Contract(
      collector,
      ['function getFlashLoanFeePercentage() view returns (uint256)'],
      devnet.provider,
    );
    expect(await fee.getFunction('getFlashLoanFeePercentage')()).toBe(0n);
  });

  it('lists its Slipstream and Solidly pools in their factories, at the prices of the feeds', async () => {
    const { slipstreamFactory, solidlyFactory, uniswapFactory } = devnet.contracts;
    expect(devnet.slipstreamPools).toHaveLength(1);
    for (const pool of devnet.slipstreamPools) {
      const pair = [addressOf(pool.token0), addressOf(pool.token1)];
      expect(await slipstreamFactory.getFunction('getPool')(...pair, pool.tickSpacing)).toBe(pool.address);
      expect(await slipstreamFactory.getFunction('isPool')(pool.address)).toBe(true);
      expect(await uniswapFactory.getFunction('getPool')(...pair, pool.fee)).not.toBe(pool.address);
      await expectAtFeedPrice(pool);
    }
    expect(devnet.solidlyPools).toHaveLength(2);
    for (const pool of devnet.solidlyPools) {
      const pair = [addressOf(pool.token0), addressOf(pool.token1)];
      expect(await solidlyFactory.getFunction('getPool')(...pair, false)).toBe(pool.address);
      expect(await solidlyFactory.getFunction('getPool')(...pair, true)).toBe(ZeroAddress);
      await expectAtFeedPrice(pool);
    }
  });

  it('moves them with the feeds, up and down', async () => {
    for (const WETH of [usd8(2_500), usd8(3_600)]) {
      await devnet.setPrices({ WETH, cbETH: (WETH * 108n) / 100n });
      for (const pool of [...devnet.slipstreamPools, ...devnet.solidlyPools]) await expectAtFeedPrice(pool);
    }
  });

  it('brings a Solidly pool back after a large swap', async () => {
    const pool = devnet.solidlyPools.find(({ token0, token1 }) => [token0, token1].includes('USDC'));
    if (!pool) throw new Error('no Solidly pool of USDC');
    const before = await devnet.poolPriceWad(pool);
    const { trader } = devnet.accounts;
    const amountIn = 10n ** 13n;
    const contract = new Contract(pool.address, SOLIDLY_POOL_ABI, devnet.provider);
    const amountOut = (await contract.getFunction('getAmountOut')(amountIn, addressOf('USDC'))) as bigint;
    await endow(devnet, trader, 'USDC', amountIn, trader);
    await send(devnet, trader, devnet.token('USDC'), 'transfer', pool.address, amountIn);
    const outs = pool.token0 === 'USDC' ? [0n, amountOut] : [amountOut, 0n];
    await send(devnet, trader, contract, 'swap', ...outs, trader, '0x');
    expect(await devnet.poolPriceWad(pool)).not.toBe(before);
    await devnet.alignPools();
    await expectAtFeedPrice(pool);
    await devnet.alignPools(); // nothing left to trade
  });

  it('has the same addresses on every run', async () => {
    const second = await startDevnet({ poolDepthUsd8: usd8(1_000_000) });
    try {
      expect(second.addresses).toEqual(devnet.addresses);
      expect(second.tokens).toEqual(devnet.tokens);
      expect([second.pools, second.slipstreamPools, second.solidlyPools]).toEqual([
        devnet.pools,
        devnet.slipstreamPools,
        devnet.solidlyPools,
      ]);
    } finally {
      await second.stop();
    }
  });
});
