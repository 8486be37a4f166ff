import { beforeEach, describe, expect, it } from 'vitest';
import { aPlan } from '../../testing/builders/plan.js';
import type { EventNamed } from '../domain/events/events.js';
import type { Outcome } from '../domain/outcome.js';
import { planReady } from '../execution/index.js';
import { OnceTally } from './once-tally.js';

const pass = (liquidatable: number): EventNamed<'pass'> => ({
  ...{ event: 'pass', block: 7, positions: 9, liquidatable, appeared: 0, planned: 0, tookMs: 1 },
});

const settled = (executionId: string, outcome: Outcome): EventNamed<'execution-settled'> => ({
  ...{ event: 'execution-settled', executionId, borrower: '0x01', hash: '0x02', outcome },
  ...{ status: outcome === 'won' ? 'succeeded' : 'reverted', reason: undefined, rival: undefined },
  ...{ block: 7, realisedProfitUsd8: undefined, simulatedNetProfitUsd8: '1', fees: undefined },
});

describe('what came of one look', () => {
  let tally: OnceTally;

  beforeEach(() => {
    tally = new OnceTally('live', ['aave', 'morpho']);
  });

  it('is complete with the second pass after every market was searched and the pools were read', () => {
    const steps = [
      pass(0),
      { event: 'pools-read', pools: 3 },
      { event: 'backfill-finished', market: 'aave', borrowers: 9, tookMs: 1 },
      pass(0),
      { event: 'market-refused', market: 'morpho', block: 7, reason: 'its rules are not known' },
      pass(0),
      pass(0),
    ] as const;
    expect(
      steps.map((event) => {
        tally.hear(event);
        return tally.isComplete;
      }),
    ).toEqual([false, false, false, false, false, false, true]);
  });

  it('is complete without any pool', () => {
    tally = new OnceTally('dry-run', []);
    tally.hear({ event: 'pools-found', followed: 0, leftOut: 4 });
    for (let count = 0; count < 2; count += 1) tally.hear(pass(0));
    expect(tally.isComplete).toBe(true);
  });

  it('nothing, where no position is below 1; left, where none of them was planned', () => {
    tally.hear(pass(0));
    expect(tally.result).toBe('nothing');
    tally.hear(pass(2));
    expect(tally.summary({ 'no-route': 2 })).toMatchObject({ result: 'left', liquidatable: 2, block: 7 });
    expect(tally.sentences({ 'no-route': 2 })).toEqual([
      'Block 7: 9 positions with debt, 2 below a health factor of 1.',
      'Left alone (no-route): 2.',
    ]);
  });

  it('done, where a dry run planned', () => {
    tally = new OnceTally('dry-run', ['aave']);
    tally.hear(pass(1));
    tally.hear(planReady(aPlan(), '1'));
    expect(tally.summary({})).toMatchObject({ result: 'done', planned: 1, sent: 0, won: 0 });
  });

  it('failed until all that was sent has liquidated, and again when a reorg takes one back', () => {
    tally.hear(pass(2));
    for (const id of ['1', '2']) tally.hear(planReady(aPlan({ borrower: `0x${id.repeat(40)}` }), id));
    const results = [tally.result];
    const takenBack: EventNamed<'execution-reopened'> = {
      ...{ event: 'execution-reopened', executionId: '1', borrower: '0x01', hash: '0x02', was: 'succeeded' },
      ...{ realisedProfitUsd8: '1', block: 7, reported: true },
    };
    for (const event of [settled('1', 'won'), settled('2', 'lost'), settled('2', 'won'), takenBack]) {
      tally.hear(event);
      results.push(tally.result);
    }
    expect(results).toEqual(['failed', 'failed', 'failed', 'done', 'failed']);
    expect(tally.sentences({}).join(' ')).toContain('It sent 2 transactions, and 1 liquidated');
  });
});
