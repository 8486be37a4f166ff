import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SAFETY_LIMITS as limits } from '../../testing/builders/safety.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import type { ExecutionsRepository } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import {
  RATED_EXECUTIONS,
  ratesOf,
  verdictsOf,
  type ExecutionRates,
  type RatedExecution,
} from '../domain/execution-rates.js';
import { USD8 } from '../domain/money.js';
import { INITIAL_SAFETY } from '../domain/safety.js';
import type { SafetyController } from '../safety/index.js';
import { RateBook } from './rate-book.js';

/** The book with what it told the safety controller last. */
function openBook(): { book: RateBook; told: () => ExecutionRates | undefined } {
  let last: ExecutionRates | undefined;
  const safety = standIn<SafetyController>('safety', {
    status: () => ({ ...INITIAL_SAFETY, sinceMs: 0 }),
    rated: (rates: ExecutionRates) => {
      last = rates;
      return Promise.resolve();
    },
  });
  const owner = { chainId: 31337, wallet: `0x${'11'.repeat(20)}` } as const;
  const rows = standIn<ExecutionsRepository>('rows', {});
  const book = new RateBook(rows, owner, safety, new Clock(), limits.lostRaceWeightBps);
  return { book, told: () => last };
}

/** Around the thresholds of 85 and 90 % of the simulated profit. */
const execution: fc.Arbitrary<RatedExecution> = fc.record({
  outcome: fc.constantFrom('won', 'won', 'won', 'lost', 'stale', 'malfunction', 'refused'),
  simulatedUsd8: fc.constant(100n * USD8),
  realisedUsd8: fc.integer({ min: 80, max: 95 }).map((percent) => BigInt(percent) * USD8),
});

/** An execution that settles, and a reorg that takes the newest back and settles some of them anew. */
type Step = { settle: RatedExecution } | { takeBack: number; again: readonly (RatedExecution | undefined)[] };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ settle: execution }) },
  {
    weight: 1,
    arbitrary: fc.record({
      takeBack: fc.integer({ min: 1, max: 12 }),
      again: fc.array(fc.option(execution, { nil: undefined }), { maxLength: 12 }),
    }),
  },
);

it('F15 after any take-backs the rates and their verdicts are those of the final chain', () => {
  const earlier = fc.array(execution, { minLength: 90, maxLength: 130 });
  fc.assert(
    fc.property(earlier, fc.array(step, { maxLength: 40 }), (before, steps) => {
      const { book, told } = openBook();
      let chain: (RatedExecution & { executionId: string })[] = [];
      let next = 0;
      const settle = (one: RatedExecution, executionId = String(next++)): void => {
        chain = [...chain, { ...one, executionId }];
        book.settled({ ...one, executionId });
      };
      for (const one of before) settle(one);
      for (const one of steps)
        if ('settle' in one) settle(one.settle);
        else {
          const taken = chain.slice(-one.takeBack);
          chain = chain.slice(0, -one.takeBack);
          for (const { executionId } of taken.toReversed()) book.takenBack(executionId);
          taken.forEach(({ executionId }, index) => {
            const outcome = one.again[index];
            if (outcome) settle(outcome, executionId);
          });
        }
      const sent = chain.filter(({ outcome }) => outcome !== 'refused');
      const anew = ratesOf(sent.slice(-RATED_EXECUTIONS), limits);
      expect(book.rates).toEqual(anew);
      expect(verdictsOf(told() ?? anew, limits)).toEqual(verdictsOf(anew, limits));
    }),
  );
});
