import { Injectable } from '@nestjs/common';
import { MoreThan, type EntityManager } from 'typeorm';
import { HaltError } from '../../domain/errors.js';
import type { SafetyStatus } from '../../domain/safety.js';
import { notApplied } from '../applied-writes.js';
import { usd8FromText } from '../columns.js';
import { Database } from '../database.js';
import { OperatorAction, SafetyStateRow, StateTransition } from '../entities/safety.js';

/** The safety state that survives restarts. */
export interface StoredSafety {
  readonly status: SafetyStatus;
  /** Pass it to {@link SafetyRepository.save}. */
  readonly version: number;
}

export type SavedSafety =
  | { readonly kind: 'saved'; readonly version: number }
  /** The change with this id was saved before: its answer was lost. Nothing was written. */
  | { readonly kind: 'applied'; readonly current: StoredSafety }
  /** Another writer changed the state since it was loaded. Nothing was written. */
  | { readonly kind: 'stale'; readonly current: StoredSafety };

/** What an operator did through the API. */
export type NewOperatorAction = Pick<
  OperatorAction,
  'actor' | 'role' | 'action' | 'reason' | 'at' | 'remote'
>;

/**
 * The safety state, its history, the daily volumes and the audit trail.
 * Every method throws as {@link Database.query} does.
 */
@Injectable()
export class SafetyRepository {
  constructor(private readonly database: Database) {}

  load(): Promise<StoredSafety> {
    return this.database.transaction(loadRow);
  }

  /**
   * Writes the state, a row of its history if it changes, and a row of the audit trail if an operator caused
   * it: all or nothing.
   *
   * @param version of the last load or save. A state that was changed since then is not overwritten.
   * @param id of the change, so that it is saved once, however often it is tried.
   */
  save(status: SafetyStatus, version: number, action?: NewOperatorAction, id?: string): Promise<SavedSafety> {
    return this.database.transaction(async (manager) => {
      const before = await loadRow(manager, true);
      if (before.version !== version) return { kind: 'stale', current: before };
      if (id !== undefined && (await notApplied(manager, [id])).size === 0)
        return { kind: 'applied', current: before };
      const { state: to, reason, actor, numbers, concerns, consecutiveFailures } = status;
      const [since, ratesSince] = [new Date(status.sinceMs), new Date(status.ratesSinceMs)];
      const why = { reason, actor, cause: status.cause ?? null, numbers };
      const more = { concerns, consecutiveFailures, since, ratesSince, version: version + 1 };
      await manager.update(SafetyStateRow, { id: 1 }, { state: to, ...why, ...more });
      const from = before.status.state;
      if (from !== to) await manager.insert(StateTransition, { from, to, ...why, at: since });
      if (action) await manager.insert(OperatorAction, { ...action });
      return { kind: 'saved', version: version + 1 };
    });
  }

  /** Newest first. */
  transitions(limit: number): Promise<StateTransition[]> {
    return this.database.with(StateTransition, (rows) => rows.find({ order: { id: 'DESC' }, take: limit }));
  }

  /** How often the bot halted itself since then. */
  async haltsSince(since: Date): Promise<number> {
    return this.database.with(StateTransition, (rows) =>
      rows.countBy({ to: 'HALTED', actor: 'chimera', at: MoreThan(since) }),
    );
  }

  /** Records an action that changed no state, such as one that was refused. */
  async recordAction(action: NewOperatorAction): Promise<void> {
    await this.database.with(OperatorAction, (rows) => rows.insert({ ...action }));
  }

  /** Newest first. */
  actions(limit: number): Promise<OperatorAction[]> {
    return this.database.with(OperatorAction, (rows) => rows.find({ order: { id: 'DESC' }, take: limit }));
  }

  /** The notional booked to each UTC day, YYYY-MM-DD: USD with 8 decimals. */
  async volumeUsd8ByDay(): Promise<ReadonlyMap<string, bigint>> {
    const rows = await this.database.query('SELECT day::text, notional_usd FROM daily_volume');
    return new Map(rows.map(({ day, notional_usd }) => [String(day), usd8FromText(notional_usd)]));
  }
}

async function loadRow(manager: EntityManager, forUpdate = false): Promise<StoredSafety> {
  const row = await manager.findOne(SafetyStateRow, {
    where: { id: 1 },
    ...(forUpdate && { lock: { mode: 'pessimistic_write' as const } }),
  });
  if (!row) throw new HaltError('the safety state is missing from the database');
  const { since, ratesSince, version, cause, state, reason, actor, numbers, concerns, consecutiveFailures } =
    row;
  const times = { sinceMs: since.getTime(), ratesSinceMs: ratesSince.getTime() };
  const why = { reason, actor, cause: cause ?? undefined, numbers };
  return { status: { state, ...why, consecutiveFailures, concerns, ...times }, version };
}
