import { prospectsOf } from '../../testing/prospects.js';
import type { Contract } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from '../../devnet/index.js';
import { SeededRandom } from '../../devnet/random.js';
import { aaveParts, LIQUIDATABLE, viewOfAccounts } from '../../testing/aave-state.js';
import { anAllowance } from '../../testing/builders/allowance.js';
import { chainOf } from '../../testing/chain.js';
import { decisionsOf } from '../../testing/decisions.js';
import { configOf } from '../../testing/devnet-config.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { listOnAave } from '../../testing/foreign-world/tokens.js';
import { offersAt } from '../../testing/lenders.js';
import { opportunitiesIn } from '../../testing/opportunities.js';
import { poolsAt } from '../../testing/pools.js';
import { endow, send } from '../../testing/send.js';
import { executeCall } from '../../testing/execute-plan.js';
import { Kind, type LiquidatedEvent } from '../contract/bindings.js';
import { bySize } from '../domain/bid.js';
import type { PlanDecision } from '../domain/decision.js';
import { toAddress, type Address } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import type { LiquidationPlan } from '../domain/plan.js';
import type { PoolsView } from '../liquidity/pool-book.js';
import { withWrappers, WrapperBook } from '../liquidity/wrappers/wrapper-book.js';
import type { WrapperPool } from '../liquidity/wrappers/wrapper-pool.js';
import type { Chain } from '../rpc/chain/chain.js';
import { readAt } from '../rpc/chain/read.js';
import type { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { OpStackFees } from '../rpc/fees/op-stack-fees.js';
import { ExecutionPlanner } from './execution-planner.js';

const ETHER = 10n ** 18n;
const BORROWER = `0x${'b0'.repeat(20)}`;
/** Of a share, which holds 1.25 cbETH: before and after cbETH falls from $3,300 to $3,040. */
const [PRICE, FALLEN] = [4_125n * USD8, 3_800n * USD8];
const SHARES = 10n * ETHER;
const DEBT = 32_000n * 10n ** 6n;

let devnet: Devnet;
let chain: Chain;
let pool: RpcPool;
let vault: Contract;
let token: Address;
let clean: string;
let kind: 'erc4626' | 'wsteth' = 'erc4626';

beforeAll(async () => {
  devnet = await startDevnet();
  ({ chain, pool } = chainOf(devnet));
  const { deployer, supplier } = devnet.accounts;
  vault = await devnet.deploy('ShareVault', [devnet.tokens.cbETH.address]);
  token = toAddress(await vault.getAddress());
  await endow(devnet, supplier, 'cbETH', 1_000n * ETHER, token);
  await send(devnet, supplier, vault, 'deposit', 800n * ETHER, supplier);
  // 800 shares hold 1,000 cbETH, and a little less than a quarter of a unit more.
  await send(devnet, supplier, devnet.token('cbETH'), 'transfer', token, 200n * ETHER);
  const aggregator = await devnet.deploy('SettableAggregator', [8, 'SHARE / USD', PRICE, deployer]);
  const feed = await devnet.deploy('AggregatorProxy', [await aggregator.getAddress()]);
  await listOnAave(devnet, [{ symbol: 'SHARE', address: token }], [await feed.getAddress()]);
  await send(devnet, supplier, vault, 'approve', devnet.addresses.pool, 100n * ETHER);
  const { aavePool } = devnet.contracts;
  await send(devnet, supplier, aavePool, 'supply', token, SHARES, BORROWER, 0);
  await devnet.rpc('anvil_setBalance', [BORROWER, '0xde0b6b3a7640000']);
  await send(devnet, BORROWER, aavePool, 'borrow', devnet.tokens.USDC.address, DEBT, 2, 0, BORROWER);
  await send(devnet, deployer, aggregator, 'setAnswer', FALLEN);
  await devnet.setPrice('cbETH', 3_040n * USD8);
});

beforeEach(async () => {
  clean = await devnet.snapshot();
  kind = 'erc4626';
  await list(Kind.Erc4626);
});

afterEach(() => devnet.revert(clean));

afterAll(async () => {
  pool.close();
  await devnet.stop();
});

const list = (as: number): Promise<unknown> =>
  send(devnet, devnet.accounts.deployer, devnet.contracts.chimera, 'setCounterparty', token, as);

async function wrapped(): Promise<readonly WrapperPool[]> {
  const book = new WrapperBook([{ token, kind }], new TestClock());
  const { aToken } = await aTokenOf();
  book.serve(() => aToken);
  const { hash } = await chain.getBlock('latest');
  return book.view(await readAt(chain, book.reads(), hash));
}

async function aTokenOf(): Promise<{ readonly aToken: Address }> {
  const { aavePool } = devnet.contracts;
  return { aToken: toAddress(String(await aavePool.getFunction('getReserveAToken')(token))) };
}

async function decide(change: (pools: PoolsView) => PoolsView = (pools) => pools): Promise<PlanDecision> {
  const config = configOf(devnet, { wrappers: `[{ token: "${token}", kind: ${kind} }]` });
  const parts = aaveParts(chain, config, LIQUIDATABLE);
  const view = await viewOfAccounts(parts, chain, [BORROWER]);
  expect(parts.market.holderOf(token)).toBe((await aTokenOf()).aToken);
  const { hash } = view.block;
  const context = {
    block: view.block,
    pools: change(withWrappers(await poolsAt(devnet, chain, config, hash), await wrapped())),
    lenders: await offersAt(devnet, chain, config, hash),
    nativePriceUsd8: view.of(parts.feeds).native?.answer ?? 0n,
    operator: toAddress(devnet.accounts.operator),
    ...{ pending: [], marketNativePricesUsd8: [], allowance: anAllowance(), bidOf: bySize(config.planner) },
  };
  const planner = new ExecutionPlanner(chain, new OpStackFees(), new RecordedEvents(), config);
  const [decision] = await decisionsOf(
    planner.plan(prospectsOf(opportunitiesIn(view, parts, config)), () => context),
  );
  if (!decision) throw new Error('the position is not liquidatable');
  return decision;
}

async function planned(): Promise<LiquidationPlan> {
  const decision = await decide();
  if (decision.kind === 'planned') return decision.plan;
  throw new Error(`a plan was expected, not ${decision.reason} ${JSON.stringify(decision.detail)}`);
}

async function execute({ call }: LiquidationPlan): Promise<LiquidatedEvent | undefined> {
  const [event] = await executeCall(devnet, call);
  return event;
}

const first = ({ route }: LiquidationPlan): unknown => route.parts[0]?.hops[0];

describe('collateral that must be taken apart', { timeout: 60_000 }, () => {
  it('shares of a vault: borrowed, liquidated, redeemed, sold; the profit is debt tokens', async () => {
    const plan = await planned();
    expect(plan.funding).toMatchObject({ kind: 'loan', name: 'morpho' });
    expect(plan.profitAsset.symbol).toBe('USDC');
    expect(first(plan)).toMatchObject({ venue: 'erc4626', pool: token, feePips: 0 });
    const event = await execute(plan);
    expect(event).toMatchObject({ collateralAsset: token, profitToken: plan.profitAsset.address });
    expect(event?.profit).toBeGreaterThanOrEqual(plan.minProfit);
    // A bonus of 6 % on half of the debt, of which the protocol takes a tenth and the pools some.
    expect(plan.grossProfitUsd8).toBeGreaterThan(750n * USD8);
  });

  it('a token that is unwrapped as wstETH is', async () => {
    kind = 'wsteth';
    await list(Kind.Unwrapper);
    const plan = await planned();
    expect(first(plan)).toMatchObject({ venue: 'wsteth', pool: token });
    expect((await execute(plan))?.profit).toBeGreaterThanOrEqual(plan.minProfit);
  });

  it('is worth what the contract says, or a unit less', async () => {
    const [wrapper] = await wrapped();
    const random = new SeededRandom(7);
    for (let round = 0; round < 50; round += 1) {
      const shares = BigInt(Math.floor(random.magnitude(1, 9.9e18)));
      const said = BigInt(String(await vault.getFunction('previewRedeem')(shares)));
      const ours = wrapper?.swapIn(token, shares)?.amountOut ?? 0n;
      expect(ours).toBeLessThanOrEqual(said);
      expect(said - ours).toBeLessThanOrEqual(1n);
    }
  });

  it('C22 a vault that lets out less than all: as much is liquidated as it lets out', async () => {
    const whole = (await planned()).candidate.collateralSeized;
    await send(devnet, devnet.accounts.deployer, vault, 'setMost', whole / 2n);
    const plan = await planned();
    expect(plan.candidate.collateralSeized).toBeLessThanOrEqual(whole / 2n);
    expect(plan.candidate.collateralSeized).toBeGreaterThan((whole * 45n) / 100n);
    await execute(plan);
  });

  it('C22 a vault that is paused: no route, until it opens again', async () => {
    await send(devnet, devnet.accounts.deployer, vault, 'setMost', 0n);
    expect(await decide()).toMatchObject({ kind: 'rejected', reason: 'no-route' });
    await send(devnet, devnet.accounts.deployer, vault, 'setMost', 10n ** 30n);
    expect((await planned()).candidate.collateral.symbol).toBe('SHARE');
  });

  it('C22 a vault that has lost since it was asked: the plan stops at the least that it may bring', async () => {
    const plan = await planned();
    await send(devnet, devnet.accounts.deployer, vault, 'lose', 2n * ETHER);
    await expect(execute(plan)).rejects.toThrow('failed');
    expect((await execute(await planned()))?.profit).toBeGreaterThan(0n);
  });
});
