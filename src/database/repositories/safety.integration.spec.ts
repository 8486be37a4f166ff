import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestDatabase } from '../../../testing/database.js';
import { INITIAL_SAFETY } from '../../domain/safety.js';
import { SafetyRepository } from './safety.js';

describe('the stored safety state', { timeout: 60_000 }, () => {
  let running: TestDatabase;
  let safety: SafetyRepository;

  beforeAll(async () => {
    running = await TestDatabase.start();
    safety = new SafetyRepository(running.database, 31337);
  });

  afterAll(() => running.stop());

  it('begins as the domain says, and keeps state, history and audit in one transaction', async () => {
    const { status, version } = await safety.load();
    expect(status).toMatchObject(INITIAL_SAFETY);
    const halted = {
      ...status,
      state: 'HALTED' as const,
      reason: 'drill',
      actor: 'ops',
      sinceMs: 1_767_225_600_123,
      cause: 'books' as const,
      numbers: { different: 5 },
      concerns: [
        {
          ...{ cause: 'books' as const, level: 'HALTED' as const, reason: 'drill', actor: 'ops' },
          ...{ sinceMs: 1_767_225_600_123, numbers: { different: 5 } },
        },
      ],
      ratesSinceMs: 1_767_225_600_001,
    };
    const action = {
      actor: 'ops',
      role: 'operator',
      action: 'halt',
      reason: 'drill',
      at: new Date(0),
      remote: '::1',
    };
    const saved = await safety.save(halted, version, action);
    expect(saved).toEqual({ kind: 'saved', version: version + 1 });
    expect(await safety.load()).toEqual({ status: halted, version: version + 1 });
    expect(await safety.transitions(1)).toMatchObject([
      {
        ...{ from: 'NORMAL', to: 'HALTED', reason: 'drill', actor: 'ops', cause: 'books' },
        numbers: { different: 5 },
      },
    ]);
    expect(await safety.actions(1)).toMatchObject([action]);
  });

  it('a writer that does not know the latest state is refused and writes nothing', async () => {
    const current = await safety.load();
    const resumed = { ...current.status, state: 'NORMAL' as const };
    expect(await safety.save(resumed, current.version - 1)).toEqual({ kind: 'stale', current });
    const history = await safety.transitions(100);
    const failed = { ...current.status, consecutiveFailures: 2 };
    const both = await Promise.all([
      safety.save(failed, current.version),
      safety.save(failed, current.version),
    ]);
    expect(both.map(({ kind }) => kind).sort()).toEqual(['saved', 'stale']);
    expect(await safety.load()).toMatchObject({ status: { state: 'HALTED', consecutiveFailures: 2 } });
    expect(await safety.transitions(100)).toHaveLength(history.length);
  });

  it('each chain has its own state, history and audit', async () => {
    const other = new SafetyRepository(running.database, 8453);
    // Two processes of a chain that has no state yet.
    const [first, second] = await Promise.all([
      other.load(),
      new SafetyRepository(running.database, 8453).load(),
    ]);
    expect(first).toEqual(second);
    expect(first.status).toMatchObject(INITIAL_SAFETY);
    const before = await safety.load();
    const halted = { ...first.status, state: 'HALTED' as const, reason: 'of 8453' };
    const action = {
      actor: 'ops',
      role: 'operator',
      action: 'halt',
      reason: 'of 8453',
      at: new Date(),
      remote: null,
    };
    expect(await other.save(halted, first.version, action)).toMatchObject({ kind: 'saved' });
    expect(await safety.load()).toEqual(before);
    expect(await other.transitions(9)).toMatchObject([{ chainId: 8453, to: 'HALTED', reason: 'of 8453' }]);
    expect(await other.actions(9)).toMatchObject([{ chainId: 8453, reason: 'of 8453' }]);
    expect((await safety.transitions(1))[0]?.reason).not.toBe('of 8453');
    expect((await safety.others()).map(({ chainId }) => chainId).sort()).toEqual([0, 8453]);
    expect(await new SafetyRepository(running.database, 1).load()).toMatchObject({
      status: { state: 'NORMAL' },
    });
  });

  it('A15 transitions and operator actions are neither changed nor deleted', async () => {
    await safety.recordAction({
      actor: 'ops',
      role: 'operator',
      action: 'halt',
      reason: 'r',
      at: new Date(),
      remote: null,
    });
    for (const table of ['state_transitions', 'operator_actions'])
      for (const statement of [
        `UPDATE ${table} SET reason = 'x'`,
        `DELETE FROM ${table}`,
        `TRUNCATE ${table}`,
      ])
        await expect(running.database.query(statement)).rejects.toThrow(/append-only/);
  });
});
