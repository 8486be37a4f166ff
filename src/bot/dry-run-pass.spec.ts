import { beforeEach, describe, expect, it } from 'vitest';
import { A, B, opportunityFor, PassWorld } from '../../testing/fakes/pass-world.js';
import { positionKey } from '../domain/position-id.js';

describe('a pass of a dry run', () => {
  let world: PassWorld;

  beforeEach(() => {
    world = new PassWorld('dry-run');
    world.submit = () => ({ kind: 'dry-run' });
  });

  it('writes a plan that was booked to the day with the day, also where the pass before planned the same', async () => {
    world.plans(A, B);
    await world.run();
    world.submit = (of) => ({ kind: 'dry-run', ...(of === B && { day: '2026-11-30' }) });
    expect(await world.run()).toMatchObject({ planned: 1 });
    expect(world.rows.map(({ borrower: of, dryRunDay }) => [of, dryRunDay])).toEqual([
      [A, null],
      [B, null],
      [B, '2026-11-30'],
    ]);
  });

  it('tells execution which positions are below 1, before any is planned', async () => {
    world.plans(A, B);
    await world.run();
    world.plans(B);
    await world.run();
    expect(world.looked).toEqual([[A, B], [B]]);
    expect(world.limits).toEqual([1n, 1n]);
  });

  it('sizes what is counted already by the limit of one execution, not by what is left of the day', async () => {
    world.counted = new Set([positionKey(opportunityFor(A))]);
    world.plans(A, B);
    expect(await world.run()).toMatchObject({ liquidatable: 2, planned: 2 });
    expect(world.limits).toEqual([1n, 7n]);
    expect(world.planned).toBe(2);
  });
});
