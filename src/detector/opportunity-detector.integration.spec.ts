import { detectionsOf } from '../../testing/opportunities.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { initialPrices, startDevnet, type Devnet, type TokenSymbol } from '../../devnet/index.js';
import type { BotSettings } from '../../devnet/stack/bot-config.js';
import { chainOf } from '../../testing/chain.js';
import { aaveParts, LIQUIDATABLE, viewOfAccounts, type AaveParts } from '../../testing/aave-state.js';
import { configOf } from '../../testing/devnet-config.js';
import { sendFrom } from '../../testing/transactions.js';
import { toAddress } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import { PriceGuard } from '../oracles/price-guard.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import type { StateView } from '../state/state-view.js';
import { OpportunityDetector, type Detection } from './opportunity-detector.js';
import { faultBegins } from '../../testing/fault-times.js';

const UNLIMITED_USD8 = 10n ** 9n * USD8;

let devnet: Devnet;
let chain: Chain;
let pool: RpcPool;
let clean: string;
let borrower: string;

beforeAll(async () => {
  devnet = await startDevnet();
  ({ chain, pool } = chainOf(devnet));
  // Health factor 1.06 at $3,000, 0.92 at $2,600.
  borrower = await devnet.openPosition({
    collaterals: [{ symbol: 'WETH', amount: 10n * 10n ** 18n }],
    debts: [{ symbol: 'USDC', amount: 23_500n * 10n ** 6n }],
  });
});

beforeEach(async () => {
  clean = await devnet.snapshot();
});

afterEach(async () => {
  await devnet.revert(clean);
});

afterAll(async () => {
  pool.close();
  await devnet.stop();
});

describe('what can be liquidated', () => {
  it('says nothing of a healthy position', async () => {
    expect(await detect()).toEqual([]);
  });

  it('finds a position below 1, with its health factor as the chain has it', async () => {
    await fall();
    const { healthFactorWad } = await devnet.accountData(borrower);
    expect(await detect()).toMatchObject([{ kind: 'opportunity', opportunity: { healthFactorWad } }]);
  });

  it('leaves one whose whole bonus is below the floor, with both numbers', async () => {
    await fall();
    const [detection] = await detect({ minProfitUsd: '5000' });
    expect(detection).toMatchObject({
      kind: 'rejected',
      reason: 'bonus-below-floor',
      detail: { floorUsd8: '500000000000' },
    });
  });

  it('F35 leaves a paused reserve alone', async () => {
    await fall();
    const fault = faultBegins();
    await configure('setReservePause(address,bool)', [devnet.tokens.WETH.address, true]);
    expect(await detect()).toMatchObject([
      { kind: 'rejected', reason: 'reserve-paused', detail: { asset: 'WETH' } },
    ]);
    fault.detected();
  });

  it('waits for the end of a grace period', async () => {
    await fall();
    await configure('setReservePause(address,bool)', [devnet.tokens.USDC.address, true]);
    await configure('setReservePause(address,bool,uint40)', [devnet.tokens.USDC.address, false, 600]);
    expect(await detect()).toMatchObject([
      { kind: 'rejected', reason: 'grace-period', detail: { asset: 'USDC' } },
    ]);
    await devnet.increaseTime(601);
    expect(await detect()).toMatchObject([{ kind: 'opportunity' }]);
  });

  it('F18 F34 does not act on a price that is older than allowed by the time of the block', async () => {
    await fall();
    const fault = faultBegins();
    await devnet.increaseTime(90_001);
    expect(await detect()).toMatchObject([{ kind: 'rejected', reason: 'price-stale' }]);
    fault.detected();
  });

  it('F34 knows no health factor without a price, and says which asset', async () => {
    await answerOf('USDC', 0n);
    expect(await detect()).toMatchObject([
      { kind: 'rejected', reason: 'price-missing', detail: { asset: 'USDC' }, healthFactorWad: undefined },
    ]);
  });

  it('F34 a price of 0 on a third asset, neither collateral nor debt of a plan, stops that position and no other', async () => {
    const third = await devnet.openPosition({
      collaterals: [
        { symbol: 'WETH', amount: 10n * 10n ** 18n },
        { symbol: 'cbETH', amount: 10n ** 15n },
      ],
      debts: [{ symbol: 'USDC', amount: 23_500n * 10n ** 6n }],
    });
    await fall();
    await answerOf('cbETH', 0n);
    await expect(devnet.accountData(third)).rejects.toThrow();
    expect(await detect({}, UNLIMITED_USD8, [borrower, third])).toMatchObject([
      { kind: 'opportunity', opportunity: { borrower: toAddress(borrower) } },
      { kind: 'rejected', borrower: toAddress(third), reason: 'price-missing', detail: { asset: 'cbETH' } },
    ]);
    await answerOf('cbETH', initialPrices().cbETH);
    const { healthFactorWad } = await devnet.accountData(third);
    expect(await detect({}, UNLIMITED_USD8, [third])).toMatchObject([
      { kind: 'opportunity', opportunity: { healthFactorWad } },
    ]);
  });

  it('names the limit when nothing may be covered any more today', async () => {
    await fall();
    expect(await detect({}, 0n)).toMatchObject([{ kind: 'rejected', reason: 'daily-volume-reached' }]);
  });
});

async function fall(): Promise<void> {
  await devnet.setPrices({ ...initialPrices(), WETH: 2_600n * USD8 });
}

/** The feed says so, and no pool follows. */
async function answerOf(symbol: TokenSymbol, usd8: bigint): Promise<void> {
  const aggregator = devnet.aggregator(symbol);
  const data = aggregator.interface.encodeFunctionData('setAnswer', [usd8]);
  await sendFrom(devnet, devnet.accounts.deployer, { to: await aggregator.getAddress(), data });
}

async function detect(
  settings: BotSettings = {},
  limitUsd8 = UNLIMITED_USD8,
  accounts = [borrower],
): Promise<Detection[]> {
  const { parts, view } = await viewNow(settings, accounts);
  return detectionsOf(detectorWith(settings, parts), view, limitUsd8);
}

async function viewNow(
  settings: BotSettings,
  accounts: readonly string[],
): Promise<{ parts: AaveParts; view: StateView }> {
  const parts = aaveParts(chain, configOf(devnet, settings), LIQUIDATABLE);
  return { parts, view: await viewOfAccounts(parts, chain, accounts) };
}

function detectorWith(settings: BotSettings, { feeds, market }: AaveParts): OpportunityDetector {
  const config = configOf(devnet, settings);
  return new OpportunityDetector({ all: [market] }, feeds, new PriceGuard(config), config);
}

async function configure(method: string, args: readonly unknown[]): Promise<void> {
  const { poolConfigurator } = devnet.contracts;
  const data = poolConfigurator.interface.encodeFunctionData(method, [...args]);
  await sendFrom(devnet, devnet.accounts.deployer, { to: devnet.addresses.poolConfigurator, data });
}
