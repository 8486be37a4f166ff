import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import {
  REJECTION_REASONS,
  type PlanDecision,
  type Rejection,
  type RejectionReason,
} from '../domain/decision.js';
import { Clock } from '../domain/clock.js';
import { Events, type EventNamed } from '../domain/events/events.js';
import { fundingName } from '../domain/funding.js';
import type { Address } from '../domain/hex.js';
import type { PassTrace, StageTime } from '../domain/pass-trace.js';
import type { LiquidationPlan } from '../domain/plan.js';
import { marketIdOf } from '../domain/position-id.js';
import { poolsOf } from '../domain/route.js';
import { executionRow, planReady, type RowOwner } from '../execution/index.js';
import { skippedFor, type LeftPositions, type SkippedPosition } from './skipped.js';
import { RepeatFilter } from './repeat-filter.js';
import { RowFilter } from './row-filter.js';
import { rejectionRow } from './rejection-row.js';
import { WriteQueue } from './write-queue.js';

/** Their turn comes. In a crash that is all that there is to say of thousands of positions. */
const WAITING: ReadonlySet<RejectionReason> = new Set(['comes-later', 'in-flight-limit']);
/** More of them are not named one by one. */
const MOST_WAITING_SINGLE = 50;

/** A plan that the gate of execution refused. It has no row yet. */
export interface RefusedPlan {
  readonly plan: LiquidationPlan;
  readonly rejection: Rejection;
}

/** A plan that a dry run would have sent. */
export interface DryPlan {
  readonly plan: LiquidationPlan;
  /** The day to which it was booked; undefined: its position was counted before. */
  readonly day: string | undefined;
}

/**
 * Writes down what a pass decides, as rows and as events. A decision that is the same as in the pass before
 * is not written again.
 */
@Injectable()
export class DecisionJournal {
  private readonly repeats = new RepeatFilter();
  private readonly rows: RowFilter;
  private saidOfWaiting = '{}';

  constructor(
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
   * What the planner refused, and plans that the gate refused. A refusal that reached the simulation
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
      const isNew = attempt && this.rows.isNew(opportunity, reason);
      return isNew ? [rejectionRow(opportunity, attempt, rejection, owner)] : [];
    });
    const planRows = refusals
      .filter(({ plan, rejection: { reason } }) => this.rows.isNew(plan, reason))
      .map(({ plan, rejection: { reason } }) => executionRow(plan, owner, 'rejected', { reason }));
    this.writes.add(...[...rows, ...planRows].map((row) => ({ kind: 'execution' as const, row })));
    return [
      ...rejections.map((rejection) => ({ ...rejection.opportunity, rejection })),
      ...refusals.map(({ plan, rejection }) => ({ ...plan, rejection })),
    ];
  }

  /**
   * What a dry run would have sent. A plan that differs from the one of the pass before only by its block is
   * left out, unless it was booked to the day. While the database is away the rows wait in the journal.
   *
   * @returns how many were new.
   */
  async keepDryRun(all: readonly DryPlan[], operator: Address): Promise<number> {
    const owner = this.ownerOf(operator);
    const plans = all.filter(
      ({ plan, day }) => this.repeats.isNew(plan, describe(plan)) || day !== undefined,
    );
    const kept = await this.writes.keep(
      plans.map(({ plan, day: dryRunDay = null }) => executionRow(plan, owner, 'dry-run', { dryRunDay })),
    );
    for (const [index, { plan }] of plans.entries()) {
      const executionId = kept[index]?.id ?? '';
      this.events.emit(planReady(plan, executionId));
      const { borrower, block } = plan;
      this.events.emit({
        ...{ event: 'dry-run', executionId, borrower, ...marketIdOf(plan), block: block.number },
      });
    }
    return plans.length;
  }

  /**
   * Says of each position why it is left alone, when that is news. Of many that only wait for their turn it
   * says how many there are.
   */
  async reportSkipped(
    skipped: readonly SkippedPosition[],
    { rejection: rest, positions }: LeftPositions,
    block: number,
    trace: Pick<PassTrace, 'breathe'>,
  ): Promise<void> {
    const waiting = skipped.filter(({ rejection }) => WAITING.has(rejection.reason));
    const isMany = waiting.length + positions.length > MOST_WAITING_SINGLE;
    const counts: Partial<Record<RejectionReason, number>> = {};
    const count = (reason: RejectionReason, more: number): void => {
      if (more > 0) counts[reason] = (counts[reason] ?? 0) + more;
    };
    if (isMany) {
      for (const { rejection } of waiting) count(rejection.reason, 1);
      count(rest.reason, positions.length);
    }
    this.reportWaiting(counts, block);
    const single = isMany
      ? skipped.filter(({ rejection }) => !WAITING.has(rejection.reason))
      : [...skipped, ...positions.map((position) => skippedFor(position, rest))];
    for (const position of single) {
      const { protocol, borrower, healthFactorWad, rejection } = position;
      const { reason, detail } = rejection;
      if (!this.repeats.isNew(position, reason)) continue;
      await trace.breathe();
      this.events.emit({
        event: 'position-skipped',
        protocol,
        borrower,
        ...marketIdOf(position),
        block,
        healthFactorWad: healthFactorWad === undefined ? undefined : String(healthFactorWad),
        reason,
        explanation: REJECTION_REASONS[reason],
        detail,
      });
    }
  }

  /** Once for the same numbers. */
  private reportWaiting(counts: Partial<Record<RejectionReason, number>>, block: number): void {
    const said = JSON.stringify(counts);
    if (said !== this.saidOfWaiting && said !== '{}')
      this.events.emit({ event: 'positions-waiting', block, counts });
    this.saidOfWaiting = said;
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
}

/** Equal for plans that differ only by block, prices and interest. */
function describe(plan: LiquidationPlan): string {
  const steps = [plan, ...(plan.further ?? [])].map(({ candidate, funding, route }) => {
    const { collateral, debt, sizing } = candidate;
    return `${collateral.address} ${debt.address} ${sizing} ${fundingName(funding)} ${poolsOf(route).join(' ')}`;
  });
  return `planned ${steps.join(' then ')}`;
}
