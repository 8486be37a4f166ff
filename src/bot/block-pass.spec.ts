import { beforeEach, describe, expect, it } from 'vitest';
import { blockHash } from '../../testing/builders/blocks.js';
import { aPlan, MARKET_IDS } from '../../testing/builders/plan.js';
import { deferred, type Deferred } from '../../testing/fakes/stand-in.js';
import { DatabaseAway } from '../database/index.js';
import { rejected } from '../domain/decision.js';
import { HaltError, RetryError } from '../domain/errors.js';
import { positionKey } from '../domain/position-id.js';
import type { Advance } from '../state/advance.js';

import { A, B, C, opportunityFor, PassWorld, REACHED, sent } from '../../testing/fakes/pass-world.js';
describe('what goes wrong before a plan is made', () => {
  let world: PassWorld;

  beforeEach(() => {
    world = new PassWorld();
    world.plans(A);
  });

  it('F16 a halt of the state is not lost behind a settlement that is retried', async () => {
    const halt = new HaltError('a reorg was too deep');
    const retry = new RetryError('the database is away');
    world.advance = () => Promise.resolve({ ...REACHED, error: halt });
    world.settle = () => Promise.reject(retry);
    expect(await world.run()).toEqual({ kind: 'failed', errors: [halt, retry] });
    expect(world.planned).toBe(0);
  });

  it('a halt of the settlement comes before a state that is retried', async () => {
    const halt = new HaltError('someone else uses the key');
    const retry = new RetryError('the node is away');
    world.advance = () => Promise.resolve({ view: undefined, takenBack: [], error: retry });
    world.settle = () => Promise.reject(halt);
    expect(await world.run()).toEqual({ kind: 'failed', errors: [halt, retry] });
  });

  it('a view that comes with a halt is not planned on', async () => {
    world.advance = () => Promise.resolve({ ...REACHED, error: new HaltError('our books were wrong') });
    expect(await world.run()).toMatchObject({ kind: 'failed' });
    expect(world.planned).toBe(0);
    expect(world.events.named('pass')).toEqual([]);
  });

  it('F15 settles again what blocks that are gone had settled, also when the head was not reached', async () => {
    const gone = [blockHash(10), blockHash(9)];
    const retry = new RetryError('the new branch cannot be read');
    world.advance = () => Promise.resolve({ view: undefined, takenBack: gone, error: retry });
    expect(await world.run()).toEqual({ kind: 'failed', errors: [retry] });
    expect(world.settles).toEqual([[], gone]);
  });

  it('reports all three errors when both settlements fail beside the state', async () => {
    const [state, first, second] = ['state', 'first', 'second'].map((what) => new RetryError(what));
    world.advance = () => Promise.resolve({ view: undefined, takenBack: [blockHash(10)], error: state });
    world.settle = (takenBack) => Promise.reject(takenBack.length > 0 ? second! : first!);
    expect(await world.run()).toEqual({ kind: 'failed', errors: [state, first, second] });
  });

  it('ends only when both the state and the settlement have ended', async () => {
    const advancing: Deferred<Advance> = deferred();
    world.advance = () => advancing.promise;
    world.settle = () => Promise.reject(new RetryError('the database is away'));
    let ended = false;
    const running = world.run().then((outcome) => {
      ended = true;
      return outcome;
    });
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect(ended).toBe(false);
    advancing.resolve(REACHED);
    expect(await running).toMatchObject({ kind: 'failed' });
  });
});

describe('F28 the database is away', () => {
  const AWAY = new DatabaseAway('the database does not serve');
  let world: PassWorld;

  beforeEach(() => {
    world = new PassWorld();
    world.plans(A, B);
  });

  it('plans nothing live, says so once, and plans again when it is back', async () => {
    world.databaseIsAway = true;
    const { decisions } = world;
    world.decisions = [];
    for (let pass = 0; pass < 3; pass += 1)
      expect(await world.run()).toMatchObject({ kind: 'done', planned: 0, skipped: { 'database-away': 2 } });
    expect(world.planned).toBe(0);
    expect(world.events.named('position-skipped').map(({ reason }) => reason)).toEqual([
      'database-away',
      'database-away',
    ]);
    world.databaseIsAway = false;
    world.decisions = decisions;
    expect(await world.run()).toMatchObject({ planned: 2, skipped: {} });
  });

  it('sends nothing when the rows of the plans cannot be written; the pass comes to its end, and writes no other rows for them', async () => {
    world.submitFails = AWAY;
    expect(await world.run()).toMatchObject({ kind: 'done', planned: 0, skipped: { 'database-away': 2 } });
    // They may have rows: an answer that was lost says nothing.
    expect(world.rows).toEqual([]);
  });

  it('what was mined and cannot be settled fails no pass, and nothing is signed beside it', async () => {
    const { decisions } = world;
    world.decisions = [];
    world.settle = () => Promise.reject(AWAY);
    expect(await world.run()).toMatchObject({ kind: 'done', planned: 0, skipped: { 'database-away': 2 } });
    world.settle = () => Promise.resolve();
    world.decisions = decisions;
    expect(await world.run()).toMatchObject({ kind: 'done', planned: 2 });
  });

  it('a node that is away at the same time fails the pass as ever', async () => {
    const retry = new RetryError('the node is away');
    world.settle = () => Promise.reject(AWAY);
    world.advance = () => Promise.resolve({ view: undefined, takenBack: [], error: retry });
    expect(await world.run()).toEqual({ kind: 'failed', errors: [retry] });
  });

  it('HALTED is the reason while both hold', async () => {
    world.databaseIsAway = true;
    world.halted = true;
    world.decisions = [];
    expect(await world.run()).toMatchObject({ skipped: { halted: 2 } });
  });

  it('a dry run keeps what it decides, and tells it', async () => {
    world = new PassWorld('dry-run');
    world.submit = () => ({ kind: 'dry-run' });
    world.plans(A, B);
    world.databaseIsAway = true;
    expect(await world.run()).toMatchObject({ kind: 'done', planned: 2, skipped: {} });
    expect(world.rows.map(({ status }) => status)).toEqual(['dry-run', 'dry-run']);
    expect(world.events.named('plan-ready')).toHaveLength(2);
    expect(world.events.named('dry-run').map(({ borrower: of }) => of)).toEqual([A, B]);
  });
});

describe('positions and plans of a pass', () => {
  let world: PassWorld;

  beforeEach(() => {
    world = new PassWorld();
  });

  it('sends the plans together, in the order in which they were proved', async () => {
    world.plans(B, A);
    expect(await world.run()).toMatchObject({
      ...{ kind: 'done', liquidatable: 2, planned: 2, skipped: {} },
      nativePrice: { ageSeconds: 40, isKept: false },
    });
    expect(world.submitted).toEqual([[B, A]]);
    expect(world.rows).toEqual([]);
    expect(world.events.named('pass')).toMatchObject([{ block: 11, positions: 9, planned: 2 }]);
  });

  it('does not plan for a position with a transaction in flight', async () => {
    world.plans(A, B);
    world.decisions = world.decisions.slice(1);
    world.inFlight = new Set([positionKey(opportunityFor(A))]);
    expect(await world.run()).toMatchObject({ planned: 1, skipped: { 'in-flight': 1 } });
    expect(world.planned).toBe(1);
  });

  it('plans for a position of a borrower who has another one in flight, in another market of the contract', async () => {
    const [first, second] = MARKET_IDS.map((marketId) => ({ ...opportunityFor(A), marketId }));
    world.detections = [first!, second!].map((opportunity) => ({ kind: 'opportunity', opportunity }));
    world.decisions = [{ kind: 'planned', plan: aPlan({ borrower: A, marketId: MARKET_IDS[1] }) }];
    world.inFlight = new Set([positionKey(first!)]);
    expect(await world.run()).toMatchObject({ liquidatable: 2, planned: 1, skipped: { 'in-flight': 1 } });
    expect(world.events.named('position-skipped')).toMatchObject([{ borrower: A, marketId: MARKET_IDS[0] }]);
    expect(world.events.named('pass')).toMatchObject([{ appeared: 2 }]);
  });

  it('plans nothing while HALTED, and says so once', async () => {
    world.plans(A);
    world.decisions = [];
    world.halted = true;
    for (let pass = 0; pass < 3; pass += 1)
      expect(await world.run()).toMatchObject({ planned: 0, skipped: { halted: 1 } });
    expect(world.events.named('position-skipped')).toMatchObject([{ borrower: A, reason: 'halted' }]);
  });

  it('F26 plans nothing while another process signs, and says so once', async () => {
    world.plans(A);
    const { decisions } = world;
    world.decisions = [];
    world.leads = false;
    for (let pass = 0; pass < 3; pass += 1)
      expect(await world.run()).toMatchObject({ planned: 0, skipped: { 'standing-by': 1 } });
    expect(world.events.named('position-skipped')).toMatchObject([{ borrower: A, reason: 'standing-by' }]);
    world.leads = true;
    world.decisions = decisions;
    expect(await world.run()).toMatchObject({ planned: 1, skipped: {} });
  });

  it('counts a plan that execution refuses as skipped, for its reason', async () => {
    world.plans(A, B);
    world.submit = (of) => (of === A ? rejected('daily-volume-reached') : sent());
    expect(await world.run()).toMatchObject({ planned: 1, skipped: { 'daily-volume-reached': 1 } });
  });

  it('F55 gives a plan that the gate refuses one row for each reason while it stays refused, and carries it out after', async () => {
    world.plans(A, B);
    world.submit = (of) => (of === B ? rejected('throttled') : sent());
    for (let pass = 0; pass < 3; pass += 1)
      expect(await world.run()).toMatchObject({ planned: 1, skipped: { throttled: 1 } });
    const rowsOfB = (): unknown[] =>
      world.rows.flatMap(({ borrower: of, status, reason }) => (of === B ? [{ status, reason }] : []));
    expect(rowsOfB()).toEqual([{ status: 'rejected', reason: 'throttled' }]);
    expect(world.events.named('position-skipped')).toMatchObject([{ borrower: B, reason: 'throttled' }]);
    world.submit = (of) => (of === B ? rejected('operator-balance-low') : sent());
    await world.run();
    expect(rowsOfB()).toHaveLength(2);
    world.submit = sent;
    expect(await world.run()).toMatchObject({ planned: 2, skipped: {} });
    expect(rowsOfB()).toHaveLength(2);
    // In a crash those that are not held back come before it.
    expect(world.held).toEqual([[B], [B], [B], [B], []]);
  });

  it('writes no second row for a plan that was held back after its row was durable', async () => {
    world.plans(A, B);
    world.submit = () => ({ ...rejected('halted'), executionId: '7' });
    expect(await world.run()).toMatchObject({ planned: 0, skipped: { halted: 2 } });
    expect(world.rows).toEqual([]);
    expect(world.events.named('position-skipped')).toMatchObject([
      { reason: 'halted' },
      { reason: 'halted' },
    ]);
  });

  it('passes on what sending throws', async () => {
    world.plans(A, B, C);
    world.submitFails = new RetryError('the bot is stopping');
    expect(await world.run()).toEqual({ kind: 'failed', errors: [world.submitFails] });
  });

  it('gives a refusal that reached the simulation one row, as long as the reason stays the same', async () => {
    const opportunity = opportunityFor(A);
    world.detections = [{ kind: 'opportunity', opportunity }];
    const attempt = aPlan({ borrower: A });
    world.decisions = [{ ...rejected('profit-below-floor'), opportunity, attempt }];
    await world.run();
    await world.run();
    expect(world.rows).toMatchObject([{ status: 'rejected', reason: 'profit-below-floor' }]);
    world.decisions = [{ ...rejected('simulation-reverted'), opportunity, attempt }];
    await world.run();
    expect(world.rows).toHaveLength(2);
    expect(world.events.named('position-skipped').map(({ reason }) => reason)).toEqual([
      'profit-below-floor',
      'simulation-reverted',
    ]);
  });

  it('gives two refused positions of one borrower a row each, which names the market of the contract', async () => {
    const opportunities = MARKET_IDS.map((marketId) => ({ ...opportunityFor(A), marketId }));
    world.detections = opportunities.map((opportunity) => ({ kind: 'opportunity', opportunity }));
    world.decisions = opportunities.map((opportunity) => ({
      ...{ ...rejected('simulation-reverted'), opportunity },
      attempt: opportunity.pairs[0]!.candidates[0]!,
    }));
    for (let pass = 0; pass < 2; pass += 1) await world.run();
    expect(world.rows.map(({ borrower, marketId }) => [borrower, marketId])).toEqual([
      [A, MARKET_IDS[0]],
      [A, MARKET_IDS[1]],
    ]);
    expect(world.events.named('position-skipped').map(({ marketId }) => marketId)).toEqual(MARKET_IDS);
  });

  it('in dry-run writes a plan that differs only by its block once', async () => {
    world = new PassWorld('dry-run');
    world.submit = () => ({ kind: 'dry-run' });
    world.plans(A);
    expect(await world.run()).toMatchObject({ planned: 1 });
    expect(await world.run()).toMatchObject({ planned: 0 });
    expect(world.rows).toHaveLength(1);
    world.decisions = [];
    await world.run();
    world.plans(A);
    await world.run();
    expect(world.rows).toHaveLength(2);
  });
});

describe('the look at the wallet', () => {
  let world: PassWorld;

  /** The first pass looks always. */
  beforeEach(async () => {
    world = new PassWorld();
    await world.run();
    world.settles.length = 0;
    world.isLookDue = false;
  });

  it('is left out while it is not due and nothing is there to plan for', async () => {
    for (let pass = 0; pass < 4; pass += 1) expect(await world.run()).toMatchObject({ kind: 'done' });
    expect(world.settles).toEqual([]);
    world.isLookDue = true;
    await world.run();
    expect(world.settles).toEqual([[]]);
  });

  it('is left out for positions that are no opportunities, at each head', async () => {
    const { protocol, market, borrower, healthFactorWad } = opportunityFor(A);
    world.detections = [{ ...rejected('bonus-below-floor'), protocol, market, borrower, healthFactorWad }];
    for (let pass = 0; pass < 3; pass += 1) expect(await world.run()).toMatchObject({ planned: 0 });
    expect(world.settles).toEqual([]);
  });

  it('comes with the first opportunity: nothing is sent before it has ended', async () => {
    world.plans(A);
    const look: Deferred<undefined> = deferred();
    world.settle = () => look.promise;
    const running = world.run();
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
    expect([world.settles, world.submitted]).toEqual([[[]], []]);
    look.resolve(undefined);
    expect(await running).toMatchObject({ planned: 1 });
    // From here on it comes beside the state, before anything is found.
    world.plans();
    await world.run();
    expect(world.settles).toHaveLength(2);
    await world.run();
    expect(world.settles).toHaveLength(2);
  });

  it('fails, with an opportunity: nothing is sent', async () => {
    world.plans(A);
    const foreign = new HaltError('someone else uses the key');
    world.settle = () => Promise.reject(foreign);
    expect(await world.run()).toEqual({ kind: 'failed', errors: [foreign] });
    expect(world.submitted).toEqual([]);
  });

  it('comes beside the state where interest opens a position: its call is prepared, and waits for nothing', async () => {
    world.ahead = [{ kind: 'opportunity', opportunity: opportunityFor(B) }];
    await world.run();
    expect(world.settles).toEqual([]);
    const advancing: Deferred<Advance> = deferred();
    world.advance = () => advancing.promise;
    const running = world.run();
    expect(world.settles).toEqual([[]]);
    advancing.resolve(REACHED);
    await running;
  });

  it('F15 comes with a reorg', async () => {
    world.advance = () => Promise.resolve({ ...REACHED, takenBack: [blockHash(10)] });
    await world.run();
    expect(world.settles).toEqual([[blockHash(10)]]);
  });
});

describe('what interest opens after the next block', () => {
  let world: PassWorld;

  beforeEach(() => {
    world = new PassWorld();
    world.ahead = [{ kind: 'opportunity', opportunity: opportunityFor(B) }];
  });

  it('is prepared after the pass', async () => {
    await world.run();
    expect(world.prepared).toEqual([B]);
  });

  it('is not prepared where nothing may be planned, nor what is in flight', async () => {
    world.halted = true;
    await world.run();
    world.halted = false;
    world.inFlight.add(positionKey(opportunityFor(B)));
    await world.run();
    expect(world.prepared).toEqual([]);
  });

  it('does not hold up the pass, and fails nothing when the node is away', async () => {
    world.prepare = () => Promise.reject(new RetryError('the node is away'));
    expect(await world.run()).toMatchObject({ kind: 'done' });
    expect(await world.run()).toMatchObject({ kind: 'done' });
    const never: Deferred<undefined> = deferred();
    world.prepare = () => never.promise;
    expect(await world.run()).toMatchObject({ kind: 'done' });
  });

  it('tells a bug of it with the next pass', async () => {
    const bug = new TypeError('it was undefined');
    world.prepare = () => Promise.reject(bug);
    expect(await world.run()).toMatchObject({ kind: 'done' });
    world.prepare = () => Promise.resolve();
    expect(await world.run()).toEqual({ kind: 'failed', errors: [bug] });
    expect(await world.run()).toMatchObject({ kind: 'done' });
  });
});
