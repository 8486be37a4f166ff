import { prospectsOf } from '../../testing/prospects.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { initialPrices, type Devnet, type PositionRequest } from '../../devnet/index.js';
import { aaveParts, LIQUIDATABLE, viewOfAccounts } from '../../testing/aave-state.js';
import { decisionsOf } from '../../testing/decisions.js';
import { anAllowance } from '../../testing/builders/allowance.js';
import { onCleanChain } from '../../testing/clean-chain.js';
import { configOf } from '../../testing/devnet-config.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { poolsAt } from '../../testing/pools.js';
import { opportunitiesIn } from '../../testing/opportunities.js';
import { endow, send } from '../../testing/send.js';
import { executeCall } from '../../testing/execute-plan.js';
import { bySize } from '../domain/bid.js';
import type { LiquidatedEvent } from '../contract/bindings.js';
import type { PlanDecision } from '../domain/decision.js';
import { toAddress } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import type { LiquidationPlan } from '../domain/plan.js';
import type { Chain } from '../rpc/chain/chain.js';
import { OpStackFees } from '../rpc/fees/op-stack-fees.js';
import { ExecutionPlanner } from './execution-planner.js';
import { NO_OFFERS } from '../liquidity/lenders/offers.js';

const ETHER = 10n ** 18n;

/** 10 WETH of collateral for 23,500 USDC: below a health factor of 0.95 at $2,600. */
const long: PositionRequest = {
  collaterals: [{ symbol: 'WETH', amount: 10n * ETHER }],
  debts: [{ symbol: 'USDC', amount: 23_500n * 10n ** 6n }],
};

let devnet: Devnet;
let chain: Chain;
let borrower: string;

onCleanChain((started) => ({ devnet, chain } = started));

beforeEach(async () => {
  [borrower = ''] = await devnet.openPositions([long]);
});

/** The WETH that the reserve can pay out. */
async function cash(): Promise<bigint> {
  const { aavePool } = devnet.contracts;
  const balance: unknown = await aavePool.getFunction('getVirtualUnderlyingBalance')(
    devnet.tokens.WETH.address,
  );
  return BigInt(String(balance));
}

/** Another account borrows WETH until the reserve can pay out only this much. */
async function leaveCash(left: bigint): Promise<void> {
  const { aavePool } = devnet.contracts;
  const whale = devnet.accounts.trader;
  const usdc = 10n ** 9n * 10n ** 6n;
  await endow(devnet, whale, 'USDC', usdc, devnet.addresses.pool);
  await send(devnet, whale, aavePool, 'supply', devnet.tokens.USDC.address, usdc, whale, 0);
  const taken = (await cash()) - left;
  await send(devnet, whale, aavePool, 'borrow', devnet.tokens.WETH.address, taken, 2, 0, whale);
  expect(await cash()).toBe(left);
}

async function fall(): Promise<void> {
  await devnet.setPrices({ ...initialPrices(), WETH: 2_600n * USD8 });
}

async function decide(
  of = [borrower],
  pending: readonly LiquidationPlan['call'][] = [],
): Promise<PlanDecision[]> {
  const config = configOf(devnet);
  const parts = aaveParts(chain, config, LIQUIDATABLE);
  const view = await viewOfAccounts(parts, chain, of);
  const opportunities = opportunitiesIn(view, parts, config);
  const planner = new ExecutionPlanner(chain, new OpStackFees(), new RecordedEvents(), config);
  const pools = await poolsAt(devnet, chain, config, view.block.hash);
  return decisionsOf(
    planner.plan(prospectsOf(opportunities), () => ({
      block: view.block,
      pools,
      lenders: NO_OFFERS,
      nativePriceUsd8: view.of(parts.feeds).native?.answer ?? 0n,
      operator: toAddress(devnet.accounts.operator),
      pending,
      marketNativePricesUsd8: [],
      bidOf: bySize(config.planner),
      allowance: anAllowance(),
    })),
  );
}

async function planned(): Promise<LiquidationPlan> {
  const decisions = await decide();
  const [decision] = decisions;
  if (decision?.kind !== 'planned') throw new Error(`a plan was expected, not ${String(decision?.reason)}`);
  return decision.plan;
}

async function execute({ call }: LiquidationPlan): Promise<LiquidatedEvent | undefined> {
  const [event] = await executeCall(devnet, call);
  return event;
}

describe('a reserve that has lent out its collateral', { timeout: 60_000 }, () => {
  it('with little cash: the size that it can pay out is liquidated; the rest when the cash is back', async () => {
    await fall();
    const whole = (await planned()).candidate;
    expect(whole.sizing).toBe('all-debt');

    await leaveCash(2n * ETHER);
    const plan = await planned();
    expect(plan.candidate.sizing).toBe('payable');
    // All of it, and not a unit more than the pool has.
    const { collateralSeized } = plan.candidate;
    expect(collateralSeized).toBeLessThanOrEqual(2n * ETHER);
    expect(collateralSeized).toBeGreaterThan(2n * ETHER - 10n ** 12n);
    expect(await execute(plan)).toMatchObject({ collateralSeized });
    expect(await cash()).toBe(2n * ETHER - collateralSeized);

    const { aavePool } = devnet.contracts;
    const back = 10n * ETHER;
    await send(devnet, devnet.accounts.trader, devnet.token('WETH'), 'approve', devnet.addresses.pool, back);
    await send(
      devnet,
      devnet.accounts.trader,
      aavePool,
      'repay',
      devnet.tokens.WETH.address,
      back,
      2,
      devnet.accounts.trader,
    );
    const rest = await planned();
    expect(rest.candidate.sizing).toBe('all-debt');
    await execute(rest);
    expect((await devnet.accountData(borrower)).totalDebtUsd8).toBe(0n);
  });

  it('that a transaction in flight will be paid from: the next one waits for it, and says so', async () => {
    const [other = ''] = await devnet.openPositions([long]);
    await fall();
    await leaveCash(2n * ETHER);
    const first = await planned();
    const waiting = await decide([other], [first.call]);
    expect(waiting).toMatchObject([{ kind: 'rejected', reason: 'depends-on-earlier-plan' }]);
    await execute(first);
    expect(await decide([other])).toMatchObject([{ kind: 'rejected', reason: 'collateral-not-payable' }]);
  });

  it('without cash: it is rejected with the reason and the numbers, and not tried', async () => {
    await fall();
    await leaveCash(0n);
    expect(await decide()).toMatchObject([
      {
        kind: 'rejected',
        reason: 'collateral-not-payable',
        detail: { collateral: 'WETH', payable: '0' },
      },
    ]);
  });

  it('with cash that is not worth a transaction: the same reason, with the profit and the floor', async () => {
    await fall();
    await leaveCash(ETHER / 1_000n);
    const [decision] = await decide();
    expect(decision).toMatchObject({
      kind: 'rejected',
      reason: 'collateral-not-payable',
      detail: { collateral: 'WETH', floorUsd8: '500000000' },
    });
  });
});
