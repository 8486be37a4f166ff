import { prospectsOf } from '../../testing/prospects.js';
import { describe, expect, it } from 'vitest';
import { initialPrices, type Devnet, type PositionRequest } from '../../devnet/index.js';
import { aaveParts, LIQUIDATABLE, viewOfAccounts, type AaveParts } from '../../testing/aave-state.js';
import { anAllowance } from '../../testing/builders/allowance.js';
import { onCleanChain } from '../../testing/clean-chain.js';
import { configOf } from '../../testing/devnet-config.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { decisionsOf } from '../../testing/decisions.js';
import { drain, offersAt } from '../../testing/lenders.js';
import { opportunitiesIn } from '../../testing/opportunities.js';
import { poolsAt, viewOfPools } from '../../testing/pools.js';
import { send } from '../../testing/send.js';
import { executeCall } from '../../testing/execute-plan.js';
import { bySize } from '../domain/bid.js';
import type { PlanDecision } from '../domain/decision.js';
import { toAddress, type Address } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import type { LiquidationPlan } from '../domain/plan.js';
import type { Offers } from '../liquidity/lenders/offers.js';
import type { PoolsView } from '../liquidity/pool-book.js';
import type { Chain } from '../rpc/chain/chain.js';
import { OpStackFees } from '../rpc/fees/op-stack-fees.js';
import type { StateView } from '../state/state-view.js';
import { ExecutionPlanner } from './execution-planner.js';
import type { PlanningContext } from './planning-context.js';

const ETHER = 10n ** 18n;
const usdc = (dollars: number): bigint => BigInt(dollars) * 10n ** 6n;

/** 10 WETH of collateral for 23,500 USDC: all of it may be covered at $2,600. */
const long: PositionRequest = {
  collaterals: [{ symbol: 'WETH', amount: 10n * ETHER }],
  debts: [{ symbol: 'USDC', amount: usdc(23_500) }],
};

/** The same with as much USDC of collateral as USDC of debt beside it. */
const longWithUsdc: PositionRequest = {
  collaterals: [
    { symbol: 'WETH', amount: 2n * ETHER },
    { symbol: 'USDC', amount: usdc(20_000) },
  ],
  debts: [{ symbol: 'USDC', amount: usdc(20_000) }],
};

let devnet: Devnet;
let chain: Chain;

onCleanChain((started) => ({ devnet, chain } = started));

/** Opens a position and lets WETH fall, whole dollars. */
async function open(position: PositionRequest, wethPrice = 2_600): Promise<void> {
  borrowers = [await devnet.openPosition(position)];
  await devnet.setPrices({ ...initialPrices(), WETH: BigInt(wethPrice) * USD8 });
}

let borrowers: string[] = [];
/** Of one pass, so that a second one can be made on the same reading of the lenders. */
type World = Pick<PlanningContext, 'pools' | 'lenders' | 'nativePriceUsd8'> & {
  readonly view: StateView;
  readonly parts: AaveParts;
};

async function worldNow(pools: (all: PoolsView) => PoolsView = (all) => all): Promise<World> {
  const config = configOf(devnet);
  const parts = aaveParts(chain, config, LIQUIDATABLE);
  const view = await viewOfAccounts(parts, chain, borrowers);
  const { hash } = view.block;
  return {
    view,
    parts,
    pools: pools(await poolsAt(devnet, chain, config, hash)),
    lenders: await offersAt(devnet, chain, config, hash),
    nativePriceUsd8: view.of(parts.feeds).native?.answer ?? 0n,
  };
}

async function decideOn({ view, parts, ...world }: World): Promise<PlanDecision> {
  const config = configOf(devnet);
  const planner = new ExecutionPlanner(chain, new OpStackFees(), new RecordedEvents(), config);
  const context = {
    ...world,
    ...{ block: view.block, operator: toAddress(devnet.accounts.operator), pending: [] },
    ...{ marketNativePricesUsd8: [], allowance: anAllowance(), bidOf: bySize(config.planner) },
  };
  const [decision] = await decisionsOf(
    planner.plan(prospectsOf(opportunitiesIn(view, parts, config)), () => context),
  );
  if (!decision) throw new Error('no position is liquidatable');
  return decision;
}

function planOf(decision: PlanDecision): LiquidationPlan {
  if (decision.kind === 'planned') return decision.plan;
  throw new Error(`a plan was expected, not ${decision.reason} ${JSON.stringify(decision.detail)}`);
}

/** The plan on these pools, whose first liquidation the contract then executes as simulated, to the unit. */
async function carriedOut(world: World): Promise<LiquidationPlan> {
  const plan = planOf(await decideOn(world));
  const { debtCovered, collateralSeized, profit } = plan.simulation;
  const before = await treasury(plan.profitAsset.address);
  // A second of interest lies between, which the units of a stable token hardly show.
  const events = await executeCall(devnet, plan.call);
  const [event] = events;
  expect(event?.profitToken).toBe(plan.profitAsset.address);
  expect(near(event?.debtCovered, debtCovered)).toBe(true);
  expect(near(event?.collateralSeized, collateralSeized)).toBe(true);
  expect(near(event?.profit, profit)).toBe(true);
  const received = (await treasury(plan.profitAsset.address)) - before;
  expect(received).toBe(events.reduce((sum, one) => sum + one.profit, 0n));
  return plan;
}

/** Within a millionth. */
const near = (a: bigint | undefined, b: bigint): boolean =>
  a !== undefined && (a > b ? a - b : b - a) * 10n ** 6n <= b;

async function treasury(token: Address): Promise<bigint> {
  const data = devnet.token('USDC').interface.encodeFunctionData('balanceOf', [devnet.accounts.treasury]);
  return BigInt(String(await devnet.rpc('eth_call', [{ to: token, data }, 'latest'])));
}

/** Only pools that do not call back. */
const aerodromeOnly = ({ pools }: PoolsView): PoolsView =>
  viewOfPools([...pools.values()].filter(({ lends }) => !lends));

const offered = (lenders: Offers, symbol: 'USDC' | 'WETH' = 'USDC'): string[] =>
  lenders
    .for(
      { market: toAddress(devnet.addresses.pool), borrower: toAddress(borrowers[0] ?? '') },
      toAddress(devnet.tokens[symbol].address),
    )
    .map(({ name }) => name);

describe('a loan and a sale, on the real contracts', { timeout: 60_000 }, () => {
  it('the only road is a pool of Aerodrome v2: a loan without a fee pays, the profit is debt tokens', async () => {
    await open(long);
    const plan = await carriedOut(await worldNow(aerodromeOnly));
    expect(plan.funding).toMatchObject({ kind: 'loan', name: 'morpho', feeBps: 0n });
    expect(plan.profitAsset.symbol).toBe('USDC');
    expect(plan.route.parts.map(({ hops }) => hops.map(({ venue }) => venue))).toEqual([['aerodrome']]);
    expect(plan.costs.flashFeeUsd8).toBe(0n);
    // What the pool gives in the simulation is what was computed, but for the interest until the next block.
    const computed = plan.route.parts[0]?.output ?? 0n;
    expect(plan.simulation.swapOutput - computed).toBeGreaterThanOrEqual(0n);
    expect(plan.simulation.swapOutput - computed).toBeLessThan(computed / 10n ** 9n);
  });

  it('a pool that lends is there too: the flash swap is taken where the loan brings no more', async () => {
    await open(long);
    const plan = await carriedOut(await worldNow());
    expect(plan.funding).toEqual({ kind: 'flash-swap' });
    expect(plan.profitAsset.symbol).toBe('WETH');
  });

  it('collateral and debt are the same token: nothing is swapped, and the bonus is the profit', async () => {
    await open(longWithUsdc, 2_000);
    // No pool trades WETH, so that nothing of it can be liquidated.
    const plan = await carriedOut(await worldNow(() => viewOfPools([])));
    expect(plan.candidate.collateral.symbol).toBe('USDC');
    expect(plan.funding).toMatchObject({ kind: 'loan', name: 'morpho' });
    expect(plan.route.parts).toEqual([]);
    const { collateralSeized, debtCovered, profit } = plan.simulation;
    expect(profit).toBe(collateralSeized - debtCovered);
    expect(plan.costs).toMatchObject({ poolFeeUsd8: 0n, flashFeeUsd8: 0n });
  });

  it('a drained lender is not proposed: the next one is, and none is a reason', async () => {
    await open(long);
    const { morpho, balancerVault } = devnet.addresses;
    expect(offered((await worldNow()).lenders)).toEqual(['morpho', 'balancer', 'aave']);

    await drain(devnet, morpho, 'USDC', 0n);
    const withoutMorpho = await worldNow(aerodromeOnly);
    expect(offered(withoutMorpho.lenders)).toEqual(['balancer', 'aave']);
    expect(planOf(await decideOn(withoutMorpho)).funding).toMatchObject({ name: 'balancer', feeBps: 0n });

    // Another token is not meant by it.
    expect(offered(withoutMorpho.lenders, 'WETH')).toEqual(['morpho', 'balancer', 'aave']);

    await drain(devnet, balancerVault, 'USDC', 0n);
    const fromAave = await worldNow(aerodromeOnly);
    // The market lends to its own liquidation, for 5 basis points of the loan, rounded up or half up.
    const plan = await carriedOut(fromAave);
    expect(plan.funding).toMatchObject({ name: 'aave', feeBps: 5n });
    const fee = (plan.candidate.debtToFund * 5n) / 10_000n;
    expect([fee, fee + 1n]).toContain(plan.simulation.flashFee);
    expect(plan.costs.flashFeeUsd8).toBe(plan.simulation.flashFee * 100n);
  });

  it('no lender at all: the reason says that a loan is missing', async () => {
    await open(long);
    const { morpho, balancerVault } = devnet.addresses;
    for (const lender of [morpho, balancerVault]) await drain(devnet, lender, 'USDC', 0n);
    await send(
      ...([devnet, devnet.accounts.deployer, devnet.contracts.poolConfigurator] as const),
      'setReserveFlashLoaning',
      ...[devnet.tokens.USDC.address, false],
    );
    const world = await worldNow(aerodromeOnly);
    expect(offered(world.lenders)).toEqual([]);
    expect(await decideOn(world)).toMatchObject({ kind: 'rejected', reason: 'no-lender' });
  });

  it('drained after it was read: its plan reverts in the proof, and the next pass takes the next lender', async () => {
    await open(long);
    const world = await worldNow(aerodromeOnly);
    await drain(devnet, devnet.addresses.morpho, 'USDC', 0n);
    const { view } = await worldNow();
    const stale = { ...world, view };
    expect(await decideOn(stale)).toMatchObject({
      kind: 'rejected',
      reason: 'simulation-reverted',
      attempt: { debt: { symbol: 'USDC' } },
    });
    expect(planOf(await decideOn(stale)).funding).toMatchObject({ name: 'balancer' });
  });

  it('lenders with too little for all of the debt: as much as the larger one has, and a second time', async () => {
    await open(long);
    const { morpho, balancerVault } = devnet.addresses;
    await drain(devnet, morpho, 'USDC', usdc(3_000));
    await drain(devnet, balancerVault, 'USDC', usdc(9_000));
    await send(
      ...([devnet, devnet.accounts.deployer, devnet.contracts.poolConfigurator] as const),
      'setReserveFlashLoaning',
      ...[devnet.tokens.USDC.address, false],
    );
    const plan = await carriedOut(await worldNow(aerodromeOnly));
    expect(plan.funding).toMatchObject({ name: 'balancer' });
    expect(plan.candidate.sizing).toBe('lender-depth');
    expect(plan.candidate.debtToFund).toBeLessThanOrEqual(usdc(9_000));
    expect(plan.candidate.debtToFund).toBeGreaterThan(usdc(8_999));
    expect(plan.further?.[0]).toMatchObject({ funding: { name: 'balancer' } });
  });
});
