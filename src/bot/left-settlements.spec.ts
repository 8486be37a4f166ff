import { beforeEach, describe, expect, it } from 'vitest';
import { A, opportunityFor, PassWorld } from '../../testing/fakes/pass-world.js';
import { positionKey } from '../domain/position-id.js';

describe('what was mined and is left to be settled', () => {
  let world: PassWorld;
  beforeEach(() => {
    world = new PassWorld();
    world.plans(A);
    world.hasLeft = true;
  });

  it('is settled after the plans of the pass have left, and the pass does not wait for it', async () => {
    world.settleLeft = () => new Promise(() => undefined);
    expect(await world.run()).toMatchObject({ kind: 'done', planned: 1 });
    expect(world.submitted).toEqual([[A]]);
    expect(world.settledAfter).toEqual([1]);
  });

  it('is settled first, where a position that can be liquidated again is among it', async () => {
    world.inFlight = new Set([positionKey(opportunityFor(A))]);
    world.settleLeft = () => {
      world.inFlight = new Set();
      return Promise.resolve();
    };
    expect(await world.run()).toMatchObject({ kind: 'done', planned: 1, skipped: {} });
    expect(world.settledAfter).toEqual([0]);
  });

  it('is settled first, where it has the places in flight that the pass needs', async () => {
    world.slots = () => (world.settledAfter.length === 0 ? 0 : 100);
    expect(await world.run()).toMatchObject({ kind: 'done', planned: 1 });
    expect(world.settledAfter).toEqual([0]);
  });

  it('is settled also in a pass that sends nothing', async () => {
    world.plans();
    await world.run();
    expect(world.settledAfter).toEqual([0]);
  });
});
