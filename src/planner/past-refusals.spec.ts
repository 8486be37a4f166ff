import { describe, expect, it } from 'vitest';
import { numberedAddress, opportunityOf } from '../../testing/builders/opportunities.js';
import { aPlan, MARKET_IDS } from '../../testing/builders/plan.js';
import { prospectsOf } from '../../testing/prospects.js';
import { rejected, type PlanDecision, type RejectionReason } from '../domain/decision.js';
import type { Opportunity } from '../domain/opportunity.js';
import { PastRefusals } from './past-refusals.js';

const MANY = Array.from({ length: 150 }, (_, index) =>
  opportunityOf(undefined, undefined, numberedAddress(index + 256)),
);
const refused = (opportunity: Opportunity, reason: RejectionReason): PlanDecision => ({
  ...rejected(reason),
  opportunity,
});

describe('positions that were refused', () => {
  it('come after all others when there are many, the latest refused last', () => {
    const refusals = new PastRefusals();
    refusals.note([refused(MANY[0]!, 'no-route')], 7);
    refusals.note([refused(MANY[1]!, 'simulation-reverted')], 8);
    expect(refusals.ranksOf(MANY).slice(0, 3)).toEqual([7, 8, 0]);
  });

  it('have no rank among a few: one pass looks at all of them', () => {
    const refusals = new PastRefusals();
    refusals.note([refused(MANY[0]!, 'no-route')], 7);
    expect(refusals.ranksOf(MANY.slice(0, 100))).toEqual([]);
  });

  it('are not those whose turn comes later, nor those for which a plan was made since', () => {
    const refusals = new PastRefusals();
    const [first, second, third] = MANY;
    refusals.note([refused(first!, 'comes-later'), refused(second!, 'in-flight-limit')], 7);
    refusals.note([refused(third!, 'no-route')], 7);
    const { market, borrower } = third!;
    refusals.note([{ kind: 'planned', plan: aPlan({ market, borrower }) }], 8);
    expect(refusals.ranksOf(MANY)).toEqual([]);
  });

  it('are those too whose plan was held back: they do not take the time of every pass', () => {
    const refusals = new PastRefusals();
    const { market, borrower } = MANY[0]!;
    const plan = aPlan({ market, borrower });
    refusals.note([{ kind: 'planned', plan }], 8);
    refusals.noteHeld([plan], 8);
    expect(refusals.ranksOf(MANY).slice(0, 2)).toEqual([8, 0]);
  });

  it('are those too that were refused when they were opened', () => {
    const refusals = new PastRefusals();
    const prospects = prospectsOf(MANY);
    const open = (index: number): Opportunity | undefined =>
      index === 3 ? undefined : prospects.open(index);
    const noting = refusals.noting({ all: prospects.all, open }, 9);
    expect([3, 4].map((index) => noting.open(index))).toEqual([undefined, MANY[4]]);
    expect(refusals.ranksOf(MANY).slice(3, 5)).toEqual([9, 0]);
  });

  it('are not other positions of the same borrower, in another market of the contract', () => {
    const refusals = new PastRefusals();
    const [first, second] = MARKET_IDS.map((marketId) => ({ ...MANY[0]!, marketId }));
    refusals.note([refused(first!, 'no-route')], 7);
    expect(refusals.ranksOf([first!, second!, ...MANY]).slice(0, 2)).toEqual([7, 0]);
  });

  it('are forgotten when they are no longer liquidatable', () => {
    const refusals = new PastRefusals();
    refusals.note([refused(MANY[0]!, 'no-route')], 7);
    refusals.ranksOf(MANY.slice(1));
    expect(refusals.ranksOf(MANY)).toEqual([]);
  });
});
