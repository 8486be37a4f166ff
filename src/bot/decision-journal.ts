import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { DatabaseAway, ExecutionsRepository } from '../database/index.js';
import {
  rejected,
  REJECTION_REASONS,
  type PlanDecision,
  type Rejection,
  type RejectionReason,
} from '../domain/decision.js';
import { Clock } from '../domain/clock.js';
import { HaltError } from '../domain/errors.js';
import { Events, type EventNamed } from '../domain/events/events.js';
import type { Address } from '../domain/hex.js';
import type { StageTime } from '../domain/pass-trace.js';
import type { LiquidationPlan } from '../domain/plan.js';
import { poolsOf } from '../domain/route.js';
import { executionRow, type RowOwner } from '../execution/index.js';
import { RepeatFilter } from './repeat-filter.js';
import { RowFilter } from './row-filter.js';
import { rejectionRow } from './rejection-row.js';
import { WriteQueue } from './write-queue.js';

/** A position with a health factor below 1 that is left alone, and why. */
export interface SkippedPosition {
  readonly protocol: string;
  readonly borrower: Address;
  readonly healthFactorWad: bigint | undefined;
  readonly rejection: Rejection;
}

/** A plan that execution would refuse now. */
export interface RefusedPlan {
  readonly plan: LiquidationPlan;
  readonly rejection: Rejection;
}

/** A plan and its durable row. */
export interface PlanRow {
  readonly plan: LiquidationPlan;
  readonly executionId: string;
}

/** What became of plans that were to get a row. */
export interface RecordedPlans {
  readonly rows: readonly PlanRow[];
  /** A dry run has decided them. While the database is away they wait in the journal. */
  readonly kept: number;
  /** Without the database they have no row, so they are not carried out. */
  readonly refused: readonly SkippedPosition[];
}

/**
 * Writes down what a pass decides, as rows and as events. A decision that is the same as in the pass before
 * is not written again.
 */
@Injectable()
export class DecisionJournal {
  private readonly repeats = new RepeatFilter();
  private readonly rows: RowFilter;

  constructor(
    private readonly executions: ExecutionsRepository,
    private readonly writes: WriteQueue,
    private readonly events: Events,
    private readonly config: ChimeraConfig,
    clock: Clock = new Clock(),
  ) {
    this.rows = new RowFilter(clock);
  }

  startPass(): void {
    this.repeats.startPass();
    this.rows.startPass();
  }

  /** Whether plans can be carried out, as far as the database is concerned. A dry run always can. */
  get canRecordPlans(): boolean {
    return this.config.execution.mode === 'dry-run' || !this.writes.isAway;
  }

  /**
   * The plans to carry out, each with its row: all rows in one statement, because every plan waits for it. In
   * dry-run, a plan that differs from the one of the pass before only by its block is left out. Without the
   * database no plan is carried out.
   *
   * @throws HaltError
   */
  async recordPlans(all: readonly LiquidationPlan[], operator: Address): Promise<RecordedPlans> {
    const owner = this.ownerOf(operator);
    if (owner.mode === 'dry-run') return this.keepDecided(all, owner);
    try {
      const ids = await this.executions.insertMany(all.map((plan) => executionRow(plan, owner, 'planned')));
      const rows = all.map((plan, index) => {
        const executionId = ids[index];
        if (executionId === undefined) throw new HaltError('the database gave fewer ids than rows');
        return { plan, executionId };
      });
      return { rows, kept: 0, refused: [] };
    } catch (error) {
      if (!(error instanceof DatabaseAway)) throw error;
      const refusals = all.map((plan) => ({ plan, rejection: rejected('database-away') }));
      return { rows: [], kept: 0, refused: this.recordRejections([], refusals, operator) };
    }
  }

  /**
   * What the planner refused, and plans that the gate would refuse. A refusal that reached the simulation
   * gets a row, once as long as it comes again within a minute. Nothing waits for these rows.
   */
  recordRejections(
    decisions: readonly PlanDecision[],
    refusals: readonly RefusedPlan[],
    operator: Address,
  ): readonly SkippedPosition[] {
    const owner = this.ownerOf(operator);
    const rejections = decisions.filter((decision) => decision.kind === 'rejected');
    const rows = rejections.flatMap((rejection) => {
      const { opportunity, attempt, reason } = rejection;
      const isNew = attempt && this.rows.isNew(opportunity.borrower, reason);
      return isNew ? [rejectionRow(opportunity, attempt, rejection, owner)] : [];
    });
    const planRows = refusals
      .filter(({ plan, rejection: { reason } }) => this.rows.isNew(plan.borrower, reason))
      .map(({ plan, rejection: { reason } }) => executionRow(plan, owner, 'rejected', reason));
    this.writes.add(...[...rows, ...planRows].map((row) => ({ kind: 'execution' as const, row })));
    return [
      ...rejections.map((rejection) => ({ ...rejection.opportunity, rejection })),
      ...refusals.map(({ plan, rejection }) => ({ ...plan, rejection })),
    ];
  }

  /**
   *  The rows of plans that will not be carried out, because one before them failed. Where the database is
   * away, the next start does it.
   */
  async recordInterrupted(rows: readonly PlanRow[]): Promise<void> {
    if (this.writes.isAway) return;
    const reason: RejectionReason = 'interrupted';
    await Promise.allSettled(
      rows.map(({ executionId }) => this.executions.settle(executionId, { status: 'rejected', reason })),
    );
  }

  /** The gate was asked about them before: their rows say from the first that they are decided. */
  private async keepDecided(all: readonly LiquidationPlan[], owner: RowOwner): Promise<RecordedPlans> {
    const plans = all.filter((plan) => this.repeats.isNew(plan.borrower, describe(plan)));
    const kept = await this.writes.keep(plans.map((plan) => executionRow(plan, owner, 'dry-run')));
    const rows = plans.map((plan, index) => ({ plan, executionId: kept[index]?.id ?? '' }));
    const waiting = rows.filter((_, index) => kept[index]?.isWritten === false);
    for (const row of waiting) {
      this.reportPlan(row);
      const { executionId, plan } = row;
      this.events.emit({ event: 'dry-run', executionId, borrower: plan.borrower, block: plan.block.number });
    }
    return { rows: rows.filter((row) => !waiting.includes(row)), kept: waiting.length, refused: [] };
  }

  /** Says of each position why it is left alone, when that is news. */
  reportSkipped(skipped: readonly SkippedPosition[], block: number): void {
    for (const { protocol, borrower, healthFactorWad, rejection } of skipped) {
      const { reason, detail } = rejection;
      if (!this.repeats.isNew(borrower, reason)) continue;
      this.events.emit({
        event: 'position-skipped',
        protocol,
        borrower,
        block,
        healthFactorWad: healthFactorWad === undefined ? undefined : String(healthFactorWad),
        reason,
        explanation: REJECTION_REASONS[reason],
        detail,
      });
    }
  }

  private ownerOf(wallet: Address): RowOwner {
    const { network, execution } = this.config;
    return { chainId: network.chainId, wallet, mode: execution.mode };
  }

  reportPass(pass: Omit<EventNamed<'pass'>, 'event'>): void {
    this.events.emit({ event: 'pass', ...pass });
  }

  reportStages(stages: readonly StageTime[]): void {
    this.events.emit({ event: 'stages-timed', stages });
  }

  /** A plan is about to be handed to execution. */
  reportPlan({ plan, executionId }: PlanRow): void {
    this.events.emit({
      event: 'plan-ready',
      executionId,
      protocol: plan.protocol,
      borrower: plan.borrower,
      block: plan.block.number,
      healthFactorWad: String(plan.healthFactorWad),
      collateral: plan.candidate.collateral.symbol,
      debt: plan.candidate.debt.symbol,
      sizing: plan.candidate.sizing,
      debtToCover: String(plan.candidate.debtToCover),
      notionalUsd8: String(plan.notionalUsd8),
      grossProfitUsd8: String(plan.grossProfitUsd8),
      bidUsd8: String(plan.costs.bidUsd8),
      gasUsd8: String(plan.costs.l2GasUsd8),
      l1FeeUsd8: String(plan.costs.l1DataUsd8),
      operatorFeeUsd8: String(plan.costs.operatorUsd8),
      poolFeeUsd8: String(plan.costs.poolFeeUsd8),
      netProfitUsd8: String(plan.netProfitUsd8),
    });
  }
}

/** Equal for plans that differ only by block, prices and interest. */
function describe({ candidate, route }: LiquidationPlan): string {
  return `planned ${candidate.collateral.address} ${candidate.debt.address} ${candidate.sizing} ${poolsOf(route).join(' ')}`;
}
