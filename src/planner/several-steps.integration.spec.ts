import { describe, expect, it } from 'vitest';
import { initialPrices, type Devnet, type PositionRequest } from '../../devnet/index.js';
import { aaveParts, LIQUIDATABLE, viewOfAccounts, type AaveParts } from '../../testing/aave-state.js';
import { anAllowance } from '../../testing/builders/allowance.js';
import { onCleanChain } from '../../testing/clean-chain.js';
import { decisionsOf } from '../../testing/decisions.js';
import { configOf } from '../../testing/devnet-config.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { offersAt } from '../../testing/lenders.js';
import { opportunitiesIn } from '../../testing/opportunities.js';
import { prospectsOf } from '../../testing/prospects.js';
import { poolsAt } from '../../testing/pools.js';
import { sendFrom } from '../../testing/transactions.js';
import { chimeraEvents, revertReason } from '../contract/contract.js';
import { bySize } from '../domain/bid.js';
import { toAddress, type Hex } from '../domain/hex.js';
import { valueUsd8 } from '../domain/money.js';
import type { Opportunity } from '../domain/opportunity.js';
import type { LiquidationPlan } from '../domain/plan.js';
import type { Chain } from '../rpc/chain/chain.js';
import { OpStackFees } from '../rpc/fees/op-stack-fees.js';
import type { StateView } from '../state/state-view.js';
import { ExecutionPlanner } from './execution-planner.js';
import type { PlanningContext } from './planning-context.js';
import { quotesInTurns, type Quote } from './quotes.js';

const ETHER = 10n ** 18n;

/** At $2,780 for one WETH and 10 WETH: a health factor of 0.982. */
const long: PositionRequest = {
  collaterals: [{ symbol: 'WETH', amount: 10n * ETHER }],
  debts: [{ symbol: 'USDC', amount: 23_500n * 10n ** 6n }],
};

/** Two collaterals and two debts. */
const mixed: PositionRequest = {
  collaterals: [
    { symbol: 'WETH', amount: 6n * ETHER },
    { symbol: 'cbBTC', amount: 20_000_000n },
  ],
  debts: [
    { symbol: 'USDC', amount: 16_000n * 10n ** 6n },
    { symbol: 'cbETH', amount: 3n * ETHER },
  ],
};

let devnet: Devnet;
let chain: Chain;

onCleanChain((started) => ({ devnet, chain } = started));

interface World {
  readonly context: PlanningContext;
  readonly opportunities: readonly Opportunity[];
}

let borrower: string;

async function open(position: PositionRequest, prices: Record<string, number>): Promise<void> {
  borrower = await devnet.openPosition(position);
  await setPrices(prices);
}

/** Whole dollars, or parts of them. */
async function setPrices(prices: Record<string, number>): Promise<void> {
  const changed = Object.entries(prices).map(([symbol, price]) => [symbol, BigInt(price * 1e8)]);
  await devnet.setPrices({ ...initialPrices(), ...(Object.fromEntries(changed) as object) });
}

async function worldNow(): Promise<World> {
  const config = configOf(devnet);
  const parts: AaveParts = aaveParts(chain, config, LIQUIDATABLE);
  const view: StateView = await viewOfAccounts(parts, chain, [borrower]);
  const { hash } = view.block;
  const context: PlanningContext = {
    block: view.block,
    pools: await poolsAt(devnet, chain, config, hash),
    lenders: await offersAt(devnet, chain, config, hash),
    nativePriceUsd8: view.of(parts.feeds).native?.answer ?? 0n,
    operator: toAddress(devnet.accounts.operator),
    pending: [],
    marketNativePricesUsd8: [],
    bidOf: bySize(config.planner),
    allowance: anAllowance(),
  };
  return { context, opportunities: opportunitiesIn(view, parts, config) };
}

async function planOn({ context, opportunities }: World): Promise<LiquidationPlan> {
  const planner = new ExecutionPlanner(chain, new OpStackFees(), new RecordedEvents(), configOf(devnet));
  const [decision] = await decisionsOf(planner.plan(prospectsOf(opportunities), () => context));
  if (decision?.kind === 'planned') return decision.plan;
  throw new Error(`a plan was expected, not ${JSON.stringify(decision?.reason)}`);
}

function quoteOn({ context, opportunities }: World): Quote {
  for (const turn of quotesInTurns(context, prospectsOf(opportunities)))
    if (turn?.decision.kind === 'quoted') return turn.decision.quote;
  throw new Error('a quote was expected');
}

type Events = ReturnType<typeof chimeraEvents>;

async function execute({ call }: LiquidationPlan): Promise<Events> {
  const { logs } = await sendFrom(devnet, devnet.accounts.operator, { ...call, gas: call.gasLimit });
  const hex = (text: string): Hex => `0x${text.slice(2)}`;
  const ours = logs.map(({ address, topics, data }) => ({
    address: toAddress(address),
    topics: topics.map(hex),
    data: hex(data),
  }));
  return chimeraEvents(ours, call.to);
}

/** What the call of a plan would revert with now. */
async function revertOf({ call }: LiquidationPlan): Promise<string> {
  const from = toAddress(devnet.accounts.operator);
  const { hash } = await chain.getBlock('latest');
  const [answer] = await chain.simulateV1([{ from, to: call.to, data: call.data, gas: call.gasLimit }], hash);
  return answer?.success === false ? revertReason(answer.returnData) : 'succeeds';
}

const stepsOf = (plan: LiquidationPlan): NonNullable<LiquidationPlan['further']> => [
  plan,
  ...(plan.further ?? []),
];
/** Within a hundred-thousandth: a second of interest lies between. */
const near = (a: bigint, b: bigint): boolean => (a > b ? a - b : b - a) * 10n ** 5n <= b;

/** Carried out as simulated, liquidation by liquidation, and worth what it says. @returns USD8 */
async function carriedOut(plan: LiquidationPlan): Promise<bigint> {
  const events = await execute(plan);
  const steps = stepsOf(plan);
  expect(events.map(({ kind }) => kind)).toEqual(steps.map(() => 'liquidated'));
  let worthUsd8 = 0n;
  for (const [index, event] of events.entries()) {
    const step = steps[index];
    if (event.kind !== 'liquidated' || !step) throw new Error('a liquidation was expected');
    expect(event).toMatchObject({ borrower: toAddress(borrower), profitToken: step.profitAsset.address });
    for (const amount of ['debtCovered', 'collateralSeized', 'profit'] as const)
      expect(near(event[amount], step.simulation[amount]), `${index}: ${amount}`).toBe(true);
    // What was computed in memory is what the contract did.
    expect(near(event.collateralSeized, step.candidate.collateralSeized), `${index}: computed`).toBe(true);
    worthUsd8 += valueUsd8(event.profit, step.profitAsset);
  }
  expect(near(worthUsd8, plan.grossProfitUsd8)).toBe(true);
  return worthUsd8;
}

describe(
  'several liquidations of one borrower in one transaction, on the real contracts',
  { timeout: 60_000 },
  () => {
    it('above a health factor of 0.95 two steps earn more than the half that one may cover', async () => {
      await open(long, { WETH: 2_780 });
      const world = await worldNow();
      const plan = await planOn(world);
      expect(stepsOf(plan).map(({ candidate }) => candidate.sizing)).toEqual(['leaves-open', 'close-factor']);
      const worth = await carriedOut(plan);
      expect(worth * 100n).toBeGreaterThan((quoteOn(world).alone?.grossUsd8 ?? 0n) * 110n);
    });

    it('of two collaterals and two debts the best sequence, which earns more than the best single pair', async () => {
      await open(
        mixed,
        // (6 · 2,450 · 0.83 + 0.2 · 82,000 · 0.78) / (16,000 + 3 · 3,300): 0.965.
        { WETH: 2_450, cbBTC: 82_000 },
      );
      const world = await worldNow();
      const plan = await planOn(world);
      expect(world.opportunities[0]?.pairs).toHaveLength(4);
      expect(stepsOf(plan).length).toBeGreaterThan(1);
      const worth = await carriedOut(plan);
      expect(worth).toBeGreaterThan(quoteOn(world).alone?.grossUsd8 ?? worth);
    });

    it('all of a small debt: the first step brings it below 2,000 USD', async () => {
      await open(
        {
          collaterals: [{ symbol: 'WETH', amount: ETHER }],
          debts: [{ symbol: 'USDC', amount: 2_300n * 10n ** 6n }],
        },
        { WETH: 2_700 },
      );
      const plan = await planOn(await worldNow());
      expect(stepsOf(plan).map(({ candidate }) => candidate.sizing)).toEqual(['leaves-open', 'all-debt']);
      await carriedOut(plan);
      expect((await devnet.accountData(borrower)).totalDebtUsd8).toBe(0n);
    });

    it('a price that comes back closes it to the second step: the first one is kept, and pays for itself', async () => {
      await open(long, { WETH: 2_780 });
      const plan = await planOn(await worldNow());
      await setPrices({ WETH: 2_782 });
      const [first, second] = await execute(plan);
      expect(first).toMatchObject({ kind: 'liquidated' });
      expect(second).toMatchObject({ kind: 'failed', index: 1n });
      expect(second?.kind === 'failed' && revertReason(second.reason)).toBe('HealthFactorNotBelowThreshold');
      expect(first?.kind === 'liquidated' && first.profit >= plan.minProfit).toBe(true);
    });

    it('a rival who was first ends both steps at once: the transaction reverts with the reason', async () => {
      await open(long, { WETH: 2_780 });
      const plan = await planOn(await worldNow());
      await execute(plan);
      expect(await revertOf(plan)).toMatch(/^NothingToLiquidate/);
    });

    it('a rival who took the second of three steps leaves the first: it pays, and the others fail alone', async () => {
      await open(
        mixed,
        // Below 0.95: all of each debt may be covered.
        { WETH: 2_350, cbBTC: 78_000 },
      );
      const world = await worldNow();
      const plan = await planOn(world);
      const [first, second] = stepsOf(plan);
      const only = ({ candidates: [one] }: Opportunity['pairs'][number]): boolean =>
        one?.collateral.address === second?.candidate.collateral.address &&
        one?.debt.address === second?.candidate.debt.address;
      const opportunities = world.opportunities.map((one) => ({ ...one, pairs: one.pairs.filter(only) }));
      const rival = await planOn({ ...world, opportunities });
      expect(rival.candidate.debt.symbol).not.toBe(plan.candidate.debt.symbol);
      await execute(rival);

      const [liquidated, ...failed] = await execute(plan);
      expect(liquidated).toMatchObject({
        kind: 'liquidated',
        debtAsset: first?.candidate.debt.address,
        profit: first?.simulation.profit,
      });
      expect(failed.map((one) => one.kind === 'failed' && revertReason(one.reason))).toEqual([
        expect.stringMatching(/^NothingToLiquidate/),
        'HealthFactorNotBelowThreshold',
      ]);
    });
  },
);
