import { Interface } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LEAST, VARIABLES } from '../../testing/configuration.js';
import { anAllowance } from '../../testing/builders/allowance.js';
import { decisionsOf } from '../../testing/decisions.js';
import { FakeChainFees } from '../../testing/fakes/fake-chain-fees.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { ConstantProductPool } from '../../testing/fakes/constant-product-pool.js';
import { viewOfPools } from '../../testing/pools.js';
import { startFakePool, type FakePool as FakeEndpoints } from '../../testing/nodes/fake-pool.js';
import {
  addressOf,
  BLOCK,
  opportunityOf,
  positionOf,
  USDC,
  WETH,
} from '../../testing/builders/opportunities.js';
import { bySize } from '../domain/bid.js';
import { parseConfig } from '../config/index.js';
import { CHIMERA_ABI } from '../contract/bindings.js';
import { uintWord, type Hex } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import type { PlanDecision } from '../domain/decision.js';
import type { Opportunity } from '../domain/opportunity.js';
import type { LiquidationPlan } from '../domain/plan.js';
import { NO_OFFERS } from '../liquidity/lenders/offers.js';
import { Chain } from '../rpc/chain/chain.js';
import { ExecutionPlanner } from './execution-planner.js';
import type { PlanningContext } from './planning-context.js';

const ETHER = 10n ** 18n;
const abi = new Interface(CHIMERA_ABI);
const config = parseConfig(LEAST, VARIABLES);
const fees = new FakeChainFees({ l1Fee: ETHER / 100_000n, operatorFee: 0n });
/** Deep, at $2,700 for one WETH. */
const pools = viewOfPools([
  new ConstantProductPool(addressOf('01'), [WETH, USDC], [100_000n * ETHER, 270_000_000n * 10n ** 6n]),
]);
const small = opportunityOf(positionOf({ weth: 2n, usdc: 4_700n }), undefined, addressOf('b1'));
const large = opportunityOf(positionOf(), undefined, addressOf('b2'));
const context: PlanningContext = {
  block: BLOCK,
  pools,
  lenders: NO_OFFERS,
  nativePriceUsd8: 2_500n * USD8,
  operator: addressOf('0e'),
  pending: [],
  marketNativePricesUsd8: [],
  bidOf: bySize(config.planner),
  allowance: anAllowance(),
};

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
const header = {
  number: hex(BLOCK.number),
  hash: BLOCK.hash,
  parentHash: BLOCK.parentHash,
  timestamp: hex(BLOCK.timestamp),
  baseFeePerGas: hex(BLOCK.baseFeePerGas),
};
const ROUND: Hex = `0x${[1n, context.nativePriceUsd8, 0n, BigInt(BLOCK.timestamp), 1n].map(uintWord).join('')}`;
const aggregate3 = new Interface([
  'function aggregate3((address,bool,bytes)[]) returns ((bool success, bytes returnData)[])',
]);
/** The price of the native token. */
const NATIVE_PRICE = aggregate3.encodeFunctionResult('aggregate3', [[[true, ROUND]]]);

interface SimulatedAnswer {
  readonly status: Hex;
  readonly returnData: Hex;
  readonly gasUsed: Hex;
}

const succeeds = (profit: bigint): SimulatedAnswer => {
  const outcome = [1_000n * 10n ** 6n, ETHER, 0n, 0n, 0n, 0n, profit, 0n];
  return { status: '0x1', returnData: `0x${outcome.map(uintWord).join('')}`, gasUsed: '0x6ddd0' };
};
const reverts = (returnData: Hex): SimulatedAnswer => ({ status: '0x0', returnData, gasUsed: '0x6ddd0' });
const BELOW_FLOOR = reverts(abi.encodeErrorResult('ProfitBelowFloor', [1n, 2n]) as Hex);

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
  return decisionsOf(planner.plan(opportunities, () => now));
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
    answers = [succeeds(ETHER / 5n), succeeds(ETHER / 50n)];
    const decisions = await planned([small, large], context);
    expect(simulatedBorrowers()).toEqual([large.borrower, small.borrower]);
    expect(decisions).toMatchObject([
      { kind: 'planned', plan: { borrower: large.borrower, simulation: { profit: ETHER / 5n } } },
      { kind: 'planned', plan: { borrower: small.borrower, simulation: { profit: ETHER / 50n } } },
    ]);
  });

  describe('of more drafts than nodes spend gas on in one question', () => {
    const MANY = 100;
    const many = Array.from({ length: MANY }, (_, index) =>
      opportunityOf(positionOf(), undefined, addressOf((index + 100).toString(16))),
    );
    interface Simulated {
      readonly blockStateCalls: readonly [
        {
          readonly calls: readonly { readonly gas: Hex }[];
          readonly blockOverrides: { readonly gasLimit: Hex };
        },
      ];
    }
    /** Of the n-th of the simulations: what each of its calls brings; nothing: it reverts. */
    let profits: (bigint | undefined)[];
    let asked: Simulated[];

    beforeEach(() => {
      asked = [];
      endpoints.primary.on('eth_simulateV1', ([simulation]) => {
        const [{ calls }] = (simulation as Simulated).blockStateCalls;
        const profit = profits[asked.push(simulation as Simulated) - 1];
        return [
          { calls: calls.map(() => (profit === undefined ? reverts('0xdeadbeef') : succeeds(profit))) },
        ];
      });
    });

    afterEach(() => endpoints.primary.on('eth_simulateV1', () => [{ calls: answers }]));

    const gasOf = ({ blockStateCalls: [{ calls }] }: Simulated): bigint =>
      calls.reduce((gas, call) => gas + BigInt(call.gas), 0n);
    /** Plans that were made are pending for the next list, as those of a pass are. */
    const listsOf = async (pending: PlanningContext['pending'] = []): Promise<string[][]> => {
      const lists: string[][] = [];
      const sent = [...pending];
      for await (const decisions of planner.plan(many, () => ({ ...context, pending: [...sent] }))) {
        lists.push(decisions.map((one) => (one.kind === 'planned' ? one.kind : one.reason)));
        for (const one of decisions) if (one.kind === 'planned') sent.push(one.plan.call);
      }
      return lists;
    };
    const PENDING = [{ to: config.execution.chimera, data: '0x1234' as const, gasLimit: 900_000n }];
    const times = (count: number, what: string): string[] => Array.from({ length: count }, () => what);

    it('F47 proves them in lists, none of which may use up the gas of a node', async () => {
      profits = Array.from({ length: MANY }, () => undefined);
      await listsOf(PENDING);
      expect(asked.length).toBeGreaterThan(1);
      expect(asked.flatMap(({ blockStateCalls: [{ calls }] }) => calls.slice(1))).toHaveLength(MANY);
      for (const simulated of asked) {
        const [{ calls, blockOverrides }] = simulated.blockStateCalls;
        expect(gasOf(simulated)).toBeLessThanOrEqual(48_000_000n);
        expect(BigInt(blockOverrides.gasLimit)).toBe(gasOf(simulated));
        expect(BigInt(calls[0]!.gas)).toBe(900_000n);
      }
    });

    it('F47 a list is proved on top of the plans before it, and what finds no gas any more comes later', async () => {
      profits = Array.from({ length: MANY }, () => ETHER / 5n);
      const lists = await listsOf(PENDING);
      const last = lists.at(-1) ?? [];
      expect(last).toEqual(times(last.length, 'comes-later'));
      const made = lists.slice(0, -1);
      for (const list of made) expect(list).toEqual(times(list.length, 'planned'));
      expect(made.length).toBeGreaterThan(1);
      expect(lists.flat()).toHaveLength(MANY);
      let before = PENDING.length;
      for (const [
        index,
        {
          blockStateCalls: [{ calls }],
        },
      ] of asked.entries()) {
        const list = made[index] ?? [];
        expect(calls).toHaveLength(before + list.length);
        before += list.length;
      }
    });

    it('a list whose drafts revert stops none of the others', async () => {
      profits = [undefined, ETHER / 50n];
      const [first, second] = await listsOf();
      expect(new Set(first)).toEqual(new Set(['simulation-reverted']));
      expect(new Set(second)).toEqual(new Set(['planned']));
    });
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
    answers = [succeeds(ETHER / 5n), succeeds(ETHER / 50n)];
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

  describe('runs each call with the fees that are fixed before it', () => {
    const tipOf = async (gasUsed: Hex): Promise<{ simulated: bigint; signed: bigint }> => {
      answers = [{ ...succeeds(ETHER / 5n), gasUsed }];
      const [decision] = await planned([large], context);
      if (decision?.kind !== 'planned') throw new Error('a plan was expected');
      const [simulation] = endpoints.primary.seenOf('eth_simulateV1').at(-1)!.params as [Offered];
      const [{ calls, stateOverrides }] = simulation.blockStateCalls;
      const [{ from, maxFeePerGas, maxPriorityFeePerGas }] = calls;
      expect(BigInt(maxFeePerGas)).toBe(2n * BLOCK.baseFeePerGas + BigInt(maxPriorityFeePerGas));
      // The wallet need not pay for the gas bound of a draft.
      expect(Object.keys(stateOverrides)).toEqual([from]);
      return { simulated: BigInt(maxPriorityFeePerGas), signed: decision.plan.call.maxPriorityFeePerGas };
    };
    interface Offered {
      readonly blockStateCalls: readonly [
        {
          readonly calls: readonly [{ from: string; maxFeePerGas: Hex; maxPriorityFeePerGas: Hex }];
          readonly stateOverrides: object;
        },
      ];
    }

    it('and signs that very tip where the simulation allows it', async () => {
      const { simulated, signed } = await tipOf('0x493e0'); // 300,000 gas
      expect(simulated).toBeGreaterThan(0n);
      expect(signed).toBe(simulated);
    });

    it('or a lower one where it needs more gas, never a higher one', async () => {
      const { simulated, signed } = await tipOf('0x7a120'); // 500,000 gas
      expect(signed).toBeGreaterThan(0n);
      expect(signed).toBeLessThan(simulated);
    });
  });

  it('asks nothing when there is no opportunity', async () => {
    expect(await planned([], context)).toEqual([]);
    expect(endpoints.primary.seen).toEqual([]);
  });
});
