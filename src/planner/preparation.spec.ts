import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addressOf,
  BLOCK,
  opportunityOf,
  positionOf,
  USDC,
  WETH,
} from '../../testing/builders/opportunities.js';
import { decisionsOf } from '../../testing/decisions.js';
import { ConstantProductPool } from '../../testing/fakes/constant-product-pool.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { startFakePool, type FakePool as FakeEndpoints } from '../../testing/nodes/fake-pool.js';
import { viewOfPools } from '../../testing/pools.js';
import { config, context, ETHER, fees, header, NATIVE_PRICE, succeedsAsAsked } from '../../testing/proofs.js';
import { prospectsOf } from '../../testing/prospects.js';
import type { Block } from '../domain/block.js';
import { mostSeized, type Opportunity } from '../domain/opportunity.js';
import type { LiquidationPlan } from '../domain/plan.js';
import { Chain } from '../rpc/chain/chain.js';
import { ExecutionPlanner } from './execution-planner.js';
import type { PlanningContext } from './planning-context.js';

const LATER = BLOCK.timestamp + 4;
const soon = (byte: string, usdc = 23_500n): Opportunity => ({
  ...opportunityOf(positionOf({ usdc }), undefined, addressOf(byte)),
  schedule: { opensAt: LATER, doors: [{ kind: 'direct' }] },
});
const ONE = soon('b1');
/** Worth less than the first: it is proved on top of it. */
const OTHER = soon('b2', 23_000n);
const NEXT: Block = {
  ...BLOCK,
  number: BLOCK.number + 1,
  hash: `0x${'08'.repeat(32)}`,
  parentHash: BLOCK.hash,
  timestamp: BLOCK.timestamp + 2,
};
const PENDING = { to: config.execution.chimera, data: '0x1234' as const, gasLimit: 900_000n };

let endpoints: FakeEndpoints;
let planner: ExecutionPlanner;

beforeEach(async () => {
  endpoints = await startFakePool({ withBackup: false, timings: { deadlineMs: 10_000 } });
  endpoints.primary.on('eth_simulateV1', ([simulation]) => {
    const { blockStateCalls } = simulation as {
      blockStateCalls: readonly [{ calls: readonly { input: string }[] }];
    };
    return [{ calls: blockStateCalls[0].calls.map(succeedsAsAsked) }];
  });
  endpoints.primary.on('eth_getBlockByHash', ([hash]) => (hash === NEXT.hash ? headerOf(NEXT) : header));
  endpoints.primary.on('eth_call', () => NATIVE_PRICE);
  planner = new ExecutionPlanner(new Chain(endpoints.pool), fees, new RecordedEvents(), config);
});

afterEach(() => endpoints.close());

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
const headerOf = ({ number, hash, parentHash, timestamp, baseFeePerGas }: Block): object => ({
  ...{ number: hex(number), hash, parentHash, timestamp: hex(timestamp) },
  baseFeePerGas: hex(baseFeePerGas),
});
const questions = (): number => endpoints.primary.seenOf('eth_simulateV1').length;

/** As a pass does at its end, at the block before the one with which they leave. */
async function prepare(
  opportunities: readonly Opportunity[],
  more: Partial<PlanningContext> = {},
): Promise<void> {
  await decisionsOf(planner.plan(prospectsOf([]), () => context));
  await planner.prepare(prospectsOf(opportunities), { ...context, nextTimestamp: LATER, ...more });
}

async function plansAt(
  opportunities: readonly Opportunity[],
  more: Partial<PlanningContext> = {},
): Promise<LiquidationPlan[]> {
  const now = { ...context, block: NEXT, nextTimestamp: LATER, ...more };
  const decisions = await decisionsOf(planner.plan(prospectsOf(opportunities), () => now));
  return decisions.flatMap((one) => (one.kind === 'planned' ? [one.plan] : []));
}

describe('a plan that was proved before interest opens its position', () => {
  it('is there with the head that opens it, without any question, and says where it was proved', async () => {
    await prepare([ONE, OTHER]);
    expect(questions()).toBe(1);
    const simulation = endpoints.primary.seenOf('eth_simulateV1')[0]?.params[0];
    expect(simulation).toMatchObject({ blockStateCalls: [{ blockOverrides: { time: hex(LATER) } }] });
    const plans = await plansAt([OTHER, ONE]);
    expect(plans).toMatchObject([
      { borrower: ONE.borrower, block: NEXT, provedAt: BLOCK.number },
      { borrower: OTHER.borrower, block: NEXT, provedAt: BLOCK.number },
    ]);
    expect(questions()).toBe(1);
  });

  it('signs what was simulated, to the byte', async () => {
    await prepare([ONE]);
    const simulation = endpoints.primary.seenOf('eth_simulateV1')[0]?.params[0];
    const [{ call } = { call: undefined }] = await plansAt([ONE]);
    expect(simulation).toMatchObject({
      blockStateCalls: [
        {
          calls: [
            {
              ...{ to: call?.to, input: call?.data, gas: hex(call?.gasLimit ?? 0n) },
              maxFeePerGas: hex(call?.maxFeePerGas ?? 0n),
              maxPriorityFeePerGas: hex(call?.maxPriorityFeePerGas ?? 0n),
            },
          ],
        },
      ],
    });
  });

  it('leaves the other positions of the pass to be planned on top of it', async () => {
    await prepare([OTHER]);
    const plans = await plansAt([ONE, OTHER]);
    expect(plans.map(({ borrower, provedAt }) => [borrower, provedAt])).toEqual([
      [OTHER.borrower, BLOCK.number],
      [ONE.borrower, undefined],
    ]);
    expect(questions()).toBe(2);
  });

  it('is proved once, also when its position opens some blocks later', async () => {
    await prepare([ONE]);
    const between = { ...context, block: NEXT, nextTimestamp: LATER };
    await decisionsOf(planner.plan(prospectsOf([]), () => between));
    await planner.prepare(prospectsOf([ONE]), between);
    expect(questions()).toBe(1);
    const third = { ...NEXT, number: NEXT.number + 1, hash: numberedHash(9), parentHash: NEXT.hash };
    expect(await plansAt([ONE], { block: third })).toMatchObject([{ provedAt: BLOCK.number }]);
    expect(questions()).toBe(1);
  });
});

const numberedHash = (byte: number): Block['hash'] => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`;
const pool = (weth: bigint): ConstantProductPool =>
  new ConstantProductPool(addressOf('01'), [WETH, USDC], [weth * ETHER, weth * 2_700n * 10n ** 6n]);
/** The pool is another object where its state is another one. */
const samePool = [...context.pools.pools.values()];

describe('it is planned and proved anew with its head, where what it stands on has changed:', () => {
  const changes: readonly (readonly [string, Opportunity, Partial<PlanningContext>])[] = [
    ['a pool of its route', ONE, { pools: viewOfPools([pool(100_001n)]) }],
    ['the debt', { ...soon('b1', 23_501n), borrower: ONE.borrower }, {}],
    ['the time at which it opens', { ...ONE, schedule: { ...ONE.schedule, opensAt: LATER - 1 } }, {}],
    ['something that executes before it', ONE, { pending: [PENDING] }],
    ['the branch', ONE, { block: { ...NEXT, parentHash: numberedHash(99) } }],
    [
      'a base fee that its fees would not pay for',
      ONE,
      { block: { ...NEXT, baseFeePerGas: BLOCK.baseFeePerGas * 2n } },
    ],
    [
      'so much time that the contract might not take it any more',
      ONE,
      { block: { ...NEXT, timestamp: BLOCK.timestamp + 31 } },
    ],
  ];
  for (const [what, opportunity, now] of changes)
    it(what, async () => {
      await prepare([ONE]);
      const { block = NEXT } = now;
      endpoints.primary.on('eth_getBlockByHash', () => headerOf(block));
      const plans = await plansAt([opportunity], now);
      expect(plans).toMatchObject([{ borrower: ONE.borrower }]);
      expect(plans[0]?.provedAt).toBeUndefined();
      expect(questions()).toBe(2);
    });

  it('a plan before it, on top of which it was proved', async () => {
    await prepare([ONE, OTHER]);
    const changed = { ...soon('b1', 23_501n), borrower: ONE.borrower };
    const plans = await plansAt([changed, OTHER]);
    expect(plans.map(({ provedAt }) => provedAt)).toEqual([undefined, undefined]);
  });

  it('nothing, where only other pools have', async () => {
    await prepare([ONE]);
    const elsewhere = new ConstantProductPool(addressOf('02'), [WETH, addressOf('a7')], [ETHER, ETHER]);
    const plans = await plansAt([ONE], { pools: viewOfPools([...samePool, elsewhere]) });
    expect(plans).toMatchObject([{ provedAt: BLOCK.number }]);
  });
});

it('a plan that has no place in flight any more waits', async () => {
  await prepare([ONE]);
  expect(await plansAt([ONE], { allowance: { ...context.allowance, slots: 0 } })).toEqual([]);
  expect(questions()).toBe(1);
});

describe('what the market can pay out, which is asked only with the head that opens a position', () => {
  const paying = (opportunity: Opportunity, payable: bigint): Opportunity => ({
    ...opportunity,
    pairs: opportunity.pairs.map((pair) => ({ ...pair, payable })),
  });
  const seizedBy = async (one: Opportunity): Promise<bigint> => {
    await prepare([one]);
    const [plan] = await plansAt([one]);
    if (!plan) throw new Error('a plan was expected');
    return mostSeized(plan.candidate);
  };
  const provedAt = (plans: readonly LiquidationPlan[]): (number | undefined)[] =>
    plans.map((plan) => plan.provedAt);

  it('is enough: the plan stands', async () => {
    const seized = await seizedBy(ONE);
    await prepare([ONE]);
    expect(provedAt(await plansAt([paying(ONE, seized)]))).toEqual([BLOCK.number]);
  });

  it('is less than it seizes: it does not', async () => {
    const seized = await seizedBy(ONE);
    await prepare([ONE]);
    expect(provedAt(await plansAt([paying(ONE, seized - 1n)]))).not.toContain(BLOCK.number);
  });

  it('is enough for the first of two: the second is planned anew', async () => {
    const [one, other] = [await seizedBy(ONE), await seizedBy(OTHER)];
    await prepare([ONE, OTHER]);
    const enough = await plansAt([paying(ONE, one + other), paying(OTHER, one + other)]);
    expect(provedAt(enough)).toEqual([BLOCK.number, BLOCK.number]);
    await prepare([ONE, OTHER]);
    const tooLittle = await plansAt([paying(ONE, one + other - 1n), paying(OTHER, one + other - 1n)]);
    expect(provedAt(tooLittle).filter((at) => at !== undefined)).toEqual([BLOCK.number]);
  });

  it('is not known to be enough, where a call is pending that seizes too', async () => {
    await prepare([ONE], { pending: [PENDING] });
    const plans = await plansAt([paying(ONE, 10n ** 30n)], { pending: [PENDING] });
    expect(provedAt(plans)).toEqual([undefined]);
  });
});
