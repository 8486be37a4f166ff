import { prospectsOf } from '../../testing/prospects.js';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import {
  initialPrices,
  startDevnet,
  type Devnet,
  type PositionRequest,
  type TokenSymbol,
} from '../../devnet/index.js';
import type { BotSettings } from '../../devnet/stack/bot-config.js';
import { decisionsOf } from '../../testing/decisions.js';
import { anAllowance } from '../../testing/builders/allowance.js';
import { aaveParts, LIQUIDATABLE, viewOfAccounts, type AaveParts } from '../../testing/aave-state.js';
import { configOf } from '../../testing/devnet-config.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { poolsAt } from '../../testing/pools.js';
import { opportunitiesIn } from '../../testing/opportunities.js';
import { FakeRpc, NodeRefusal } from '../../testing/nodes/fake-rpc.js';
import { executeCall } from '../../testing/execute-plan.js';
import { bySize } from '../domain/bid.js';
import type { ChimeraConfig } from '../config/index.js';
import type { PlanDecision } from '../domain/decision.js';
import { toAddress } from '../domain/hex.js';
import { formatUsd8, USD8 } from '../domain/money.js';
import type { Opportunity } from '../domain/opportunity.js';
import type { LiquidationPlan, TransactionCall } from '../domain/plan.js';
import { quotedInputOf, type Hop } from '../domain/route.js';
import type { LiquidatedEvent } from '../contract/bindings.js';
import { Secret } from '../domain/secret.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { NO_OFFERS } from '../liquidity/lenders/offers.js';
import { OpStackFees } from '../rpc/fees/op-stack-fees.js';
import type { StateView } from '../state/state-view.js';
import { callOf, draftOf } from './drafts.js';
import { ExecutionPlanner } from './execution-planner.js';

const ether = (thousandths: number): bigint => BigInt(thousandths) * 10n ** 15n;
const usdc = (dollars: number): bigint => BigInt(dollars) * 10n ** 6n;
/** 1 WETH of collateral for 2,350 USDC: health factor 1.06 at $3,000. */
const longEther = (size: number): PositionRequest => ({
  collaterals: [{ symbol: 'WETH', amount: ether(1000 * size) }],
  debts: [{ symbol: 'USDC', amount: usdc(2350 * size) }],
});

/** 10 cbETH of collateral for 0.275 cbBTC, which no pool trades for each other. */
const longCbEth: PositionRequest = {
  collaterals: [{ symbol: 'cbETH', amount: ether(10_000) }],
  debts: [{ symbol: 'cbBTC', amount: 27_500_000n }],
};

/** 20 cbETH of collateral for 48,000 USDC. */
const longCbEthForUsdc: PositionRequest = {
  collaterals: [{ symbol: 'cbETH', amount: ether(20_000) }],
  debts: [{ symbol: 'USDC', amount: usdc(48_000) }],
};

const FLASH_SWAP = { kind: 'flash-swap' } as const;
const RICH = 10n ** 9n * USD8;
/** JUMPDEST, PUSH1 0, JUMP */
const JUMPS_FOR_EVER = '0x5b600056';

let devnet: Devnet;
/** In front of the chain. */
let node: FakeRpc;
let chain: Chain;
let pool: RpcPool;
let clean: string;

beforeAll(async () => {
  // Shallow pools, so that a large liquidation meets their depth.
  devnet = await startDevnet({ poolDepthUsd8: 2_000_000n * USD8 });
  node = await FakeRpc.start();
  node.forwardTo(devnet.rpcUrl);
  pool = new RpcPool({
    chainId: devnet.chainId,
    primary: { http: new Secret(node.url('http')) },
    timings: { deadlineMs: 30_000 },
  });
  chain = new Chain(pool);
});

beforeEach(async () => {
  clean = await devnet.snapshot();
});

afterEach(async () => {
  await devnet.revert(clean);
});

afterAll(async () => {
  pool.close();
  await node.stop();
  await devnet.stop();
});

describe('planning on the real contracts', () => {
  it('simulates what the contract then does: debt, collateral and profit are equal to the wei', async () => {
    await open([longEther(10)], { WETH: 2_700 });
    const [plan] = plansOf(await decide());
    const [event] = await execute(plan);
    expect(event).toMatchObject({
      debtCovered: plan?.simulation.debtCovered,
      collateralSeized: plan?.simulation.collateralSeized,
      profit: plan?.simulation.profit,
    });
  });

  it('covers all of the debt below a health factor of 0.95, although interest accrues until inclusion', async () => {
    const [borrower = ''] = await open([longEther(10)], { WETH: 2_600 });
    const [plan] = plansOf(await decide());
    expect(plan?.candidate.sizing).toBe('all-debt');
    await devnet.increaseTime(30);
    await execute(plan);
    expect((await devnet.accountData(borrower)).totalDebtUsd8).toBe(0n);
  });

  it('covers half of the debt above 0.95, and leaves no less than the minimum of the protocol', async () => {
    // A health factor so close to 1 that no step can leave it open to another one.
    const [borrower = ''] = await open([longEther(2)], { WETH: 2_831 });
    const first = plansOf(await decide())[0];
    expect(first?.candidate.sizing).toBe('close-factor');
    await execute(first);
    expect((await devnet.accountData(borrower)).totalDebtUsd8).toBeGreaterThanOrEqual(1000n * USD8);
  });

  it('covers no more than the depth of the pools pays for', async () => {
    await open([longEther(400)], { WETH: 2_600 });
    const [plan] = plansOf(await decide());
    expect(plan?.candidate.sizing).toBe('swap-depth');
    const [event] = await execute(plan);
    const whole = 2350n * 400n * 10n ** 6n;
    expect(event?.debtCovered).toBeLessThan(whole);
    expect(event?.profit).toBeGreaterThan(0n);
  });

  it('proves plans that use the same pool in the order in which they are sent', async () => {
    await open([longEther(6), longEther(5), longEther(4)], { WETH: 2_600 });
    const plans = plansOf(await decide());
    expect(plans).toHaveLength(3);
    const events = await execute(...plans);
    const steps = plans.flatMap((plan) => [plan, ...(plan.further ?? [])]);
    expect(events).toHaveLength(steps.length);
    for (const [index, { profit }] of events.entries()) {
      const simulated = steps[index]?.simulation.profit ?? 0n;
      // Interest of a few seconds until the block is a billionth of the profit. The trades of the other plans
      // change far more.
      const difference = profit > simulated ? profit - simulated : simulated - profit;
      expect(difference * 10n ** 7n).toBeLessThan(simulated);
    }
  });

  it('simulates after the calls that are sent and not mined yet', async () => {
    await open([longEther(6), longEther(5)], { WETH: 2_600 });
    const [first, second] = plansOf(await decide());
    const pending = first ? [first.call] : [];
    const again = plansOf(await decide({}, pending)).find(({ borrower }) => borrower === second?.borrower);
    expect(again?.simulation.profit).toBe(second?.simulation.profit);
  });

  it('F47 a token that burns all gas it gets takes nothing from the plans after it', async () => {
    const [greedy = '', ...others] = await open(
      [longCbEthForUsdc, ...[8, 7, 6, 5, 4, 3, 2].map((tenths) => longEther(tenths / 10))],
      {
        WETH: 2_600,
        cbETH: 2_800,
      },
    );
    const state = await stateNow(configOf(devnet));
    node.on('eth_simulateV1', ([simulation, at]) => likeGeth(simulation as Simulation, at));
    const before = plansOf(await decideOn(state));
    expect(before.map(({ borrower }) => borrower)).toEqual([greedy, ...others].map(toAddress));

    const aToken: unknown = await devnet.contracts.aavePool.getFunction('getReserveAToken')(
      devnet.tokens.cbETH.address,
    );
    const code: unknown = await devnet.rpc('eth_getCode', [aToken, 'latest']);
    await devnet.rpc('anvil_setCode', [aToken, JUMPS_FOR_EVER]);
    const decisions = await decideOn(state);
    expect(plansOf(decisions).map(({ borrower }) => borrower)).toEqual(others.map(toAddress));
    expect(decisions.filter(({ kind }) => kind === 'rejected')).toMatchObject([
      { reason: 'simulation-reverted', opportunity: { borrower: toAddress(greedy) } },
    ]);

    await devnet.rpc('anvil_setCode', [aToken, code]);
    expect(plansOf(await decideOn(state))).toHaveLength(8);
    node.forwardTo(devnet.rpcUrl);
  });

  it('goes over a third token where no pool trades the collateral for the debt, as it was computed', async () => {
    await open([longCbEth], { cbETH: 2_900 });
    const [plan] = plansOf(await decide());
    if (!plan) throw new Error('a plan was expected');
    expect(plan.route.parts.every(({ hops }) => hops.length > 1)).toBe(true);
    // What the pools take in the simulation is what was computed, to the unit.
    expect(plan.simulation.swapInput).toBe(quotedInputOf(plan.route));
    const [event] = await execute(plan);
    expect(event?.profit).toBeGreaterThanOrEqual(plan.minProfit);
  });

  it('gives steps that the contract executes, for a split over two routes of two hops', async () => {
    await open([longCbEth], { cbETH: 2_900 });
    const state = await stateNow(configOf(devnet));
    const [opportunity] = opportunitiesOf(state);
    const pair = opportunity!.pairs[0]!;
    const candidate = pair.candidates[0]!;
    const half = candidate.debtToFund / 2n;
    const route = {
      parts: [
        { quotedInput: 1n, output: half, hops: hopsOf('cbETH', 'WETH', 'cbBTC') },
        { quotedInput: 1n, output: candidate.debtToFund - half, hops: hopsOf('cbETH', 'USDC', 'cbBTC') },
      ],
    };
    const quote = { candidate, pair, funding: FLASH_SWAP, route, sharesBps: [], profit: 0n, grossUsd8: RICH };
    const at = { block: state.view.block, nativePriceUsd8: USD8 };
    const draft = draftOf(opportunity!, quote, at, 0n);
    if ('kind' in draft) throw new Error(draft.reason);
    const [event] = await executeCalls({
      to: configOf(devnet).execution.chimera,
      data: callOf(draft.liquidations, draft.deadline),
    });
    expect(event?.debtCovered).toBeGreaterThanOrEqual(candidate.debtToCover);
    expect(event?.profit).toBeGreaterThan(0n);
  });

  it('rejects what earns less than the floor after costs, with the numbers', async () => {
    await open([longEther(1)], { WETH: 2_600 });
    const [decision] = await decide({ minProfitUsd: '200' });
    expect(decision).toMatchObject({
      kind: 'rejected',
      reason: 'profit-below-floor',
      detail: { floorUsd8: '20000000000' },
    });
  });

  it('covers only what the limit of the operator allows', async () => {
    await open([longEther(10)], { WETH: 2_600 });
    const [plan] = plansOf(await decide({}, [], 500n * USD8));
    expect(plan?.candidate.sizing).toBe('notional-limit');
    expect(formatUsd8(plan?.notionalUsd8 ?? 0n)).toBe('500.00');
  });

  it('makes calls that the contract reverts when the market falls before they are mined', async () => {
    await open([longEther(10)], { WETH: 2_600 });
    const [plan] = plansOf(await decide());
    await devnet.setPrice('WETH', 2_300n * USD8);
    await expect(execute(plan)).rejects.toThrow('failed');
  });

  it('pays every cost out of the simulated profit, and bids without going below the floor', async () => {
    await open([longEther(10)], { WETH: 2_600 });
    const [plan] = plansOf(await decide());
    if (!plan) throw new Error('a plan was expected');
    const { costs, grossProfitUsd8, netProfitUsd8 } = plan;
    expect(netProfitUsd8).toBe(
      grossProfitUsd8 - costs.l2GasUsd8 - costs.l1DataUsd8 - costs.operatorUsd8 - costs.bidUsd8,
    );
    expect(costs.l1DataUsd8).toBeGreaterThan(0n);
    expect(costs.bidUsd8).toBeGreaterThan(0n);
    expect(netProfitUsd8).toBeGreaterThanOrEqual(5n * USD8);
  });
});

/**
 * Opens positions at the initial prices, then moves feeds and pools, whole dollars.
 *
 * @returns the borrowers
 */
async function open(
  positions: readonly PositionRequest[],
  dollars: Partial<Record<TokenSymbol, number>>,
): Promise<string[]> {
  borrowers = await devnet.openPositions(positions);
  await devnet.setPrices({
    ...initialPrices(),
    ...Object.fromEntries(Object.entries(dollars).map(([symbol, price]) => [symbol, BigInt(price) * USD8])),
  });
  return borrowers;
}

interface Simulation {
  readonly blockStateCalls: readonly [{ readonly calls: readonly { readonly gas?: string }[] }];
}

/** Geth spends `rpc.gascap` on all calls together. One without a limit may use what is left of it. */
async function likeGeth(simulation: Simulation, at: unknown): Promise<unknown> {
  const [block] = simulation.blockStateCalls;
  let left = 20_000_000n;
  let answer: unknown = [{ calls: [] }];
  const calls: object[] = [];
  for (const call of block.calls) {
    const wanted = call.gas === undefined ? left : BigInt(call.gas);
    calls.push({ ...call, gas: `0x${(wanted < left ? wanted : left).toString(16)}` });
    try {
      answer = await devnet.rpc('eth_simulateV1', [
        { ...simulation, blockStateCalls: [{ ...block, calls }] },
        at,
      ]);
    } catch {
      return new NodeRefusal(-38013, 'intrinsic gas too low');
    }
    const [{ calls: results }] = answer as [{ calls: { gasUsed: string }[] }];
    left -= BigInt(results.at(-1)?.gasUsed ?? 0);
  }
  return answer;
}

let borrowers: string[] = [];

async function decide(
  settings: BotSettings = {},
  pending: readonly LiquidationPlan['call'][] = [],
  limitUsd8?: bigint,
): Promise<PlanDecision[]> {
  const config: ChimeraConfig = configOf(devnet, settings);
  return decideOn(await stateNow(config), config, pending, limitUsd8);
}

async function decideOn(
  state: StateNow,
  config = configOf(devnet),
  pending: readonly LiquidationPlan['call'][] = [],
  limitUsd8?: bigint,
): Promise<PlanDecision[]> {
  const planner = new ExecutionPlanner(chain, new OpStackFees(), new RecordedEvents(), config);
  const { view, feeds } = state;
  const pools = await poolsAt(devnet, chain, config, view.block.hash);
  const context = {
    block: view.block,
    ...{ pools, lenders: NO_OFFERS, pending, marketNativePricesUsd8: [], allowance: anAllowance() },
    bidOf: bySize(config.planner),
    nativePriceUsd8: view.of(feeds).native?.answer ?? 0n,
    operator: toAddress(devnet.accounts.operator),
  };
  return decisionsOf(planner.plan(prospectsOf(opportunitiesOf(state, limitUsd8)), () => context));
}

interface StateNow extends AaveParts {
  readonly view: StateView;
}

async function stateNow(config: ChimeraConfig): Promise<StateNow> {
  const parts = aaveParts(chain, config, LIQUIDATABLE);
  return { ...parts, view: await viewOfAccounts(parts, chain, borrowers) };
}

/** Without a profit floor, which the planner of the test applies. */
function opportunitiesOf(state: StateNow, limitUsd8?: bigint): Opportunity[] {
  return opportunitiesIn(state.view, state, configOf(devnet, { minProfitUsd: '0' }), limitUsd8);
}

/** Through the Uniswap pools of these tokens, one after the other. */
function hopsOf(...symbols: TokenSymbol[]): Hop[] {
  return symbols.slice(1).map((symbolOut, index) => {
    const symbolIn = symbols[index]!;
    const pool = devnet.pools.find(({ token0, token1 }) =>
      [token0, token1].every((token) => token === symbolIn || token === symbolOut),
    );
    if (!pool) throw new Error(`no pool trades ${symbolIn} for ${symbolOut}`);
    const [tokenIn, tokenOut] = [symbolIn, symbolOut].map((symbol) =>
      toAddress(devnet.tokens[symbol].address),
    );
    return {
      venue: 'uniswap-v3',
      pool: toAddress(pool.address),
      tokenIn: tokenIn!,
      tokenOut: tokenOut!,
      feePips: pool.fee,
      parameter: pool.fee,
    };
  });
}

function plansOf(decisions: readonly PlanDecision[]): LiquidationPlan[] {
  return decisions.flatMap((decision) => (decision.kind === 'planned' ? [decision.plan] : []));
}

/** Sends the calls of the plans. See {@link executeCalls}. */
async function execute(...plans: readonly (LiquidationPlan | undefined)[]): Promise<LiquidatedEvent[]> {
  if (plans.includes(undefined)) throw new Error('a plan was expected');
  return executeCalls(...plans.flatMap((plan) => plan?.call ?? []));
}

/** Sends the calls from the executor, one block each. @returns the events of the contract */
async function executeCalls(
  ...calls: readonly Pick<TransactionCall, 'to' | 'data'>[]
): Promise<LiquidatedEvent[]> {
  const events: LiquidatedEvent[] = [];
  for (const call of calls) events.push(...(await executeCall(devnet, call)));
  return events;
}
