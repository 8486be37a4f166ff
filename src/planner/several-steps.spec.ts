import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anAllowance } from '../../testing/builders/allowance.js';
import { addressOf, opportunityOf, pairOf, positionOf } from '../../testing/builders/opportunities.js';
import { decisionsOf } from '../../testing/decisions.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { startFakePool, type FakePool } from '../../testing/nodes/fake-pool.js';
import {
  BELOW_FLOOR,
  config,
  context,
  ETHER,
  fees,
  header,
  NATIVE_PRICE,
  succeeds,
  type SimulatedAnswer,
} from '../../testing/proofs.js';
import { prospectsOf } from '../../testing/prospects.js';
import { SELECTORS } from '../contract/bindings.js';
import { totalCostsUsd8 } from '../domain/costs.js';
import type { PlanDecision } from '../domain/decision.js';
import { uintWord } from '../domain/hex.js';
import { valueUsd8 } from '../domain/money.js';
import type { LiquidationPlan } from '../domain/plan.js';
import { Chain } from '../rpc/chain/chain.js';
import { ExecutionPlanner } from './execution-planner.js';

/** Half of its debt may be covered, and a first step leaves room for a second. */
const OPEN = positionOf({ open: true });
const OPPORTUNITY = opportunityOf(OPEN, pairOf(OPEN), addressOf('b3'));
const COVERED = 1_000n * 10n ** 6n;
const [FIRST_GAS, SECOND_GAS] = [300_000n, 200_000n];

let endpoints: FakePool;
let planner: ExecutionPlanner;
let asked: string[];
let answer: (input: string) => SimulatedAnswer;

beforeEach(async () => {
  endpoints = await startFakePool({ withBackup: false });
  asked = [];
  answer = () => both();
  endpoints.primary.on('eth_simulateV1', ([simulation]) => {
    const [{ calls }] = (simulation as { blockStateCalls: [{ calls: { input: string }[] }] }).blockStateCalls;
    asked.push(...calls.map(({ input }) => input.slice(0, 10)));
    return [{ calls: calls.map(({ input }) => answer(input)) }];
  });
  endpoints.primary.on('eth_getBlockByHash', () => header);
  endpoints.primary.on('eth_call', () => NATIVE_PRICE);
  planner = new ExecutionPlanner(new Chain(endpoints.pool), fees, new RecordedEvents(), config);
});

afterEach(() => endpoints.close());

/** Of a batch of two. */
function outcomes(...profits: [bigint, bigint]): SimulatedAnswer {
  const words = profits.flatMap((profit, index) =>
    profit === 0n
      ? Array<bigint>(8).fill(0n)
      : [COVERED, ETHER, 0n, 0n, 0n, 0n, profit, index === 0 ? FIRST_GAS : SECOND_GAS],
  );
  return {
    status: '0x1',
    returnData: `0x${[32n, 2n, ...words].map(uintWord).join('')}`,
    gasUsed: `0x${(550_000).toString(16)}`,
  };
}

const both = (): SimulatedAnswer => outcomes(ETHER / 5n, ETHER / 10n);

async function decide(): Promise<PlanDecision[]> {
  return decisionsOf(
    planner.plan(prospectsOf([OPPORTUNITY]), () => ({ ...context, allowance: anAllowance() })),
  );
}

async function planned(): Promise<LiquidationPlan> {
  const [decision] = await decide();
  if (decision?.kind !== 'planned') throw new Error(`a plan was expected, not ${String(decision?.reason)}`);
  return decision.plan;
}

describe('two liquidations of one borrower, proved together', () => {
  it('are one plan: values in USD are of both, and the fees are those of one transaction', async () => {
    const plan = await planned();
    expect(asked).toEqual([SELECTORS.liquidateBatch]);
    expect(plan.further).toHaveLength(1);
    expect(plan.simulation).toMatchObject({ profit: ETHER / 5n, gasUsed: 550_000n });
    expect(plan.further?.[0]?.simulation).toMatchObject({ profit: ETHER / 10n, gasUsed: SECOND_GAS });
    expect(plan.grossProfitUsd8).toBe(valueUsd8((ETHER * 3n) / 10n, plan.profitAsset));
    expect(plan.notionalUsd8).toBe(2_000n * 10n ** 8n);
    expect(plan.netProfitUsd8).toBe(plan.grossProfitUsd8 - totalCostsUsd8(plan.costs));
  });

  it('each has a floor for its share of the costs, and a gas limit that its transaction has room for', async () => {
    const plan = await planned();
    const floors = [plan, ...(plan.further ?? [])].map(({ minProfit, profitAsset }) =>
      valueUsd8(minProfit, profitAsset),
    );
    const owed = config.planner.minProfitUsd8 + totalCostsUsd8(plan.costs);
    expect(floors.reduce((sum, floor) => sum + floor, 0n)).toBeGreaterThanOrEqual(owed);
    const items = plan.call.data.slice(2 + 8 + 128);
    const [first, size] = [26, 32].map((at, index) => parseInt(items.slice(at, at + (index ? 4 : 6)), 16));
    const second = parseInt(items.slice(36 + 2 * size!, 42 + 2 * size!), 16);
    // As they are expected by their form: 445,000 and 335,000, a third more, and some.
    expect([first, second]).toEqual([628_500, 485_500]);
    const between = 550_000 - Number(FIRST_GAS + SECOND_GAS);
    expect(Number(plan.call.gasLimit)).toBeGreaterThanOrEqual(between + 628_500 + 485_500 - 100_000);
  });

  it.each<[string, () => SimulatedAnswer]>([
    ['the second fails alone', () => outcomes(ETHER / 5n, 0n)],
    ['the first fails alone', () => outcomes(0n, ETHER / 10n)],
    ['all of them fail', () => BELOW_FLOOR],
  ])('%s: the best single one is proved in the next question, and planned', async (_, first) => {
    answer = (input) => (input.startsWith(SELECTORS.liquidateBatch) ? first() : succeeds(ETHER / 5n));
    const plan = await planned();
    expect(asked).toEqual([SELECTORS.liquidateBatch, SELECTORS.liquidate]);
    expect(plan.further).toBeUndefined();
    expect(plan.candidate.sizing).toBe('close-factor');
  });

  it('when the single one fails too, it is refused once, with its reason', async () => {
    answer = () => BELOW_FLOOR;
    expect(await decide()).toMatchObject([{ kind: 'rejected', reason: 'profit-below-floor' }]);
    expect(asked).toEqual([SELECTORS.liquidateBatch, SELECTORS.liquidate]);
  });
});
