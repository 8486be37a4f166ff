import { DatabaseAway } from '../database/index.js';
import type { Allowance } from '../domain/budget.js';
import { rejected, type PlanDecision } from '../domain/decision.js';
import { errorFrom } from '../domain/errors.js';
import type { PassTrace } from '../domain/pass-trace.js';
import type { LiquidationPlan, TransactionCall } from '../domain/plan.js';
import type { ExecutionService, Submission } from '../execution/index.js';
import type { DecisionJournal, DryPlan, RefusedPlan } from './decision-journal.js';
import type { SkippedPosition } from './skipped.js';

/**
 * Carries out the lists of decisions of one pass, each as soon as it is there. The next one may be made
 * meanwhile.
 */
export class Sending {
  /** Sent, or decided by a dry run. */
  planned = 0;
  /** Left alone, or held back with a row. */
  readonly skipped: SkippedPosition[] = [];
  /** What the gate refused before it had a row. */
  readonly held: LiquidationPlan[] = [];
  /** Of the lists that could not be carried out. What is above stays true. */
  readonly errors: Error[] = [];
  private readonly underWay: Promise<void>[] = [];
  /** What a dry run would have sent. */
  private readonly dry: LiquidationPlan[] = [];

  constructor(
    private readonly execution: ExecutionService,
    private readonly journal: DecisionJournal,
    private readonly trace: PassTrace,
  ) {}

  /** The calls on top of which the next list is proved. A dry run counts its own as sent. */
  get pending(): readonly TransactionCall[] {
    return [...this.execution.pendingCalls(), ...this.dry.map(({ call }) => call)];
  }

  /** What the next list may reserve. */
  get allowance(): Allowance {
    return this.execution.allowance();
  }

  /** Carries out the plans in the order in which they were proved. An error is kept for the end. */
  begin(decisions: readonly PlanDecision[]): void {
    const carrying = this.carryOut(decisions).catch((error: unknown) => {
      this.errors.push(errorFrom(error));
    });
    this.underWay.push(carrying);
  }

  /** Resolves when all lists were carried out, or failed. */
  async ended(): Promise<void> {
    await Promise.all(this.underWay);
  }

  private async carryOut(decisions: readonly PlanDecision[]): Promise<void> {
    const plans = decisions.flatMap((decision) => (decision.kind === 'planned' ? [decision.plan] : []));
    const refused: RefusedPlan[] = [];
    try {
      if (plans.length > 0) await this.submit(plans, refused);
    } finally {
      this.skipped.push(...this.journal.recordRejections(decisions, refused, this.execution.operator));
    }
  }

  /** @param refused is told the plans that the gate refused before they had a row. */
  private async submit(plans: readonly LiquidationPlan[], refused: RefusedPlan[]): Promise<void> {
    const submissions = await this.submissionsOf(plans);
    const dry: DryPlan[] = [];
    let live = 0;
    for (const [index, plan] of plans.entries()) {
      const submission = submissions === 'database-away' ? rejected(submissions) : submissions[index];
      if (submission?.kind === 'dry-run') dry.push({ plan, day: submission.day });
      else if (submission?.kind !== 'rejected') live += 1;
      // It has a row, or may have one, and was not sent.
      else if (submissions === 'database-away' || 'executionId' in submission)
        this.skipped.push({ ...plan, rejection: submission });
      else {
        refused.push({ plan, rejection: submission });
        this.held.push(plan);
      }
    }
    this.dry.push(...dry.map(({ plan }) => plan));
    this.planned += live + (await this.journal.keepDryRun(dry, this.execution.operator));
  }

  /**
   * `database-away`: nothing was sent. If rows were written, execution finds them when the database is
   * back.
   */
  private async submissionsOf(
    plans: readonly LiquidationPlan[],
  ): Promise<readonly Submission[] | 'database-away'> {
    try {
      return await this.execution.submit(plans, this.trace);
    } catch (error) {
      if (error instanceof DatabaseAway) return 'database-away';
      throw error;
    }
  }
}
