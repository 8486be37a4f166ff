import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { initialPrices, startDevnet, type Devnet, type PositionRequest } from '../../devnet/index.js';
import { aaveParts, LIQUIDATABLE, viewOfAccounts } from '../../testing/aave-state.js';
import { anAllowance } from '../../testing/builders/allowance.js';
import { decisionsOf } from '../../testing/decisions.js';
import { configOf } from '../../testing/devnet-config.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { FakeRpc } from '../../testing/nodes/fake-rpc.js';
import { opportunitiesIn } from '../../testing/opportunities.js';
import { poolsAt } from '../../testing/pools.js';
import { prospectsOf } from '../../testing/prospects.js';
import { sendFrom } from '../../testing/transactions.js';
import { bySize } from '../domain/bid.js';
import { toAddress } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import type { LiquidationPlan } from '../domain/plan.js';
import { Secret } from '../domain/secret.js';
import { NO_OFFERS } from '../liquidity/lenders/offers.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { OpStackFees } from '../rpc/fees/op-stack-fees.js';
import { ExecutionPlanner } from './execution-planner.js';

const ETHER = 10n ** 18n;
const longEther = (tenths: bigint): PositionRequest => ({
  collaterals: [{ symbol: 'WETH', amount: (tenths * ETHER) / 10n }],
  debts: [{ symbol: 'USDC', amount: tenths * 235n * 10n ** 6n }],
});

interface SimulatedCall {
  readonly from: string;
  readonly to: string;
  readonly input: string;
  readonly gas: string;
  readonly maxFeePerGas?: string;
  readonly maxPriorityFeePerGas?: string;
}

let devnet: Devnet;
/** In front of the chain. */
let node: FakeRpc;
let pool: RpcPool;
let chain: Chain;
let clean: string;
/** The calls of each question. */
let asked: (readonly SimulatedCall[])[];

beforeAll(async () => {
  devnet = await startDevnet({ poolDepthUsd8: 2_000_000n * USD8 });
  node = await FakeRpc.start();
  node.forwardTo(devnet.rpcUrl);
  node.on('eth_simulateV1', async (params) => {
    const [{ blockStateCalls }] = params as [{ blockStateCalls: [{ calls: SimulatedCall[] }] }];
    asked.push(blockStateCalls[0].calls);
    return devnet.rpc('eth_simulateV1', [...params]);
  });
  pool = new RpcPool({
    chainId: devnet.chainId,
    primary: { http: new Secret(node.url('http')) },
    timings: { deadlineMs: 30_000 },
  });
  chain = new Chain(pool);
});

beforeEach(async () => {
  asked = [];
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

/** The plans of one pass: of positions that were opened, and fall below 1. */
async function plansOf(
  positions: readonly PositionRequest[],
  planner: ExecutionPlanner,
): Promise<LiquidationPlan[]> {
  const config = configOf(devnet);
  await devnet.setPrices(initialPrices());
  const borrowers = await devnet.openPositions(positions);
  await devnet.setPrices({ ...initialPrices(), WETH: 2_600n * USD8 });
  const parts = aaveParts(chain, config, LIQUIDATABLE);
  const view = await viewOfAccounts(parts, chain, borrowers);
  const context = {
    block: view.block,
    pools: await poolsAt(devnet, chain, config, view.block.hash),
    ...{ lenders: NO_OFFERS, pending: [], marketNativePricesUsd8: [], allowance: anAllowance() },
    bidOf: bySize(config.planner),
    nativePriceUsd8: view.of(parts.feeds).native?.answer ?? 0n,
    operator: toAddress(devnet.accounts.operator),
  };
  const opportunities = opportunitiesIn(view, parts, configOf(devnet, { minProfitUsd: '0' }));
  const decisions = await decisionsOf(planner.plan(prospectsOf(opportunities), () => context));
  return decisions.map((decision) => {
    if (decision.kind !== 'planned') throw new Error(`a plan was expected, not ${decision.reason}`);
    return decision.plan;
  });
}

const newPlanner = (): ExecutionPlanner =>
  new ExecutionPlanner(chain, new OpStackFees(), new RecordedEvents(), configOf(devnet));

const hexOf = (value: bigint): string => `0x${value.toString(16)}`;

/** What a node must have simulated before the plan may be signed. */
const signedCallOf = ({ call }: LiquidationPlan): SimulatedCall => ({
  from: toAddress(devnet.accounts.operator),
  to: call.to,
  input: call.data,
  gas: hexOf(call.gasLimit),
  maxFeePerGas: hexOf(call.maxFeePerGas),
  maxPriorityFeePerGas: hexOf(call.maxPriorityFeePerGas),
});

/** With the gas limits of the plans. */
async function execute(plans: readonly LiquidationPlan[]): Promise<void> {
  for (const { call, simulation } of plans) {
    const { to, data, gasLimit: gas } = call;
    const receipt = await sendFrom(devnet, devnet.accounts.operator, { to, data, gas });
    const gasUsed = BigInt(receipt.gasUsed);
    expect(gasUsed).toBeLessThan(gas);
    // What was simulated is what it burns. Some seconds of interest lie between.
    expect(gasUsed).toBeLessThan((simulation.gasUsed * 21n) / 20n);
  }
}

describe('what is signed was simulated, on the real contracts', { timeout: 60_000 }, () => {
  it('by the first question, for liquidations of which nothing is known yet', async () => {
    const plans = await plansOf([60n, 40n, 30n].map(longEther), newPlanner());
    expect(asked).toHaveLength(1);
    expect(asked[0]).toEqual(plans.map(signedCallOf));
    await execute(plans);
  });

  it.each([
    ['leaves too little', 2_200, 2],
    ['is used up', 8_000, 2],
    ['is used up, and what it gets then is far too high', 5_000, 3],
  ])('by a further question, where the first gas limit %s', async (_, loops, questions) => {
    const planner = newPlanner();
    // Of others of this form it is known how little they burn.
    await plansOf([30n, 20n].map(longEther), planner);
    asked = [];
    await makeFeedDear(loops);
    const plans = await plansOf([longEther(50n)], planner);
    expect(asked).toHaveLength(questions);
    const gas = asked.map((calls) => BigInt(calls[0]?.gas ?? 0));
    expect(gas.at(-1)).toBeGreaterThan(gas[0] ?? 0n);
    expect(asked.at(-1)).toEqual(plans.map(signedCallOf));
    for (const calls of asked.slice(0, -1)) expect(calls).not.toEqual(plans.map(signedCallOf));
    await execute(plans);
  });
});

/** Each look at the price of WETH burns 26 gas more for each loop. */
async function makeFeedDear(loops: number): Promise<void> {
  const { feed } = devnet.tokens.WETH;
  const moved = `0x${'fe'.repeat(20)}`;
  await devnet.rpc('anvil_setCode', [moved, await devnet.rpc('eth_getCode', [feed, 'latest'])]);
  const loop = `61${loops.toString(16).padStart(4, '0')}5b60019003806003575`.concat('0');
  // Then it does what it did before: a delegate call that hands on answer and revert.
  const then = `365f5f375f5f365f73${moved.slice(2)}5af43d5f5f3e6036573d5ffd5b3d5ff3`;
  await devnet.rpc('anvil_setCode', [feed, `0x${loop}${then}`]);
}
