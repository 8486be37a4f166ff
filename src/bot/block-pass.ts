import { Injectable } from '@nestjs/common';
import { DatabaseAway } from '../database/index.js';
import { OpportunityDetector } from '../detector/opportunity-detector.js';
import type { Head } from '../domain/block.js';
import { rejected, type PlanDecision, type Rejection, type RejectionReason } from '../domain/decision.js';
import { errorFrom, worstFirst } from '../domain/errors.js';
import type { Address } from '../domain/hex.js';
import type { Opportunity } from '../domain/opportunity.js';
import type { PassTrace } from '../domain/pass-trace.js';
import type { LiquidationPlan } from '../domain/plan.js';
import { ExecutionService, type Submission } from '../execution/index.js';
import { POOLS } from '../liquidity/pool-book.js';
import { NativePriceWatch } from '../oracles/native-price-watch.js';
import { ExecutionPlanner } from '../planner/execution-planner.js';
import { SafetyController } from '../safety/index.js';
import { StateEngine } from '../state/state-engine.js';
import type { StateView } from '../state/state-view.js';
import { DecisionJournal, type RefusedPlan, type SkippedPosition } from './decision-journal.js';

/** A pass that came to its end. */
export interface PassResult {
  readonly kind: 'done';
  readonly view: StateView;
  readonly liquidatable: number;
  readonly planned: number;
  /** Positions below 1 that were left alone, by reason. */
  readonly skipped: Readonly<Partial<Record<RejectionReason, number>>>;
  /** Undefined when it is missing. */
  readonly nativePrice: NativePriceAge | undefined;
}

/** The price of the native token at the block of a pass. */
export interface NativePriceAge {
  /** Since the time of its own round. */
  readonly ageSeconds: number;
  /** The feed gave none: it is the last good one. */
  readonly isKept: boolean;
}

/** What became of the plans of a pass. */
interface CarriedOut {
  /** Sent, or decided by a dry run. */
  readonly planned: number;
  /** The gate refused them before they had a row. */
  readonly refused: readonly RefusedPlan[];
  /** They have a row, or may have one, and were not sent. */
  readonly heldBack: readonly SkippedPosition[];
}

interface Reached {
  readonly kind: 'reached';
  readonly view: StateView;
  /** Whether a plan can get its row. What is in flight is settled up to here then. */
  readonly mayRecord: boolean;
}

/** What went wrong before any plan was made, the worst first. */
export interface PassFailure {
  readonly kind: 'failed';
  readonly errors: readonly Error[];
}

/**
 * One pass at one head: state, detection, plans, sending. A plain method without timers. It leaves every rule
 * to the module that owns it.
 */
@Injectable()
export class BlockPass {
  /** The liquidatable positions of the last pass. */
  private below: ReadonlySet<Address> = new Set();

  constructor(
    private readonly state: StateEngine,
    private readonly detector: OpportunityDetector,
    private readonly planner: ExecutionPlanner,
    private readonly safety: SafetyController,
    private readonly execution: ExecutionService,
    private readonly nativePrice: NativePriceWatch,
    private readonly journal: DecisionJournal,
  ) {}

  /**
   * @param trace begins with the head's arrival.
   * @throws what planning and sending throw: the caller decides by the error's class.
   */
  async run(head: Head, trace: PassTrace): Promise<PassResult | PassFailure> {
    this.journal.startPass();
    const reached = await this.reach(head, trace);
    if (reached.kind === 'failed') return reached;
    const { view, mayRecord } = reached;
    const { native, nativeKept, nativeConfirmed } = this.nativePrice.at(view);

    const { opportunities, skipped, liquidatable, appeared } = this.detect(view, mayRecord);
    trace.mark('detect');
    const { operator } = this.execution;
    const decisions = await this.planner.plan(opportunities, {
      block: view.block,
      pools: view.of(POOLS),
      // Without it there is no opportunity: the detector refuses all of them.
      nativePriceUsd8: native?.answer ?? 0n,
      nativePriceConfirmed: nativeConfirmed,
      marketNativePricesUsd8: this.detector.marketNativePricesUsd8(view),
      operator,
      pending: this.execution.pendingCalls(),
      allowance: this.execution.allowance(),
      trace,
    });
    const { planned, refused, heldBack } = await this.carryOut(decisions, operator, trace);
    skipped.push(...this.journal.recordRejections(decisions, refused, operator), ...heldBack);
    this.journal.reportSkipped(skipped, view.block.number);
    this.journal.reportPass({
      block: head.number,
      positions: this.state.positionCount,
      liquidatable,
      appeared,
      planned,
      tookMs: Math.round(trace.sinceHeadMs()),
    });
    this.journal.reportStages(trace.stages);
    const nativePrice = native && {
      isKept: nativeKept,
      ageSeconds: view.block.timestamp - native.updatedAt,
    };
    return { kind: 'done', view, liquidatable, planned, skipped: countReasons(skipped), nativePrice };
  }

  /**
   * Brings the state to the head and settles what is in flight, side by side. Both come to their end whatever
   * becomes of the other: the state must not move on beside the next pass. While the database is away the
   * pass goes on: what was mined is settled when it is back, and until then nothing is signed.
   */
  private async reach(head: Head, trace: PassTrace): Promise<Reached | PassFailure> {
    const [advanced, unsettled] = await Promise.all([
      this.state.advance(head),
      errorOf(this.execution.settle(head)),
    ]);
    const { view, takenBack, readAtMs, error } = advanced;
    trace.mark('logs', readAtMs);
    trace.mark('state');
    // The settlement that ran beside it may have counted a block that is gone. What such a block had settled
    // is in flight again before any plan is made, also when the head was not reached: no position is
    // liquidated twice.
    const unsettledAgain =
      takenBack.length > 0 ? await errorOf(this.execution.settle(head, takenBack)) : undefined;
    const errors = worstFirst([error, unlessAway(unsettled), unlessAway(unsettledAgain)]);
    if (errors.length > 0 || !view) return { kind: 'failed', errors };
    const isSettled = !unsettled && !unsettledAgain;
    return { kind: 'reached', view, mayRecord: isSettled && this.journal.canRecordPlans };
  }

  private detect(
    view: StateView,
    mayRecord: boolean,
  ): {
    opportunities: Opportunity[];
    skipped: SkippedPosition[];
    liquidatable: number;
    appeared: number;
  } {
    const detections = this.detector.detect(view, this.safety.headroomUsd8());
    const skipped: SkippedPosition[] = [];
    const opportunities: Opportunity[] = [];
    for (const detection of detections) {
      if (detection.kind === 'rejected') {
        skipped.push({ ...detection, rejection: detection });
        continue;
      }
      const { opportunity } = detection;
      const rejection = this.refusalBeforePlanning(opportunity, mayRecord);
      if (rejection) skipped.push({ ...opportunity, rejection });
      else opportunities.push(opportunity);
    }
    const below = [...skipped, ...opportunities].map(({ borrower }) => borrower);
    const appeared = below.filter((borrower) => !this.below.has(borrower)).length;
    this.below = new Set(below);
    return { opportunities, skipped, liquidatable: detections.length, appeared };
  }

  private refusalBeforePlanning({ borrower }: Opportunity, mayRecord: boolean): Rejection | undefined {
    if (!mayRecord) return rejected(this.safety.isHalted ? 'halted' : 'database-away');
    if (!this.execution.leads) return rejected('standing-by');
    if (this.safety.isHalted) return rejected('halted');
    return this.execution.inFlight().has(borrower) ? rejected('in-flight') : undefined;
  }

  /** All plans together, in the order in which they were proved. */
  private async carryOut(
    decisions: readonly PlanDecision[],
    operator: Address,
    trace: PassTrace,
  ): Promise<CarriedOut> {
    const plans = decisions.flatMap((decision) => (decision.kind === 'planned' ? [decision.plan] : []));
    if (plans.length === 0) return { planned: 0, refused: [], heldBack: [] };
    const submissions = await this.submit(plans, trace);
    const refused: RefusedPlan[] = [];
    const heldBack: SkippedPosition[] = [];
    const dry: LiquidationPlan[] = [];
    for (const [index, plan] of plans.entries()) {
      const submission = submissions === 'database-away' ? rejected(submissions) : submissions[index];
      if (submission?.kind === 'dry-run') dry.push(plan);
      if (submission?.kind !== 'rejected') continue;
      const mayHaveRow = submissions === 'database-away' || 'executionId' in submission;
      if (mayHaveRow) heldBack.push({ ...plan, rejection: submission });
      else refused.push({ plan, rejection: submission });
    }
    const kept = await this.journal.keepDryRun(dry, operator);
    const live = plans.length - refused.length - heldBack.length - dry.length;
    return { planned: live + kept, refused, heldBack };
  }

  /**
   * `database-away`: nothing was sent. If rows were written, execution finds them when the database is
   * back.
   */
  private async submit(
    plans: readonly LiquidationPlan[],
    trace: PassTrace,
  ): Promise<readonly Submission[] | 'database-away'> {
    try {
      return await this.execution.submit(plans, trace);
    } catch (error) {
      if (error instanceof DatabaseAway) return 'database-away';
      throw error;
    }
  }
}

/** What a promise rejects with; undefined when it fulfils. */
async function errorOf(work: Promise<unknown>): Promise<Error | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return errorFrom(error);
  }
}

/** An absence of the database fails no pass. */
function unlessAway(error: Error | undefined): Error | undefined {
  return error instanceof DatabaseAway ? undefined : error;
}

function countReasons(skipped: readonly SkippedPosition[]): Partial<Record<RejectionReason, number>> {
  const counts: Partial<Record<RejectionReason, number>> = {};
  for (const { rejection } of skipped) counts[rejection.reason] = (counts[rejection.reason] ?? 0) + 1;
  return counts;
}
