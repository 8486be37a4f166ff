import { Injectable } from '@nestjs/common';
import { MoreThan, type EntityManager } from 'typeorm';
import { HaltError } from '../../domain/errors.js';
import { toAddress } from '../../domain/hex.js';
import type { SafetyStatus } from '../../domain/safety.js';
import { WORKING_LIMITS, type Setting, type SettingKey } from '../../domain/steering.js';
import { notApplied } from '../applied-writes.js';
import { safeInteger, usd8FromText } from '../columns.js';
import { Database, rowsFrom, type Row } from '../database.js';
import type { ExecutionMode } from '../entities/execution.js';
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

/** What an operator sets. */
export type NewSetting = SettingKey &
  Pick<Setting, 'reason' | 'actor' | 'sinceMs'> & {
    /** Of a limit. */
    readonly valueUsd8: bigint | null;
  };

/** Of rows from before chains were told apart (migration 0017): they count for every chain. */
const EVERY_CHAIN = 0;

const SET = `
INSERT INTO steering (chain_id, kind, name, value, reason, actor, since) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (chain_id, kind, name) DO UPDATE
  SET value = excluded.value, reason = excluded.reason, actor = excluded.actor, since = excluded.since`;
const VOLUME: Readonly<Record<ExecutionMode, string>> = {
  live: `SELECT day::text, sum(notional_usd) AS notional_usd FROM daily_volume WHERE chain_id IN ($1, ${EVERY_CHAIN}) GROUP BY day`,
  'dry-run': `
SELECT dry_run_day::text AS day, sum(coalesce(notional_usd, 0)) AS notional_usd
FROM executions WHERE chain_id = $1 AND dry_run_day IS NOT NULL GROUP BY dry_run_day`,
};
const UNSET = 'DELETE FROM steering WHERE chain_id = $1 AND kind = $2 AND name = $3';

/** What a chain begins with. Two processes may begin at once. */
const BEGIN = `
INSERT INTO safety_state
  (chain_id, state, reason, actor, consecutive_failures, since, version, cause, numbers, concerns, rates_since)
SELECT $1::bigint, state, reason, actor, consecutive_failures, since, version, cause, numbers, concerns, rates_since
  FROM safety_state WHERE chain_id = ${EVERY_CHAIN} ON CONFLICT DO NOTHING`;

/**
 * The safety state of a chain, its history, the daily volumes and the audit trail.
 * Every method throws as {@link Database.query} does.
 */
@Injectable()
export class SafetyRepository {
  constructor(
    private readonly database: Database,
    readonly chainId: number,
    private readonly mode: ExecutionMode = 'live',
  ) {}

  /** A chain that has no state yet gets one: a halt from before chains were told apart holds for it too. */
  load(): Promise<StoredSafety> {
    return this.database.transaction((manager) => this.loadRow(manager));
  }

  /** The states of the other chains, and of those that have not begun yet. */
  async others(): Promise<SafetyRepository[]> {
    const rows = await this.database.query('SELECT chain_id FROM safety_state WHERE chain_id <> $1', [
      this.chainId,
    ]);
    return rows.map(({ chain_id }) => new SafetyRepository(this.database, safeInteger(chain_id)));
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
      const before = await this.loadRow(manager, true);
      if (before.version !== version) return { kind: 'stale', current: before };
      if (id !== undefined && (await notApplied(manager, [id])).size === 0)
        return { kind: 'applied', current: before };
      const { state: to, reason, actor, numbers, concerns, consecutiveFailures } = status;
      const [since, ratesSince] = [new Date(status.sinceMs), new Date(status.ratesSinceMs)];
      const why = { reason, actor, cause: status.cause ?? null, numbers };
      const more = { concerns, consecutiveFailures, since, ratesSince, version: version + 1 };
      const { chainId } = this;
      await manager.update(SafetyStateRow, { chainId }, { state: to, ...why, ...more });
      const from = before.status.state;
      if (from !== to) await manager.insert(StateTransition, { chainId, from, to, ...why, at: since });
      if (action) await manager.insert(OperatorAction, { chainId, ...action });
      return { kind: 'saved', version: version + 1 };
    });
  }

  /** Newest first. */
  transitions(limit: number): Promise<StateTransition[]> {
    return this.database.with(StateTransition, (rows) =>
      rows.find({ where: this.ours, order: { id: 'DESC' }, take: limit }),
    );
  }

  /** How often the bot halted itself since then. */
  async haltsSince(since: Date): Promise<number> {
    return this.database.with(StateTransition, (rows) =>
      rows.countBy(
        this.ours.map((ours) => ({ ...ours, to: 'HALTED' as const, actor: 'chimera', at: MoreThan(since) })),
      ),
    );
  }

  /** Records an action that changed no state, such as one that was refused. */
  async recordAction(action: NewOperatorAction): Promise<void> {
    await this.database.with(OperatorAction, (rows) => rows.insert({ chainId: this.chainId, ...action }));
  }

  /** What operators have set, in that order. */
  async settings(): Promise<Setting[]> {
    const rows = await this.database.query(
      'SELECT kind, name, value::text, reason, actor, since FROM steering WHERE chain_id = $1 ORDER BY since, kind, name',
      [this.chainId],
    );
    return rows.map(settingOf);
  }

  /** Sets it, or sets it anew, with a row of the audit trail: both or none. */
  set(
    { kind, name, valueUsd8, reason, actor, sinceMs }: NewSetting,
    action: NewOperatorAction,
  ): Promise<void> {
    const values = [this.chainId, kind, name, valueUsd8?.toString() ?? null, reason, actor];
    return this.withAction(action, SET, [...values, new Date(sinceMs)]);
  }

  /** Takes it back, with a row of the audit trail: both or none. */
  unset({ kind, name }: SettingKey, action: NewOperatorAction): Promise<void> {
    return this.withAction(action, UNSET, [this.chainId, kind, name]);
  }

  /** Newest first. */
  actions(limit: number): Promise<OperatorAction[]> {
    return this.database.with(OperatorAction, (rows) =>
      rows.find({ where: this.ours, order: { id: 'DESC' }, take: limit }),
    );
  }

  /**
   * The notional booked to each UTC day, YYYY-MM-DD: USD with 8 decimals. Of a live bot what its transactions
   * booked, and what is of no known chain counts for each. Of a dry run what its decisions booked, and
   * nothing else.
   */
  async volumeUsd8ByDay(): Promise<ReadonlyMap<string, bigint>> {
    const rows = await this.database.query(VOLUME[this.mode], [this.chainId]);
    return new Map(rows.map(({ day, notional_usd }) => [String(day), usd8FromText(notional_usd)]));
  }

  private withAction(action: NewOperatorAction, sql: string, values: readonly unknown[]): Promise<void> {
    return this.database.transaction(async (manager) => {
      await rowsFrom(manager.queryRunner, sql, values);
      await manager.insert(OperatorAction, { chainId: this.chainId, ...action });
    });
  }

  /** One of these. */
  private get ours(): { readonly chainId: number }[] {
    return [{ chainId: this.chainId }, { chainId: EVERY_CHAIN }];
  }

  private async loadRow(manager: EntityManager, forUpdate = false): Promise<StoredSafety> {
    const find = (): Promise<SafetyStateRow | null> =>
      manager.findOne(SafetyStateRow, {
        where: { chainId: this.chainId },
        ...(forUpdate && { lock: { mode: 'pessimistic_write' as const } }),
      });
    let row = await find();
    if (!row) {
      await rowsFrom(manager.queryRunner, BEGIN, [this.chainId]);
      row = await find();
    }
    if (!row) throw new HaltError('the safety state is missing from the database');
    return storedOf(row);
  }
}

function storedOf(row: SafetyStateRow): StoredSafety {
  const { since, ratesSince, version, cause, state, reason, actor, numbers, concerns, consecutiveFailures } =
    row;
  const times = { sinceMs: since.getTime(), ratesSinceMs: ratesSince.getTime() };
  const why = { reason, actor, cause: cause ?? undefined, numbers };
  return { status: { state, ...why, consecutiveFailures, concerns, ...times }, version };
}

/** @throws HaltError for a row of a newer version. */
function settingOf({ kind, name, value, reason, actor, since }: Row): Setting {
  const by = {
    reason: String(reason),
    actor: String(actor),
    sinceMs: since instanceof Date ? since.getTime() : 0,
  };
  const limit = WORKING_LIMITS.find((one) => one === name);
  if (kind === 'limit' && limit) return { kind, name: limit, valueUsd8: BigInt(String(value)), ...by };
  if (kind === 'paused') return { kind, name: String(name), ...by };
  if (kind === 'denied') return { kind, name: toAddress(String(name)), ...by };
  throw new HaltError(`the table steering has a row of an unknown kind: ${String(kind)} ${String(name)}`);
}
