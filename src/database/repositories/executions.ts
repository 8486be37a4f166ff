import { Injectable } from '@nestjs/common';
import {
  And,
  In,
  IsNull,
  LessThan,
  MoreThan,
  MoreThanOrEqual,
  Not,
  type FindManyOptions,
  type FindOperator,
  type FindOptionsWhere,
  type QueryDeepPartialEntity,
  type Repository,
} from 'typeorm';
import { HaltError } from '../../domain/errors.js';
import { isHash, toAddress, type Address, type Hash } from '../../domain/hex.js';
import type { Outcome } from '../../domain/outcome.js';
import type { PositionId } from '../../domain/position-id.js';
import type { Counted, OutcomeTotals } from '../../domain/outcome-tally.js';
import { safeInteger, usd8FromText } from '../columns.js';
import { Database } from '../database.js';
import { Execution, type ExecutionMode, type ExecutionStatus } from '../entities/execution.js';
import { Fence, isHeld } from '../fence.js';
import type { LeaseKey } from './leases.js';

/**
 * The decision part of a row. Only a row of status `rejected` may lack amounts, if they never became known.
 */
export type NewExecution = Pick<
  Execution,
  | 'chainId'
  | 'wallet'
  | 'protocol'
  | 'borrower'
  | 'marketId'
  | 'blockNumber'
  | 'blockHash'
  | 'healthFactorWad'
  | 'collateralAsset'
  | 'debtAsset'
  | 'debtToCover'
  | 'expectedCollateral'
  | 'simulatedProfitUsd8'
  | 'gasCostUsd8'
  | 'l1FeeUsd8'
  | 'operatorFeeUsd8'
  | 'poolFeeUsd8'
  | 'bidUsd8'
  | 'simulatedNetProfitUsd8'
  | 'notionalUsd8'
  | 'mode'
> & {
  /** `planned` only in rows from before a plan was written together with its transaction. */
  readonly status: 'planned' | 'authorised' | 'rejected' | 'dry-run';
  readonly reason?: string | null;
  readonly dryRunDay?: string | null;
  /** All inputs. A bigint is stored as decimal text, a Secret as ***. */
  readonly plan: object;
};

/** What became of a signed transaction. */
interface Ended {
  readonly outcome: Outcome;
  /** Stored as JSON. A bigint becomes decimal text. */
  readonly outcomeDetails: object;
}

/** What a mined transaction paid. */
interface Paid {
  readonly txHash: Hash;
  readonly gasUsed: bigint;
  readonly feesWei: bigint;
}

/** How an execution ended without being mined. */
export type ExecutionEnd =
  | { readonly status: 'rejected'; readonly reason: string }
  | (Ended & { readonly status: 'dropped'; readonly reason: string });

/** How an execution ended by its receipt. Amounts are from there. */
export type MinedExecution =
  | (Ended &
      Paid & {
        readonly status: 'reverted' | 'cancelled';
        readonly reason: string;
        /** The fees that were paid without a profit: negative. */
        readonly realisedProfitUsd8: bigint;
      })
  | (Ended &
      Paid & {
        readonly status: 'succeeded';
        /** Debt token units. */
        readonly debtCovered: bigint;
        /** Collateral units. */
        readonly collateralSeized: bigint;
        /** Units of the token that the treasury received. */
        readonly realisedProfit: bigint;
        /** After the fees of the receipt. */
        readonly realisedProfitUsd8: bigint;
      });

/** What the rates count. */
const RATED: readonly Outcome[] = ['won', 'lost', 'stale', 'malfunction'];
/** Without the plan: thousands of rows are read at once. */
const RATED_COLUMNS = {
  ...{ id: true, outcome: true, outcomeDetails: true, settledAt: true },
  ...{ simulatedNetProfitUsd8: true, realisedProfitUsd8: true },
} as const;

/** Of a plan what a list shows, in the shape of the plan: its tokens, and how many liquidations follow. */
const LISTED_PLAN = `
CASE WHEN jsonb_typeof(execution.plan) = 'object' THEN jsonb_build_object(
  'candidate', jsonb_build_object(
    'collateral', execution.plan->'candidate'->'collateral', 'debt', execution.plan->'candidate'->'debt'),
  'profitAsset', execution.plan->'profitAsset')
  || CASE WHEN execution.plan->'call' IS NULL THEN '{}' ELSE jsonb_build_object('call', null, 'further',
    CASE WHEN jsonb_typeof(execution.plan->'further') = 'array'
      THEN (SELECT coalesce(jsonb_agg(null::text), '[]') FROM jsonb_array_elements(execution.plan->'further')) END) END
END`;

/** What an execution adds to the rates. */
export interface RatedRow {
  readonly executionId: string;
  readonly outcome: Outcome;
  /** As {@link Verdict.rival}, as JSON. */
  readonly rival: unknown;
  readonly simulatedUsd8: bigint;
  readonly realisedUsd8: bigint;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** What a dry run has booked to a day. */
export interface DryRunRow extends PositionId {
  /** YYYY-MM-DD. */
  readonly day: string;
  /** All that its transaction would have paid, the bid included. USD with 8 decimals. */
  readonly costsUsd8: bigint;
  readonly nativePriceUsd8: bigint;
}

const DRY_RUNS = `
SELECT dry_run_day::text AS day, plan->>'market' AS market, market_id, borrower,
  coalesce(gas_cost_usd, 0) + coalesce(l1_fee_usd, 0) + coalesce(operator_fee_usd, 0) + coalesce(bid_usd, 0) AS costs,
  coalesce(plan->>'nativePriceUsd8', '0') AS native
FROM executions WHERE chain_id = $1 AND wallet = $2 AND dry_run_day >= $3::date ORDER BY id`;

/** The outcome of one execution. */
export type OutcomeRow = Counted & { readonly executionId: string; readonly atMs: number };

/** Which executions are wanted. What is left out does not matter. */
export interface ExecutionFilter {
  readonly status?: ExecutionStatus | undefined;
  readonly outcome?: Outcome | undefined;
  readonly protocol?: string | undefined;
  readonly borrower?: Address | undefined;
  /** Decided then or later. */
  readonly since?: Date | undefined;
  /** Decided before then. */
  readonly until?: Date | undefined;
}

const OPEN: readonly ExecutionStatus[] = ['authorised', 'submitted'];

/**
 * Decisions and their outcomes. Outcomes are fenced as the outbox is. Every method throws as
 * {@link Database.query} does.
 */
@Injectable()
export class ExecutionsRepository {
  constructor(
    private readonly database: Database,
    private readonly fence: Fence = new Fence(),
  ) {}

  /** @returns the row's id. */
  async insert(execution: NewExecution): Promise<string> {
    const [id] = await this.insertMany([execution]);
    if (id === undefined) throw new HaltError('the database gave no id for an execution');
    return id;
  }

  /** Inserts all or none. @returns the ids in the order of the list. */
  async insertMany(executions: readonly NewExecution[]): Promise<string[]> {
    if (executions.length === 0) return [];
    // TypeORM writes the ids into the objects that it gets, so it gets copies.
    const copies = executions.map((execution) => ({ ...execution }));
    const result = await this.database.with(Execution, (rows) => rows.insert(copies));
    return result.identifiers.map(({ id }) => String(id));
  }

  /** Writes how an execution ended that was not mined: {@link OutboxRepository.settle} writes the others. */
  async settle(id: string, end: ExecutionEnd): Promise<void> {
    const affected = await this.update({ id }, { ...end, settledAt: () => 'now()' });
    if (affected === 1) return;
    await this.fence.explain(this.database);
    throw new HaltError(`there is no execution ${id} to settle`);
  }

  /**
   * Rejects plans of a wallet that were never authorised; nothing of them was signed. Call it at the start,
   * when no pass is running. Plans from before wallets were stored count as its own.
   *
   * @param mode a dry run leaves the plans of a live bot alone.
   * @returns how many were rejected.
   */
  rejectInterrupted({ chainId, wallet }: LeaseKey, mode: ExecutionMode, reason: string): Promise<number> {
    const planned = { status: 'planned', mode } as const;
    return this.update(
      [
        { ...planned, chainId, wallet },
        { ...planned, wallet: IsNull() },
      ],
      { status: 'rejected', reason, settledAt: () => 'now()' },
    );
  }

  find(id: string): Promise<Execution | null> {
    return this.database.with(Execution, (rows) => rows.findOneBy({ id }));
  }

  /** Those with these ids, the lowest first. */
  all(ids: readonly string[]): Promise<Execution[]> {
    return this.database.with(Execution, (rows) =>
      rows.find({ where: { id: In([...ids]) }, order: { id: 'ASC' } }),
    );
  }

  /**
   * Those of a chain, newest first. Rows from before chains were stored are of every chain. Of each plan only
   * {@link LISTED_PLAN} is read: whole plans of a page are megabytes.
   *
   * @param before only rows older than this id: the next page.
   */
  async latest(
    chainId: number,
    limit: number,
    before?: string,
    filter: ExecutionFilter = {},
  ): Promise<Execution[]> {
    const older = { ...whereOf(filter), ...(before !== undefined && { id: LessThan(before) }) };
    const of = (chain: number | FindOperator<number>): Promise<Execution[]> =>
      this.database.with(Execution, (rows) =>
        listed(rows, { where: { chainId: chain, ...older }, order: { id: 'DESC' }, take: limit }),
      );
    // Two questions, because each of them reads along an index.
    return [...(await of(chainId)), ...(await of(IsNull()))]
      .sort((a, b) => Number(BigInt(b.id) - BigInt(a.id)))
      .slice(0, limit);
  }

  /** Authorised or submitted and not settled, oldest first: a restart has to settle them. */
  open(): Promise<Execution[]> {
    return this.database.with(Execution, (rows) =>
      rows.find({ where: { status: In(OPEN) }, order: { id: 'ASC' } }),
    );
  }

  count(): Promise<number> {
    return this.database.with(Execution, (rows) => rows.count());
  }

  /** All outcomes of a wallet, by kind. A kind without rows is absent. */
  async outcomeTotals({ chainId, wallet }: LeaseKey): Promise<Partial<OutcomeTotals>> {
    const rows = await this.database.query(
      `SELECT outcome, count(*) AS n, coalesce(sum(fees_wei), 0) AS fees, coalesce(sum(realised_profit_usd), 0) AS profit
       FROM executions WHERE outcome IS NOT NULL AND chain_id = $1 AND wallet = $2 GROUP BY outcome`,
      [chainId, wallet],
    );
    return Object.fromEntries(
      rows.map(({ outcome, n, fees, profit }) => [
        String(outcome),
        { count: safeInteger(n), feesWei: BigInt(String(fees)), profitUsd8: usd8FromText(profit) },
      ]),
    );
  }

  /** The outcomes of a wallet that were settled since then, the oldest first. */
  async outcomesSince({ chainId, wallet }: LeaseKey, since: Date): Promise<OutcomeRow[]> {
    const rows = await this.database.with(Execution, (repository) =>
      repository.find({
        select: { id: true, outcome: true, feesWei: true, realisedProfitUsd8: true, settledAt: true },
        where: { chainId, wallet, outcome: Not(IsNull()), settledAt: MoreThanOrEqual(since) },
        order: { settledAt: 'ASC' },
      }),
    );
    return rows.flatMap(({ id, outcome, feesWei, realisedProfitUsd8, settledAt }) => {
      if (outcome === null || settledAt === null) return [];
      const [fees, profitUsd8] = [feesWei ?? 0n, realisedProfitUsd8 ?? 0n];
      return [{ executionId: id, outcome, feesWei: fees, profitUsd8, atMs: settledAt.getTime() }];
    });
  }

  /**
   * The last executions of a wallet with an outcome, without those that every node refused, the oldest first.
   *
   * @param since those settled up to then are left out.
   */
  async lastRated({ chainId, wallet }: LeaseKey, since: Date, limit: number): Promise<RatedRow[]> {
    const rows = await this.database.with(Execution, (repository) =>
      repository.find({
        select: RATED_COLUMNS,
        where: { chainId, wallet, outcome: In(RATED), settledAt: MoreThan(since) },
        order: { settledAt: 'DESC', id: 'DESC' },
        take: limit,
      }),
    );
    return rows.reverse().flatMap(ratedRow);
  }

  /** The same of all wallets of a chain, since then. */
  async ratedSince(chainId: number, since: Date): Promise<RatedRow[]> {
    const rows = await this.database.with(Execution, (repository) =>
      repository.find({
        select: RATED_COLUMNS,
        where: { chainId, outcome: In(RATED), settledAt: MoreThan(since) },
      }),
    );
    return rows.flatMap(ratedRow);
  }

  /** What a dry run of a wallet has booked to this UTC day, YYYY-MM-DD, and to later ones. */
  async dryRunsSince({ chainId, wallet }: LeaseKey, day: string): Promise<DryRunRow[]> {
    const rows = await this.database.query(DRY_RUNS, [chainId, wallet, day]);
    return rows.map(({ day: booked, market, market_id, borrower, costs, native }) => ({
      day: String(booked),
      market: toAddress(String(market)),
      ...(isHash(market_id) && { marketId: market_id }),
      borrower: toAddress(String(borrower)),
      costsUsd8: usd8FromText(costs),
      nativePriceUsd8: BigInt(String(native)),
    }));
  }

  /** The number of rows of each status. A status without rows is absent. */
  async countByStatus(): Promise<Partial<Record<ExecutionStatus, number>>> {
    const rows = await this.database.query('SELECT status, count(*) AS n FROM executions GROUP BY status');
    return Object.fromEntries(rows.map(({ status, n }) => [String(status), safeInteger(n)]));
  }

  /** @returns how many rows were changed: none when another process has the lease. */
  private async update(
    where: FindOptionsWhere<Execution> | FindOptionsWhere<Execution>[],
    change: QueryDeepPartialEntity<Execution>,
  ): Promise<number> {
    const [chain, holder, epoch] = this.fence.values;
    const { affected } = await this.database.with(Execution, (rows) =>
      rows
        .createQueryBuilder()
        .update()
        .set(change)
        .where(where)
        .andWhere(isHeld(':chain', ':holder', ':epoch'), { chain, holder, epoch })
        .execute(),
    );
    return affected ?? 0;
  }
}

async function listed(
  rows: Repository<Execution>,
  options: FindManyOptions<Execution>,
): Promise<Execution[]> {
  const columns = rows.metadata.columns.map(({ propertyName }) => propertyName);
  const select = Object.fromEntries(columns.map((name) => [name, name !== 'plan']));
  const query = rows
    .createQueryBuilder('execution')
    .setFindOptions({ ...options, select })
    .addSelect(LISTED_PLAN, 'listed_plan');
  const { entities, raw } = await query.getRawAndEntities<{ listed_plan: unknown }>();
  return entities.map((row, index) => Object.assign(row, { plan: raw[index]?.listed_plan ?? null }));
}

function whereOf({ since, until, ...columns }: ExecutionFilter): FindOptionsWhere<Execution> {
  const times = [since && MoreThanOrEqual(since), until && LessThan(until)].filter(
    (one) => one !== undefined,
  );
  const given = Object.entries(columns).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), ...(times.length > 0 && { createdAt: And(...times) }) };
}

function ratedRow(row: Pick<Execution, keyof typeof RATED_COLUMNS>): RatedRow[] {
  const { id, outcome, outcomeDetails, settledAt, simulatedNetProfitUsd8, realisedProfitUsd8 } = row;
  if (outcome === null || settledAt === null) return [];
  const { rival } = { ...(outcomeDetails as { rival?: unknown } | null) };
  const [simulatedUsd8, realisedUsd8] = [simulatedNetProfitUsd8 ?? 0n, realisedProfitUsd8 ?? 0n];
  return [{ executionId: id, outcome, rival, simulatedUsd8, realisedUsd8, atMs: settledAt.getTime() }];
}
