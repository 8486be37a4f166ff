import { prospectsOf } from '../../testing/prospects.js';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { initialPrices, operatorPrivateKey, startDevnet, type Devnet } from '../../devnet/index.js';
import { decisionsOf } from '../../testing/decisions.js';
import { anAllowance } from '../../testing/builders/allowance.js';
import { aaveParts, LIQUIDATABLE, viewOfAccounts } from '../../testing/aave-state.js';
import { configOf } from '../../testing/devnet-config.js';
import { Bench } from '../../testing/execution.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { poolsAt } from '../../testing/pools.js';
import { opportunitiesIn } from '../../testing/opportunities.js';
import { endow } from '../../testing/send.js';
import { bySize } from '../domain/bid.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../database/index.js';
import { RetryError } from '../domain/errors.js';
import { toAddress, type Address } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import type { PastLiquidations } from '../domain/past-liquidations.js';
import type { LiquidationPlan } from '../domain/plan.js';
import { ExecutionPlanner } from '../planner/execution-planner.js';
import { MarketLiquidations } from '../protocols/market-liquidations.js';
import { OpStackFees } from '../rpc/fees/op-stack-fees.js';
import { NO_OFFERS } from '../liquidity/lenders/offers.js';

const WETH = 10n ** 18n;
const USDC = 10n ** 6n;
const GWEI = 10n ** 9n;
/** 10 WETH of collateral for 23,500 USDC: health factor 1.06 at $3,000. */
const LONG_ETHER = {
  collaterals: [{ symbol: 'WETH', amount: 10n * WETH }],
  debts: [{ symbol: 'USDC', amount: 23_500n * USDC }],
} as const;

describe('F49 a rival on the real market', { timeout: 120_000 }, () => {
  let devnet: Devnet;
  let database: EmbeddedPostgres;
  let dataDir: string;
  let clean: string;
  let bench: Bench;
  let rival: Address;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'chimera-rivals-'));
    [devnet, database] = await Promise.all([startDevnet(), startEmbeddedPostgres({ dataDir })]);
    rival = toAddress(devnet.accounts.deployer);
    await endow(devnet, rival, 'USDC', 10n ** 12n, devnet.addresses.pool);
  });

  beforeEach(async () => {
    clean = await devnet.snapshot();
    await Bench.reset(database);
    await start();
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await bench.close();
    await devnet.rpc('evm_setAutomine', [true]);
    await devnet.revert(clean);
  });

  afterAll(async () => {
    await devnet.stop();
    await database.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function start(liquidations?: PastLiquidations): Promise<void> {
    const { protocols } = configOf(devnet);
    bench = await Bench.open({
      rpcUrl: devnet.rpcUrl,
      database,
      key: operatorPrivateKey,
      funded: false,
      limits: { maxSingleExecutionUsd8: 10n ** 6n * USD8 },
      chimera: toAddress(devnet.addresses.chimera),
      liquidations: liquidations ?? { find: (search) => market().find(search) },
    });
    const market = (): MarketLiquidations => new MarketLiquidations(bench.chain, protocols);
    await bench.execution.recover();
  }

  /** Positions that can be liquidated, each with the plan of the real planner; the largest first. */
  async function planned(count: number): Promise<LiquidationPlan[]> {
    const borrowers = await devnet.openPositions(Array.from({ length: count }, () => LONG_ETHER));
    await priceOf(2_600n);
    await devnet.rpc('evm_setAutomine', [false]);
    return plansFor(borrowers);
  }

  const priceOf = (dollars: bigint): Promise<void> =>
    devnet.setPrices({ ...initialPrices(), WETH: dollars * USD8 });

  async function plansFor(borrowers: readonly string[]): Promise<LiquidationPlan[]> {
    const config = configOf(devnet);
    const parts = aaveParts(bench.chain, config, LIQUIDATABLE);
    const view = await viewOfAccounts(parts, bench.chain, borrowers);
    const opportunities = opportunitiesIn(view, parts, config);
    const pools = await poolsAt(devnet, bench.chain, config, view.block.hash);
    const planner = new ExecutionPlanner(bench.chain, new OpStackFees(), new RecordedEvents(), config);
    const decisions = await decisionsOf(
      planner.plan(prospectsOf(opportunities), () => ({
        block: view.block,
        pools,
        lenders: NO_OFFERS,
        nativePriceUsd8: view.of(parts.feeds).native?.answer ?? 0n,
        operator: bench.signer.address,
        pending: [],
        marketNativePricesUsd8: [],
        bidOf: bySize(config.planner),
        allowance: anAllowance(),
      })),
    );
    return decisions.flatMap((decision) => (decision.kind === 'planned' ? [decision.plan] : []));
  }

  async function submit(plan: LiquidationPlan): Promise<string> {
    const intent = await bench.plan(1, { ...plan, data: plan.call.data });
    const submission = await bench.carryOut(intent);
    expect(submission).toMatchObject({ kind: 'submitted' });
    return submission.executionId;
  }

  /** The rival liquidates the position itself, with a tip of its own. @returns the hash */
  async function rivalLiquidates({ borrower }: LiquidationPlan, tipWei: bigint): Promise<string> {
    const { WETH: collateral, USDC: debt } = devnet.tokens;
    const data = devnet.contracts.aavePool.interface.encodeFunctionData('liquidationCall', [
      ...[collateral.address, debt.address, borrower, 2n ** 256n - 1n, false],
    ]);
    const hash = await devnet.rpc('eth_sendTransaction', [
      {
        from: rival,
        to: devnet.addresses.pool,
        data,
        gas: '0x1e8480',
        maxFeePerGas: `0x${(tipWei + (devnet.baseFeeWei ?? 0n)).toString(16)}`, // anvil orders by it
        maxPriorityFeePerGas: `0x${tipWei.toString(16)}`,
      },
    ]);
    return String(hash);
  }

  it('that liquidates in an earlier block: lost, with its sender, tip and blocks; no failure, no throttle', async () => {
    const [plan] = await planned(1);
    const hash = await rivalLiquidates(plan!, 3n * GWEI);
    await devnet.mine();
    const executionId = await submit(plan!);
    await devnet.mine(2);
    const [settlement] = await bench.settle();
    expect(settlement).toMatchObject({
      outcome: 'lost',
      status: 'reverted',
      // The rival took all of the debt, and our contract looks at it first.
      reason: expect.stringMatching(/^NothingToLiquidate\(0x[0-9a-fA-F]{40}, 0\)$/) as string,
      rival: { sender: rival, hash, tipPerGasWei: String(3n * GWEI), blocksEarlier: 1 },
    });
    const row = await bench.executions.find(executionId);
    expect(row).toMatchObject({
      outcome: 'lost',
      outcomeDetails: {
        tipPerGasWei: String(plan!.call.maxPriorityFeePerGas),
        rival: { sender: rival, hash },
      },
    });
    expect(row?.feesWei).toBeGreaterThan(0n);
    expect(bench.safety.status()).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });
  });

  it('that liquidates earlier in the same block: lost, and how many places earlier', async () => {
    const [plan] = await planned(1);
    const executionId = await submit(plan!);
    const tipWei = plan!.call.maxPriorityFeePerGas + 10n * GWEI;
    const hash = await rivalLiquidates(plan!, tipWei);
    await devnet.mine(2);
    expect(await bench.settle()).toMatchObject([
      {
        executionId,
        outcome: 'lost',
        rival: { hash, tipPerGasWei: String(tipWei), blocksEarlier: 0, placesEarlier: 1 },
      },
    ]);
    expect(bench.safety.status().state).toBe('NORMAL');
  });

  it('that comes after us takes nothing away: won', async () => {
    const [plan] = await planned(1);
    await submit(plan!);
    await rivalLiquidates(plan!, 0n);
    await devnet.mine(2);
    expect(await bench.settle()).toMatchObject([{ outcome: 'won', rival: undefined }]);
  });

  it('that takes a whole block of four neither halts nor throttles, and the next fall is liquidated', async () => {
    const plans = await planned(4);
    expect(plans).toHaveLength(4);
    for (const plan of plans) await rivalLiquidates(plan, 3n * GWEI);
    await devnet.mine();
    for (const plan of plans) await submit(plan);
    await devnet.mine(2);
    expect((await bench.settle()).map((news) => 'outcome' in news && news.outcome)).toEqual(
      plans.map(() => 'lost'),
    );
    expect(bench.safety.status()).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });

    await devnet.rpc('evm_setAutomine', [true]);
    await priceOf(3_000n);
    const [next] = await planned(1);
    await submit(next!);
    await devnet.mine(2);
    expect(await bench.settle()).toMatchObject([{ outcome: 'won' }]);
  });

  it('F48 a price that comes back before the block: stale, without a rival, and no failure', async () => {
    const [plan] = await planned(1);
    await priceOf(3_000n);
    await submit(plan!);
    await devnet.mine(2);
    expect(await bench.settle()).toMatchObject([
      { outcome: 'stale', status: 'reverted', reason: 'HealthFactorNotBelowThreshold', rival: undefined },
    ]);
    expect(bench.safety.status()).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });
  });

  it('that cannot be looked up is unknown: the outcome is decided without it, and nothing waits', async () => {
    await bench.close();
    await start({ find: () => Promise.reject(new RetryError('no logs')) });
    const [plan] = await planned(1);
    await rivalLiquidates(plan!, 3n * GWEI);
    await devnet.mine();
    await submit(plan!);
    await devnet.mine(2);
    expect(await bench.settle()).toMatchObject([{ outcome: 'stale', rival: 'unknown' }]);
    expect(bench.safety.status().state).toBe('NORMAL');
  });

  it('out of gas is a malfunction, also when a rival was first', async () => {
    const [plan] = await planned(1);
    await rivalLiquidates(plan!, 3n * GWEI);
    await devnet.mine();
    // Less than it takes to look at the debt.
    const gasLimit = 40_000n;
    await submit({ ...plan!, call: { ...plan!.call, gasLimit } });
    await devnet.mine(2);
    expect(await bench.settle()).toMatchObject([{ outcome: 'malfunction', reason: 'out of gas' }]);
    expect(bench.safety.status()).toMatchObject({ state: 'THROTTLED', consecutiveFailures: 1 });
  });
});
