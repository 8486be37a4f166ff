import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { ExecutionsRepository, type NewExecution } from '../database/index.js';
import type { Head } from '../domain/block.js';
import {
  REJECTION_REASONS,
  rejected,
  type PlanDecision,
  type Rejection,
  type RejectionReason,
} from '../domain/decision.js';
import { HaltError } from '../domain/errors.js';
import { Events } from '../domain/events/events.js';
import type { Address } from '../domain/hex.js';
import type { Opportunity } from '../domain/opportunity.js';
import type { LiquidationPlan } from '../domain/plan.js';
import { OpportunityDetector } from '../detector/opportunity-detector.js';
import {
  ExecutionService,
  executionRow,
  type Reopening,
  type Settlement,
  type Submission,
} from '../execution/index.js';
import { ExecutionPlanner } from '../planner/execution-planner.js';
import { SafetyController } from '../safety/index.js';
import { StateEngine } from '../state/state-engine.js';
import type { StateView } from '../state/state-view.js';
import { rejectionRow } from './rejection-row.js';
import { SaidBefore } from './said-before.js';

export interface PassResult {
  readonly view: StateView;
  readonly liquidatable: number;
  readonly planned: number;
  /** Positions below 1 that were left alone, by reason. */
  readonly skipped: Readonly<Partial<Record<RejectionReason, number>>>;
}

interface Skipped {
  readonly protocol: string;
  readonly borrower: Address;
  readonly healthFactorWad: bigint | undefined;
  readonly rejection: Rejection;
}

/**
 * One pass of the loop at one head: state, detection, plans, authorisation, sending. A plain method without timers; it
 * writes what it decided, and why, and leaves every rule to the module that owns it.
 */
@Injectable()
export class BlockPass {
  private readonly said = new SaidBefore();

  constructor(
    private readonly state: StateEngine,
    private readonly detector: OpportunityDetector,
    private readonly planner: ExecutionPlanner,
    private readonly safety: SafetyController,
    private readonly execution: ExecutionService,
    private readonly executions: ExecutionsRepository,
    private readonly events: Events,
    private readonly config: ChimeraConfig,
  ) {}

  /** @throws what the modules throw: the caller decides by the error's class. */
  async run(head: Head): Promise<PassResult> {
    this.said.startPass();
    // Both to their end, whatever becomes of the other: the state must not move on beside the next pass, and what was
    // settled must be told.
    const [advanced, settled] = await Promise.allSettled([
      this.state.advance(head),
      this.execution.settle(head),
    ]);
    if (settled.status === 'fulfilled') for (const news of settled.value) this.report(news);
    // Only now, because the look beside may have settled by a block that is gone, and also when the head was not reached. The
    // second look is what the plans of this pass are made on: nobody is liquidated twice.
    const takenBack = this.state.takenBack();
    if (takenBack.length > 0)
      for (const news of await this.execution.settle(head, takenBack)) this.report(news);
    if (settled.status === 'rejected') throw settled.reason;
    if (advanced.status === 'rejected') throw advanced.reason;
    const view = advanced.value;

    const detections = this.detector.detect(view, this.safety.headroomUsd8());
    const skipped: Skipped[] = [];
    const opportunities: Opportunity[] = [];
    for (const detection of detections) {
      if (detection.kind === 'rejected') skipped.push({ ...detection, rejection: detection });
      else {
        const refusal = this.refusalBeforePlanning(detection.opportunity);
        if (refusal) skipped.push(skippedOpportunity(detection.opportunity, refusal));
        else opportunities.push(detection.opportunity);
      }
    }

    const decisions = await this.planner.plan(opportunities, {
      block: view.block,
      nativePriceUsd8: view.nativePriceUsd8,
      operator: this.execution.operator,
      pending: this.execution.pendingCalls(),
    });
    skipped.push(...(await this.keepRejections(decisions)));
    const plans = this.newPlans(decisions);
    const refused = await this.carryOut(plans, head);
    skipped.push(...refused);
    const planned = plans.length - refused.length;
    for (const one of skipped) this.reportSkipped(one, view);
    const result = { view, liquidatable: detections.length, planned, skipped: countReasons(skipped) };
    this.events.emit({
      event: 'pass',
      block: head.number,
      positions: this.state.positionCount,
      liquidatable: detections.length,
      planned,
      tookMs: Math.round(performance.now() - head.receivedAtMs),
    });
    return result;
  }

  private refusalBeforePlanning({ borrower }: Opportunity): Rejection | undefined {
    if (this.safety.isHalted) return rejected('halted');
    return this.execution.inFlight().has(borrower) ? rejected('in-flight') : undefined;
  }

  /** In dry-run a plan that differs from the last one only by its block is not news. */
  private newPlans(decisions: readonly PlanDecision[]): LiquidationPlan[] {
    const plans = decisions.flatMap((decision) => (decision.kind === 'planned' ? [decision.plan] : []));
    if (this.config.execution.mode === 'live') return plans;
    return plans.filter((plan) => this.said.isNew(plan.borrower, describe(plan)));
  }

  /** All rows in one statement, because every plan waits for it; then one after the other. @returns what was not sent */
  private async carryOut(plans: readonly LiquidationPlan[], head: Head): Promise<Skipped[]> {
    if (plans.length === 0) return [];
    const { mode } = this.config.execution;
    const ids = await this.executions.insertMany(plans.map((plan) => executionRow(plan, mode, 'planned')));
    const refused: Skipped[] = [];
    for (const [index, plan] of plans.entries()) {
      const executionId = ids[index];
      if (executionId === undefined) throw new HaltError('the database gave fewer ids than rows');
      this.reportPlan(plan, executionId);
      const submission = await this.execution
        .submit(plan, executionId, head.receivedAtMs)
        .catch((error: unknown) => this.interrupted(ids.slice(index + 1), error));
      this.reportSubmission(plan, executionId, submission);
      if (submission.kind === 'rejected') {
        const { protocol, borrower, healthFactorWad } = plan;
        refused.push({ protocol, borrower, healthFactorWad, rejection: submission });
      }
    }
    return refused;
  }

  /** The plans behind one that failed are not sent: a later pass makes new ones. @throws the error */
  private async interrupted(ids: readonly string[], error: unknown): Promise<never> {
    const reason: RejectionReason = 'interrupted';
    // Where the database is away, the next start rejects them.
    await Promise.allSettled(ids.map((id) => this.executions.settle(id, { status: 'rejected', reason })));
    throw error;
  }

  /** A rejection that reached the simulation gets its row, once as long as the reason stays the same. */
  private async keepRejections(decisions: readonly PlanDecision[]): Promise<Skipped[]> {
    const skipped: Skipped[] = [];
    const rows: NewExecution[] = [];
    for (const decision of decisions) {
      if (decision.kind === 'planned') continue;
      const { opportunity, attempt, reason } = decision;
      skipped.push(skippedOpportunity(opportunity, decision));
      if (attempt && this.said.differs(opportunity.borrower, reason))
        rows.push(rejectionRow(opportunity, attempt, decision, this.config.execution.mode));
    }
    await this.executions.insertMany(rows);
    return skipped;
  }

  private reportSubmission(plan: LiquidationPlan, executionId: string, submission: Submission): void {
    const { borrower, block } = plan;
    if (submission.kind === 'dry-run')
      this.events.emit({ event: 'dry-run', executionId, borrower, block: block.number });
    if (submission.kind !== 'submitted') return; // A refusal is a skipped position; a drop comes with the next settlement.
    const { hash, nonce, headToSendUs } = submission;
    this.events.emit({ event: 'transaction-sent', executionId, borrower, hash, nonce, headToSendUs });
  }

  /** Says and counts how an execution ended, or that it has not after all. */
  report(news: Settlement | Reopening): void {
    if (news.outcome === 'reopened') {
      const { outcome, ...reopening } = news;
      this.events.emit({ event: 'execution-reopened', ...reopening });
      return;
    }
    this.events.emit({ event: 'execution-settled', ...news });
  }

  private reportPlan(plan: LiquidationPlan, executionId: string): void {
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
      netProfitUsd8: String(plan.netProfitUsd8),
    });
  }

  private reportSkipped({ protocol, borrower, healthFactorWad, rejection }: Skipped, view: StateView): void {
    if (!this.said.isNew(borrower, rejection.reason)) return;
    this.events.emit({
      event: 'position-skipped',
      protocol,
      borrower,
      block: view.block.number,
      healthFactorWad: healthFactorWad === undefined ? undefined : String(healthFactorWad),
      reason: rejection.reason,
      explanation: REJECTION_REASONS[rejection.reason],
      detail: rejection.detail,
    });
  }
}

function skippedOpportunity(opportunity: Opportunity, rejection: Rejection): Skipped {
  const { protocol, borrower, healthFactorWad } = opportunity;
  return { protocol, borrower, healthFactorWad, rejection };
}

/** The same plan but for block, prices and interest: what a dry run need not say again. */
function describe({ candidate, route }: LiquidationPlan): string {
  return `planned ${candidate.collateral.address} ${candidate.debt.address} ${candidate.sizing} ${route.pool}`;
}

function countReasons(skipped: readonly Skipped[]): Partial<Record<RejectionReason, number>> {
  const counts: Partial<Record<RejectionReason, number>> = {};
  for (const { rejection } of skipped) counts[rejection.reason] = (counts[rejection.reason] ?? 0) + 1;
  return counts;
}
