import { beforeEach, describe, expect, it } from 'vitest';
import { numberedAddress } from '../../testing/builders/opportunities.js';
import { aPlan } from '../../testing/builders/plan.js';
import { deferred } from '../../testing/fakes/stand-in.js';
import { rejected, type PlanDecision } from '../domain/decision.js';
import { HaltError, RetryError } from '../domain/errors.js';
import type { Address } from '../domain/hex.js';

import { A, B, C, opportunityFor, PassWorld } from '../../testing/fakes/pass-world.js';
describe('lists of plans', () => {
  const planned = (one: Address): PlanDecision => ({ kind: 'planned', plan: aPlan({ borrower: one }) });
  let world: PassWorld;

  beforeEach(() => {
    world = new PassWorld();
    world.plans(A, B, C);
  });

  it('F47 of many positions that wait one event says how many, of a few each is named', async () => {
    const many = Array.from({ length: 60 }, (_, index) => numberedAddress(index + 256));
    world.plans(...many);
    world.decisions = [];
    world.opens = 0;
    const waiting = () => world.events.named('positions-waiting').map(({ counts }) => counts);
    expect(await world.run()).toMatchObject({ liquidatable: 60, skipped: { 'comes-later': 60 } });
    await world.run();
    expect(waiting()).toEqual([{ 'comes-later': 60 }]);
    expect(world.events.named('position-skipped')).toEqual([]);
    // What was looked at has a reason of its own, and is named.
    world.opens = 3;
    world.submit = () => rejected('throttled');
    world.decisions = many.slice(0, 3).map((one) => planned(one));
    expect(await world.run()).toMatchObject({ skipped: { 'comes-later': 57, throttled: 3 } });
    expect(waiting()).toEqual([{ 'comes-later': 60 }, { 'comes-later': 57 }]);
    expect(world.events.named('position-skipped').map(({ reason }) => reason)).toEqual(
      Array<string>(3).fill('throttled'),
    );
    world.plans(A, B);
    world.decisions = [];
    world.opens = 0;
    await world.run();
    expect(world.events.named('position-skipped').slice(3)).toMatchObject([
      { borrower: A, reason: 'comes-later' },
      { borrower: B, reason: 'comes-later' },
    ]);
  });

  it('each is sent before the next one is proved', async () => {
    const sentBefore: number[] = [];
    world.lists = async function* () {
      for (const one of [A, B, C]) {
        sentBefore.push(world.submitted.length);
        yield await Promise.resolve([planned(one)]);
      }
    };
    expect(await world.run()).toMatchObject({ kind: 'done', planned: 3, skipped: {} });
    expect(world.submitted).toEqual([[A], [B], [C]]);
    expect(sentBefore).toEqual([0, 1, 2]);
  });

  it('the next one is proved while the one before it has no answer yet', async () => {
    const answered = deferred();
    world.answered = answered.promise;
    world.lists = async function* () {
      yield await Promise.resolve([planned(A)]);
      answered.resolve();
      yield await Promise.resolve([planned(B)]);
    };
    expect(await world.run()).toMatchObject({ planned: 2 });
  });

  it('each is proved on top of what is pending then, within what may be spent then', async () => {
    const seen: unknown[] = [];
    world.pending = () => world.submitted.flat().map(() => aPlan().call);
    world.lists = async function* (now) {
      for (const one of [A, B]) {
        const { pending, allowance } = now();
        seen.push([pending.length, allowance.slots]);
        yield await Promise.resolve([planned(one)]);
      }
    };
    world.slots = () => 9 - world.submitted.length;
    await world.run();
    expect(seen).toEqual([
      [0, 9],
      [1, 8],
    ]);
  });

  it('a dry run proves each on top of those that it would have sent', async () => {
    world = new PassWorld('dry-run');
    world.plans(A, B);
    world.submit = () => ({ kind: 'dry-run' });
    const pending: number[] = [];
    world.lists = async function* (now) {
      yield await Promise.resolve([planned(A)]);
      await new Promise((resolve) => setImmediate(resolve));
      pending.push(now().pending.length);
      yield [planned(B)];
    };
    expect(await world.run()).toMatchObject({ planned: 2 });
    expect(pending).toEqual([1]);
  });

  it('an error of a later one takes nothing back: its class is kept, and the refusals before it are written', async () => {
    const retry = new RetryError('the node is away');
    const opportunity = opportunityFor(B);
    const attempt = aPlan({ borrower: B });
    world.lists = async function* () {
      yield [planned(A), { ...rejected('simulation-reverted'), opportunity, attempt }];
      await Promise.resolve();
      throw retry;
    };
    expect(await world.run()).toEqual({ kind: 'failed', errors: [retry] });
    expect(world.submitted).toEqual([[A]]);
    expect(world.rows).toMatchObject([{ borrower: B, reason: 'simulation-reverted' }]);
    expect(world.events.named('position-skipped')).toMatchObject([{ borrower: B }]);
  });

  it('one that cannot be sent ends the planning; the worst error comes first', async () => {
    const halt = new HaltError('someone else uses the key');
    const retry = new RetryError('the node is away');
    world.submitFails = halt;
    let ended = false;
    world.lists = async function* () {
      try {
        yield await Promise.resolve([planned(A)]);
        await new Promise((resolve) => setImmediate(resolve));
        yield [planned(B)];
        yield [planned(C)];
      } finally {
        ended = true;
      }
    };
    expect(await world.run()).toEqual({ kind: 'failed', errors: [halt, halt] });
    expect(world.submitted).toEqual([[A], [B]]);
    expect(ended).toBe(true);

    world.lists = async function* () {
      yield [planned(A)];
      await Promise.resolve();
      throw retry;
    };
    expect(await world.run()).toEqual({ kind: 'failed', errors: [halt, retry] });
  });
});
