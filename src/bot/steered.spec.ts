import { expect, describe, it, beforeEach } from 'vitest';
import { aPositionAtRisk } from '../../testing/builders/at-risk.js';
import { A, B, PassWorld } from '../../testing/fakes/pass-world.js';

describe('what an operator has set', () => {
  let world: PassWorld;

  beforeEach(() => {
    world = new PassWorld();
  });

  it('plans nothing of a borrower that an operator has denied, and says why', async () => {
    world.plans(A, B);
    const by = { reason: 'its token', actor: 'ops', sinceMs: 0 };
    world.settings = [{ kind: 'denied', name: A, ...by }];
    world.decisions = world.decisions.slice(1);
    expect(await world.run()).toMatchObject({ planned: 1, skipped: { 'borrower-denied': 1 } });
    expect(world.events.named('position-skipped')).toMatchObject([
      { borrower: A, reason: 'borrower-denied' },
    ]);
    const pause = { kind: 'paused', name: aPositionAtRisk().protocol, ...by } as const;
    world.settings = [pause];
    world.plans(A);
    world.decisions = [];
    expect(await world.run()).toMatchObject({ planned: 0, skipped: { 'protocol-paused': 1 } });
  });
});
