import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestDatabase } from '../../testing/database.js';
import type { ChimeraConfig } from '../config/index.js';
import { ExecutionsRepository, Fence, SafetyRepository } from '../database/index.js';
import { RetryError } from '../domain/errors.js';
import { LIMIT_TIERS } from '../domain/limit-tiers.js';
import { Clock } from '../domain/clock.js';
import { TierReview } from './tier-review.js';

describe('the record of the last seven days', { timeout: 60_000 }, () => {
  let running: TestDatabase;

  beforeAll(async () => {
    running = await TestDatabase.start();
  });

  afterAll(() => running.stop());

  const review = (tier: number): TierReview =>
    new TierReview(
      new ExecutionsRepository(running.database, new Fence()),
      new SafetyRepository(running.database, 8453),
      new Clock(),
      { network: { chainId: 8453 }, safety: { tier, lostRaceWeightBps: 2_500 } } as ChimeraConfig,
    );
  const ended = (outcome: string, realised: number, daysAgo: number, chainId = 8453): Promise<unknown> =>
    running.database.query(
      `INSERT INTO executions (protocol, borrower, block_number, block_hash, health_factor, mode, status, plan,
         outcome, simulated_net_profit_usd, realised_profit_usd, settled_at, chain_id)
       VALUES ('aave', '0x${'b0'.repeat(20)}', 1, '0x${'01'.repeat(32)}', 1, 'live', 'rejected', '{}',
         $1, 10, $2, now() - $3 * interval '1 day', $4)`,
      [outcome, realised, daysAgo, chainId],
    );

  it('is read from the rows, without those that are older or of another chain, and shows what speaks for the next tier', async () => {
    await ended('won', 9, 1);
    await ended('won', 11, 6);
    await ended('stale', -1, 2);
    await ended('refused', 0, 1);
    await ended('won', 10, 8);
    await ended('won', 10, 1, 1);
    await running.database.query(
      `INSERT INTO state_transitions (from_state, to_state, reason, actor, at, chain_id) VALUES
       ('NORMAL', 'HALTED', 'bug', 'chimera', now(), 8453), ('NORMAL', 'HALTED', 'drill', 'alice', now(), 8453),
       ('NORMAL', 'HALTED', 'old', 'chimera', now() - interval '8 days', 8453),
       ('NORMAL', 'HALTED', 'of another chain', 'chimera', now(), 1)`,
    );
    const one = review(1);
    expect(one.status).toEqual({ tier: 1, next: LIMIT_TIERS[1], criteria: [] });
    await one.refresh();
    expect(one.status.criteria.map(({ what, seen }) => [what, seen])).toEqual([
      ['executions that ended', '3'],
      ['executions that were won', '2'],
      ['inclusion', '66.7 %'],
      ['simulation accuracy', '95.0 %'],
      ['halts by the bot itself', '1'],
      ['profit after all fees', '19.00 USD'],
    ]);
  });

  it('the highest tier has no next one', async () => {
    const highest = review(4);
    await highest.refresh();
    expect(highest.status).toEqual({ tier: 4, next: undefined, criteria: [] });
  });

  it('without the database the last record stays', async () => {
    const one = review(1);
    await one.refresh();
    const { criteria } = one.status;
    const away = vi.spyOn(running.dataSource, 'getRepository').mockImplementation(() => {
      throw new RetryError('the database does not serve');
    });
    await one.refresh();
    expect(away).toHaveBeenCalled();
    away.mockRestore();
    expect(one.status.criteria).toEqual(criteria);
    expect(criteria).not.toEqual([]);
  });
});
