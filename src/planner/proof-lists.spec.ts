import { prospectsOf } from '../../testing/prospects.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { numberedAddress, opportunityOf, positionOf } from '../../testing/builders/opportunities.js';
import { anAllowance } from '../../testing/builders/allowance.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { startFakePool, type FakePool as FakeEndpoints } from '../../testing/nodes/fake-pool.js';
import { NodeRefusal } from '../../testing/nodes/fake-rpc.js';
import {
  config,
  context,
  fees,
  header,
  NATIVE_PRICE,
  reverts,
  succeedsAsAsked,
  type SimulatedAnswer,
} from '../../testing/proofs.js';
import type { PlanDecision } from '../domain/decision.js';
import type { Hex } from '../domain/hex.js';
import { PassTrace } from '../domain/pass-trace.js';
import type { LiquidationPlan } from '../domain/plan.js';
import type { Offers } from '../liquidity/lenders/offers.js';
import { Chain } from '../rpc/chain/chain.js';
import { ExecutionPlanner } from './execution-planner.js';
import type { PlanningContext } from './planning-context.js';

/** Of falling value. The pools are deep: all of them pay. */
const MANY = Array.from({ length: 100 }, (_, index) => {
  const usdc = 47_000n - BigInt(index) * 300n;
  return opportunityOf(
    positionOf({ weth: (usdc * 20n) / 47_000n + 1n, usdc }),
    undefined,
    numberedAddress(index + 256),
  );
});
const PENDING = [{ to: config.execution.chimera, data: '0x1234' as const, gasLimit: 900_000n }];
const USED = 450_000n;
/** What a liquidation over one pool is given before any was seen. */
const BY_FORM = 628_500n;

interface Call {
  readonly gas: Hex;
  readonly input: string;
}
interface Simulated {
  readonly blockStateCalls: readonly [
    { readonly calls: readonly Call[]; readonly blockOverrides: { readonly gasLimit: Hex } },
  ];
}

let endpoints: FakeEndpoints;
let planner: ExecutionPlanner;
let asked: Simulated[];
/** Of one call. */
let answer: (call: Call) => SimulatedAnswer;
/** The node spends no more on one question. */
let capGas: bigint;
let lacksMethod: boolean;

beforeEach(async () => {
  endpoints = await startFakePool({ withBackup: false, timings: { deadlineMs: 10_000 } });
  asked = [];
  capGas = 50_000_000n;
  lacksMethod = false;
  answer = (call) => ({ ...succeedsAsAsked(call), gasUsed: `0x${USED.toString(16)}` });
  endpoints.primary.on('eth_simulateV1', ([simulation]) => {
    const [{ calls }] = (simulation as Simulated).blockStateCalls;
    asked.push(simulation as Simulated);
    if (lacksMethod) return new NodeRefusal(-32601, 'the method eth_simulateV1 does not exist');
    if (gasOf(simulation as Simulated) > capGas)
      return new NodeRefusal(-38013, 'err: intrinsic gas too low: have 0, want 21000');
    return [{ calls: calls.map((call) => answer(call)) }];
  });
  endpoints.primary.on('eth_getBlockByHash', () => header);
  endpoints.primary.on('eth_call', () => NATIVE_PRICE);
  planner = new ExecutionPlanner(new Chain(endpoints.pool), fees, new RecordedEvents(), config);
});

afterEach(() => endpoints.close());

const gasOf = ({ blockStateCalls: [{ calls }] }: Simulated): bigint =>
  calls.reduce((gas, call) => gas + BigInt(call.gas), 0n);
const callsOf = ({ blockStateCalls: [{ calls }] }: Simulated): readonly Call[] => calls;
const reasonsOf = (list: readonly PlanDecision[]): string[] =>
  list.map((one) => (one.kind === 'planned' ? one.kind : one.reason));
const plansOf = (lists: readonly (readonly PlanDecision[])[]): LiquidationPlan[] =>
  lists.flat().flatMap((one) => (one.kind === 'planned' ? [one.plan] : []));

/** Plans that were made are pending for the next list, as those of a pass are. */
async function listsOf(
  more: Partial<PlanningContext> = {},
  opportunities = MANY,
): Promise<(readonly PlanDecision[])[]> {
  const lists: (readonly PlanDecision[])[] = [];
  const pending = [...(more.pending ?? [])];
  const slots = more.allowance?.slots ?? 1_000;
  const now = (): PlanningContext => ({
    ...context,
    ...more,
    pending: [...pending],
    allowance: anAllowance({ slots: slots - (pending.length - (more.pending?.length ?? 0)) }),
  });
  const left: (readonly PlanDecision[])[] = [];
  const prospects = prospectsOf(opportunities, (decisions) => left.push(decisions));
  for await (const decisions of planner.plan(prospects, now)) {
    lists.push(decisions);
    pending.push(...plansOf([decisions]).map(({ call }) => call));
  }
  return [...lists, ...left];
}

const withGas = (gasLimit: bigint): Partial<PlanningContext> => ({ block: { ...context.block, gasLimit } });

describe('plans of a crash come in lists', () => {
  it('F47 the first is small and holds the most valuable; each is proved on top of those before it; none may use up the gas of a node', async () => {
    const lists = await listsOf({ pending: PENDING });
    const [first = [], second = []] = lists;
    expect(plansOf([first]).map(({ borrower }) => borrower)).toEqual(
      MANY.slice(0, 20).map(({ borrower }) => borrower),
    );
    expect(plansOf([second]).map(({ borrower }) => borrower)).toEqual(
      MANY.slice(20, 20 + second.length).map(({ borrower }) => borrower),
    );
    let before = PENDING.length;
    for (const [index, simulated] of asked.entries()) {
      const [{ calls, blockOverrides }] = simulated.blockStateCalls;
      expect(gasOf(simulated)).toBeLessThanOrEqual(48_000_000n);
      expect(BigInt(blockOverrides.gasLimit)).toBe(gasOf(simulated));
      expect(BigInt(calls[0]!.gas)).toBe(900_000n);
      expect(calls).toHaveLength(before + (lists[index]?.length ?? 0));
      before += lists[index]?.length ?? 0;
    }
    // What finds no gas any more beside all that is pending comes later, and is told once.
    const rest = lists.at(-1) ?? [];
    expect(new Set(reasonsOf(rest))).toEqual(new Set(['comes-later']));
    expect(lists.flat()).toHaveLength(MANY.length);
  });

  it('where there are few they are one list: none waits for the proof of another', async () => {
    const lists = await listsOf({}, MANY.slice(0, 50));
    expect(lists.map((list) => list.length)).toEqual([50]);
    expect(asked.map((simulated) => callsOf(simulated).length)).toEqual([50]);
  });

  it('F47 drafts are given what their kind has used and a margin: most of a hundred fit one question', async () => {
    await listsOf({}, MANY.slice(0, 1));
    asked = [];
    await listsOf();
    const given = callsOf(asked[0]!).map(({ gas }) => BigInt(gas));
    expect(new Set(given).size).toBe(1);
    expect(given[0]).toBeGreaterThan((USED * 12n) / 10n);
    expect(48_000_000n / given[0]!).toBeGreaterThan(70n);
  });

  it('F47 one that runs out of gas is proved again with more, and takes nothing from the others', async () => {
    const [hungry] = MANY;
    const isHungry = ({ input }: Call): boolean => input.includes(hungry!.borrower.slice(2));
    const ran = answer;
    answer = (call) => {
      if (!isHungry(call)) return ran(call);
      if (BigInt(call.gas) > 1_100_000n) return { ...ran(call), gasUsed: '0xf4240' }; // 1,000,000
      return { status: '0x0', returnData: '0x', gasUsed: call.gas };
    };
    const lists = await listsOf({}, MANY.slice(0, 30));
    expect(plansOf(lists)).toHaveLength(30);
    const given = asked.flatMap((one) =>
      callsOf(one)
        .filter(isHungry)
        .map(({ gas }) => BigInt(gas)),
    );
    expect(given).toEqual([BY_FORM, 2_500_000n]);
    // It is remembered, of this position alone: the next pass gives it enough at once.
    asked = [];
    await listsOf({}, MANY.slice(0, 30));
    expect(
      callsOf(asked[0]!)
        .filter(isHungry)
        .map(({ gas }) => BigInt(gas)),
    ).toEqual([1_350_000n]);
    const others = callsOf(asked[0]!).filter((call) => !isHungry(call));
    expect(new Set(others.map(({ gas }) => BigInt(gas)))).toEqual(new Set([(USED * 13n) / 10n + 50_000n]));
  });

  it('those whose fees were not told are proved again, and are sent all the same', async () => {
    fees.tellsOne = true;
    const lists = await listsOf({}, MANY.slice(0, 10));
    expect(lists.map((list) => list.length)).toEqual([1, 9]);
    expect(new Set(reasonsOf(lists.flat()))).toEqual(new Set(['planned']));
  });

  it('F47 a refusal halves the question of that endpoint, until it is answered; that is remembered', async () => {
    capGas = 6_000_000n;
    const lists = await listsOf({}, MANY.slice(0, 4));
    expect(plansOf(lists)).toHaveLength(4);
    capGas = 3_000_000n;
    await listsOf();
    expect(asked.some((one) => gasOf(one) > capGas)).toBe(true);
    asked = [];
    const again = await listsOf();
    expect(asked.every((one) => gasOf(one) <= capGas)).toBe(true);
    expect(plansOf(again).length).toBeGreaterThan(0);
  });

  it('F47 an endpoint that lacks the method is told apart from one that wants a smaller question', async () => {
    lacksMethod = true;
    await expect(listsOf()).rejects.toThrow(/it does not offer eth_simulateV1/);
    expect(asked).toHaveLength(1);
    lacksMethod = false;
    asked = [];
    await listsOf();
    // Nothing was halved meanwhile.
    expect(Math.max(...asked.map((one) => callsOf(one).length))).toBeGreaterThan(50);
  });

  it('one whose drafts revert stops none of the others', async () => {
    const first = new Set(MANY.slice(0, 20).map(({ borrower }) => borrower.slice(2)));
    const succeeding = answer;
    answer = (call) =>
      [...first].some((borrower) => call.input.includes(borrower)) ? reverts('0xdeadbeef') : succeeding(call);
    const [reverted = [], made = []] = await listsOf();
    expect(new Set(reasonsOf(reverted))).toEqual(new Set(['simulation-reverted']));
    expect(new Set(reasonsOf(made))).toEqual(new Set(['planned']));
  });

  it('what was refused comes last in the next pass, so that it does not take the time of others', async () => {
    const crowd = [
      ...MANY,
      ...Array.from({ length: 20 }, (_, index) =>
        opportunityOf(positionOf({ weth: 3n, usdc: 7_000n }), undefined, numberedAddress(index + 4096)),
      ),
    ];
    const doomed = new Set(MANY.slice(0, 20).map(({ borrower }) => borrower));
    const succeeding = answer;
    answer = (call) =>
      [...doomed].some((borrower) => call.input.includes(borrower.slice(2)))
        ? reverts('0xdeadbeef')
        : succeeding(call);
    const firstOf = async (): Promise<string[]> => {
      const [list = []] = await listsOf({}, crowd);
      return reasonsOf(list);
    };
    expect(new Set(await firstOf())).toEqual(new Set(['simulation-reverted']));
    expect(new Set(await firstOf())).toEqual(new Set(['planned']));
  });

  describe('within the gas of a block', () => {
    it('all gas limits together, with what is pending, stay below the share; the rest comes later', async () => {
      const gasLimit = 40_000_000n;
      const lists = await listsOf({ ...withGas(gasLimit), pending: PENDING });
      const plans = plansOf(lists);
      expect(plans.length).toBeGreaterThan(5);
      const gas = plans.reduce((sum, { call }) => sum + call.gasLimit, 900_000n);
      expect(gas).toBeLessThanOrEqual(gasLimit / 4n);
      expect(gas).toBeGreaterThan(gasLimit / 5n);
      expect(new Set(reasonsOf(lists.flat()))).toEqual(new Set(['planned', 'comes-later']));
    });

    it('a plan that needs more than the whole share is refused, and says so', async () => {
      const lists = await listsOf(withGas(2_000_000n), MANY.slice(0, 1));
      expect(lists.flat()).toMatchObject([
        { reason: 'gas-above-block-share', detail: { gasLeft: '500000' } },
      ]);
    });
  });

  it('F48 no more are proved than find a place in flight; the others are told why', async () => {
    const lists = await listsOf({ allowance: anAllowance({ slots: 7 }) });
    expect(plansOf(lists)).toHaveLength(7);
    expect(asked).toHaveLength(1);
    expect(callsOf(asked[0]!)).toHaveLength(7);
    expect(reasonsOf(lists.flat()).filter((reason) => reason === 'in-flight-limit')).toHaveLength(93);
  });

  it('F48 without a place in flight nothing is computed or asked', async () => {
    const lenders = standIn<Offers>('lenders', {});
    const lists = await listsOf({ allowance: anAllowance({ slots: 0 }), lenders });
    expect(asked).toEqual([]);
    expect(new Set(reasonsOf(lists.flat()))).toEqual(new Set(['in-flight-limit']));
    expect(lists.flat()).toHaveLength(MANY.length);
  });

  describe('until the pass is over', () => {
    it.each<[string, (clock: TestClock) => PassTrace]>([
      ['its time is used up', (clock) => new PassTrace(clock, 0, undefined, 0)],
      [
        'a newer head waits',
        (clock) => new PassTrace(clock, 0, () => ({ ...context.block, receivedAtMs: 1 })),
      ],
    ])('%s: the first list is sent, the rest comes later', async (_, traceOf) => {
      const trace = traceOf(new TestClock());
      const lists = await listsOf({ trace });
      expect(asked).toHaveLength(1);
      const made = plansOf(lists);
      expect(made.length).toBeGreaterThan(0);
      expect(made[0]?.borrower).toBe(MANY[0]?.borrower);
      const later = reasonsOf(lists.flat()).filter((reason) => reason === 'comes-later');
      expect(later).toHaveLength(MANY.length - made.length);
    });
  });
});
