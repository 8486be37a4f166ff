import { prospectsOf } from '../../testing/prospects.js';
import { Interface } from 'ethers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anAllowance } from '../../testing/builders/allowance.js';
import { decisionsOf } from '../../testing/decisions.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import {
  BELOW_FLOOR,
  config,
  context,
  ETHER,
  fees,
  header,
  large,
  NATIVE_PRICE,
  reverts,
  small,
  succeeds,
  type SimulatedAnswer,
} from '../../testing/proofs.js';
import { startFakePool, type FakePool as FakeEndpoints } from '../../testing/nodes/fake-pool.js';
import { BLOCK, WETH } from '../../testing/builders/opportunities.js';
import { CHIMERA_ABI } from '../contract/bindings.js';
import { totalCostsUsd8 } from '../domain/costs.js';
import { type Hex } from '../domain/hex.js';
import type { PlanDecision } from '../domain/decision.js';
import type { Opportunity } from '../domain/opportunity.js';
import type { LiquidationPlan } from '../domain/plan.js';
import { Chain } from '../rpc/chain/chain.js';
import { ExecutionPlanner } from './execution-planner.js';
import type { PlanningContext } from './planning-context.js';

const abi = new Interface(CHIMERA_ABI);
let endpoints: FakeEndpoints;
let planner: ExecutionPlanner;
/** What the node answers, one for each call. */
let answers: SimulatedAnswer[];
let requestsBefore = 0;

beforeAll(async () => {
  endpoints = await startFakePool({ withBackup: false, timings: { deadlineMs: 10_000 } });
  endpoints.primary.on('eth_simulateV1', () => [{ calls: answers }]);
  endpoints.primary.on('eth_getBlockByHash', () => header);
  // The one thing that is read beside the simulation is the price of the native token.
  endpoints.primary.on('eth_call', () => NATIVE_PRICE);
  planner = new ExecutionPlanner(new Chain(endpoints.pool), fees, new RecordedEvents(), config);
});

beforeEach(() => {
  endpoints.primary.seen.length = 0;
  requestsBefore = endpoints.primary.requests;
});

afterAll(() => endpoints.close());

/** What is pending stays the same, whatever was planned before. */
function planned(opportunities: readonly Opportunity[], now: PlanningContext): Promise<PlanDecision[]> {
  return decisionsOf(planner.plan(prospectsOf(opportunities), () => now));
}

/** Of each call of the one simulation: the borrower that its calldata names, if any. */
function simulatedBorrowers(): (string | undefined)[] {
  expect(endpoints.primary.requests - requestsBefore).toBe(1);
  const [request] = endpoints.primary.seenOf('eth_simulateV1');
  const [{ blockStateCalls }] = request?.params as [
    { blockStateCalls: readonly [{ calls: readonly { input: string }[] }] },
  ];
  return blockStateCalls[0].calls.map(({ input }) =>
    [small, large].map(({ borrower }) => borrower).find((borrower) => input.includes(borrower.slice(2))),
  );
}

describe('proof of plans, with pools and fees that need no chain', () => {
  it('simulates all drafts in one request, the most profitable first', async () => {
    answers = [succeeds(ETHER / 5n), succeeds(ETHER / 25n)];
    const decisions = await planned([small, large], context);
    expect(simulatedBorrowers()).toEqual([large.borrower, small.borrower]);
    expect(decisions).toMatchObject([
      { kind: 'planned', plan: { borrower: large.borrower, simulation: { profit: ETHER / 5n } } },
      { kind: 'planned', plan: { borrower: small.borrower, simulation: { profit: ETHER / 25n } } },
    ]);
  });

  it('charges the fees that its fee model gives', async () => {
    answers = [succeeds(ETHER / 5n)];
    // 0.00001 ether at $2,500.
    expect(await planned([large], context)).toMatchObject([
      { plan: { costs: { l1DataUsd8: 2_500_000n, operatorUsd8: 0n } } },
    ]);
  });

  it('blames the earlier plan when the contract finds too little profit in a later call', async () => {
    answers = [succeeds(ETHER / 5n), BELOW_FLOOR];
    const [, second] = await planned([large, small], context);
    expect(second).toMatchObject({
      kind: 'rejected',
      reason: 'depends-on-earlier-plan',
      detail: { revert: 'ProfitBelowFloor(1, 2)' },
      opportunity: small,
    });
  });

  it('blames the profit when nothing executed before the call', async () => {
    answers = [BELOW_FLOOR];
    expect(await planned([large], context)).toMatchObject([{ reason: 'profit-below-floor' }]);
  });

  it('blames what is pending when the contract cannot repay after it', async () => {
    const data = abi.encodeErrorResult('CannotRepay', [WETH, 1n, 2n]) as Hex;
    answers = [succeeds(ETHER), reverts(data)];
    const pending = [{ to: config.execution.chimera, data: '0x1234' as const, gasLimit: 400_000n }];
    expect(await planned([large], { ...context, pending })).toMatchObject([
      { reason: 'depends-on-earlier-plan' },
    ]);
    expect(simulatedBorrowers()).toEqual([undefined, large.borrower]);
  });

  it('tells any other revert as such, also one whose text begins like an error of the contract', async () => {
    const reason = new Interface(['function Error(string)']).encodeFunctionData('Error', [
      'ProfitBelowFloor',
    ]);
    answers = [reverts(reason as Hex)];
    expect(await planned([large], context)).toMatchObject([
      { reason: 'simulation-reverted', detail: { revert: 'Error(ProfitBelowFloor)' } },
    ]);
    answers = [reverts('0xdeadbeef')];
    expect(await planned([large], context)).toMatchObject([
      { reason: 'simulation-reverted', detail: { revert: 'unknown error 0xdeadbeef' } },
    ]);
  });

  it('does not take a success without an outcome for a proof', async () => {
    answers = [{ ...succeeds(ETHER), returnData: '0x' }];
    expect(await planned([large], context)).toMatchObject([
      { reason: 'simulation-reverted', detail: { revert: 'the node left the outcome out' } },
    ]);
  });

  it('keeps the numbers of a plan that does not pay after its costs', async () => {
    answers = [succeeds(ETHER / 1_000n)];
    expect(await planned([large], context)).toMatchObject([
      { kind: 'rejected', reason: 'profit-below-floor', attempt: { grossProfitUsd8: 270_000_000n } },
    ]);
  });

  it('F48 lowers the bids until all plans fit what may be spent, and refuses what cannot fit without a row', async () => {
    answers = [succeeds(ETHER / 5n), succeeds(ETHER / 25n)];
    const dayWei = 10n ** 15n;
    const tight = { ...context, allowance: anAllowance({ dayWei }) };
    const plans = (await planned([small, large], tight)).flatMap((one) =>
      one.kind === 'planned' ? [one.plan] : [],
    );
    expect(plans).toMatchObject([
      { borrower: large.borrower, bidLoweredBy: 'daily-fee-reached' },
      { borrower: small.borrower, bidLoweredBy: 'daily-fee-reached' },
    ]);
    const reserved = plans.reduce((sum, { reservation }) => sum + reservation.feeWei, 0n);
    expect(reserved).toBeLessThanOrEqual(dayWei);

    const none = { ...context, allowance: anAllowance({ dayWei: 0n }) };
    for (const decision of await planned([small, large], none)) {
      expect(decision).toMatchObject({ kind: 'rejected', reason: 'daily-fee-reached' });
      expect(decision).not.toHaveProperty('attempt');
    }
    // The next day.
    answers = [succeeds(ETHER / 5n)];
    expect(await planned([large], context)).toMatchObject([{ plan: { bidLoweredBy: undefined } }]);
  });

  it('F42 values fees and bid at the highest price that feed and markets say', async () => {
    const planAt = async (...marketNativePricesUsd8: bigint[]): Promise<LiquidationPlan> => {
      answers = [succeeds(ETHER / 5n)];
      const [decision] = await planned([large], { ...context, marketNativePricesUsd8 });
      if (decision?.kind !== 'planned') throw new Error('a plan was expected');
      return decision.plan;
    };
    const { nativePriceUsd8: feed } = context;
    const same = await planAt(feed);
    const lower = await planAt((feed * 96n) / 100n);
    const higher = await planAt((feed * 104n) / 100n, feed);
    expect([same, lower, higher].map((plan) => plan.nativePriceUsd8)).toEqual([
      feed,
      feed,
      (feed * 104n) / 100n,
    ]);
    const [tip, lowered] = [same, higher].map(({ call }) => call.maxPriorityFeePerGas);
    expect(lowered).toBeLessThan(tip ?? 0n);
    expect(higher.netProfitUsd8).toBeLessThanOrEqual(same.netProfitUsd8);
    expect(lower.call).toEqual(same.call);
  });

  describe('signs the very call that it simulated', () => {
    interface Call {
      readonly from: string;
      readonly to: string;
      readonly input: Hex;
      readonly gas: Hex;
      readonly maxFeePerGas: Hex;
      readonly maxPriorityFeePerGas: Hex;
    }
    type Offered = readonly [
      {
        readonly blockStateCalls: readonly [
          { readonly calls: readonly Call[]; readonly stateOverrides: object },
        ];
      },
    ];
    /** The calls of each question about one position, and the decision. */
    async function asked(now: PlanningContext = context): Promise<{ calls: Call[]; decision: PlanDecision }> {
      const [decision] = await planned([large], now);
      const calls = endpoints.primary.seenOf('eth_simulateV1').flatMap(({ params }) => {
        const [{ blockStateCalls }] = params as Offered;
        expect(Object.keys(blockStateCalls[0].stateOverrides)).toEqual([context.operator]);
        return blockStateCalls[0].calls;
      });
      if (!decision) throw new Error('a decision was expected');
      return { calls, decision };
    }
    function planIn({ calls, decision }: Awaited<ReturnType<typeof asked>>): LiquidationPlan {
      if (decision.kind !== 'planned') throw new Error(`a plan was expected, not ${decision.reason}`);
      const { call } = decision.plan;
      expect(calls.at(-1)).toEqual({
        from: context.operator,
        to: call.to,
        input: call.data,
        gas: hexOf(call.gasLimit),
        maxFeePerGas: hexOf(call.maxFeePerGas),
        maxPriorityFeePerGas: hexOf(call.maxPriorityFeePerGas),
      });
      return decision.plan;
    }
    const hexOf = (value: bigint): string => `0x${value.toString(16)}`;
    const withGas = (gasUsed: bigint, profit = ETHER / 5n): SimulatedAnswer => ({
      ...succeeds(profit),
      gasUsed: hexOf(gasUsed) as Hex,
    });
    /** What is learned of gas stays in a planner. */
    beforeEach(() => {
      planner = new ExecutionPlanner(new Chain(endpoints.pool), fees, new RecordedEvents(), config);
    });

    it('the first one, where it burns what was expected', async () => {
      answers = [withGas(430_000n)];
      const result = await asked();
      expect(result.calls).toHaveLength(1);
      const { call, simulation, netProfitUsd8, grossProfitUsd8, costs } = planIn(result);
      expect(call.maxPriorityFeePerGas).toBeGreaterThan(0n);
      expect(call.maxFeePerGas).toBe(2n * BLOCK.baseFeePerGas + call.maxPriorityFeePerGas);
      expect(simulation.gasUsed).toBe(430_000n);
      expect(netProfitUsd8).toBe(grossProfitUsd8 - totalCostsUsd8(costs));
    });

    it('another one, with the gas limit that the first needs, where its own leaves too little', async () => {
      answers = [withGas(560_000n)];
      const result = await asked();
      expect(result.calls.map(({ gas }) => BigInt(gas))).toEqual([628_500n, 778_000n]);
      const { call } = planIn(result);
      expect(call.maxPriorityFeePerGas).toBeLessThan(BigInt(result.calls[0]!.maxPriorityFeePerGas));
      // What is known now is enough for the next one.
      endpoints.primary.seen.length = 0;
      expect((await asked()).calls).toHaveLength(1);
    });

    it('another one, with a lower gas limit, where the first is far too high', async () => {
      answers = [withGas(150_000n)];
      const result = await asked();
      expect(result.calls.map(({ gas }) => BigInt(gas))).toEqual([628_500n, 245_000n]);
      planIn(result);
    });

    it('another one, where its gas limit takes its bid from it within what may be spent', async () => {
      answers = [withGas(380_000n)];
      const dayWei = 10n ** 15n;
      const result = await asked({ ...context, allowance: anAllowance({ dayWei }) });
      expect(result.calls.map(({ gas }) => BigInt(gas))).toEqual([628_500n, 544_000n]);
      const { call, bidLoweredBy, reservation } = planIn(result);
      expect(call.maxPriorityFeePerGas).toBeGreaterThan(BigInt(result.calls[0]!.maxPriorityFeePerGas));
      expect(bidLoweredBy).toBe('daily-fee-reached');
      expect(reservation.feeWei).toBeLessThanOrEqual(dayWei);
    });

    it('another one, with a lower floor, where what is pending left less profit that still pays', async () => {
      const left = ETHER / 10n;
      let asks = 0;
      endpoints.primary.on('eth_simulateV1', () => {
        asks += 1;
        const data = abi.encodeErrorResult('ProfitBelowFloor', [left, ETHER / 6n]) as Hex;
        return [{ calls: [asks === 1 ? reverts(data) : withGas(430_000n, left)] }];
      });
      const plan = planIn(await asked());
      endpoints.primary.on('eth_simulateV1', () => [{ calls: answers }]);
      expect(asks).toBe(2);
      expect(plan.minProfit).toBeLessThanOrEqual(left);
      expect(plan.simulation.profit).toBe(left);
    });

    it('none, where each simulation asks for another one: the position waits', async () => {
      let gas = 600_000n;
      endpoints.primary.on('eth_simulateV1', () => {
        gas += gas / 2n;
        return [{ calls: [withGas(gas)] }];
      });
      const { calls, decision } = await asked();
      endpoints.primary.on('eth_simulateV1', () => [{ calls: answers }]);
      expect(calls).toHaveLength(3);
      expect(decision).toMatchObject({ reason: 'proof-unsettled' });
    });
  });

  it('asks nothing when there is no opportunity', async () => {
    expect(await planned([], context)).toEqual([]);
    expect(endpoints.primary.seen).toEqual([]);
  });
});
