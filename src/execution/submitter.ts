import { LeaseLost, type ExecutionMode } from '../database/index.js';
import { after, type Allowance } from '../domain/budget.js';
import { rejected, type Rejection } from '../domain/decision.js';
import { HaltError, RetryError } from '../domain/errors.js';
import type { Address } from '../domain/hex.js';
import type { PassTrace } from '../domain/pass-trace.js';
import type { LiquidationPlan } from '../domain/plan.js';
import type { FailurePolicy, SafetyController } from '../safety/index.js';
import type { Door } from './doors/door.js';
import type { Ledger } from './ledger.js';
import type { NonceLease } from './nonce-lane.js';
import type { Sender } from './sender.js';
import type { Intent, Submission } from './submission.js';
import type { Wallet } from './wallet.js';

export interface SubmitterSettings {
  readonly mode: ExecutionMode;
  /** The door by which new transactions leave. */
  readonly door: Door;
  /** From the arrival of the head to the signature. */
  readonly maxPlanAgeMs: number;
}

/** What is in flight when a plan has its turn, and what is left for it. */
interface Ahead {
  readonly inFlight: number;
  /** Of the plans that are carried out before it. */
  readonly notionalUsd8: bigint;
  readonly allowance: Allowance;
}

/**
 * From a plan to a transaction that was handed over. Every intent goes through the same gate, one at a time:
 * look at its age, authorise, sign, make durable, look once more whether the bot is HALTED or the plan has
 * grown too old, hand over.
 */
export class Submitter {
  /** Of the intents that are being carried out. */
  private readonly borrowers = new Set<Address>();
  private stopped = false;

  constructor(
    private readonly wallet: Wallet,
    private readonly ledger: Ledger,
    private readonly sender: Sender,
    private readonly safety: SafetyController,
    private readonly failures: FailurePolicy,
    private readonly settings: SubmitterSettings,
  ) {}

  /** The borrowers for which a transaction is being made or is in flight. */
  inFlight(): ReadonlySet<Address> {
    return new Set([...this.borrowers, ...this.ledger.borrowers]);
  }

  /** As {@link ExecutionService.submit}. */
  async submit(intent: Intent): Promise<Submission> {
    const { plan, executionId } = intent;
    if (this.stopped) throw new RetryError('the bot is stopping: nothing more is sent');
    if (this.wallet.lease.status.role === 'standby') return rejected('standing-by');
    if (this.inFlight().has(plan.borrower)) return this.ledger.reject(executionId, rejected('in-flight'));
    this.borrowers.add(plan.borrower);
    try {
      return await this.wallet.lane.take((lease) => this.carryOutOrHalt(lease, intent));
    } catch (error) {
      // What was signed has no row: it stays in this process, and is forgotten.
      if (error instanceof LeaseLost) return rejected('standing-by');
      throw error;
    } finally {
      this.borrowers.delete(plan.borrower);
    }
  }

  /**
   * What the gate would say now of plans that are carried out one after the other. It changes nothing, and
   * the gate itself decides: a plan that is refused here needs no row and no turn.
   */
  foresee(plans: readonly LiquidationPlan[], trace: PassTrace): readonly (Rejection | undefined)[] {
    const borrowers = new Set(this.inFlight());
    let ahead = this.nothingAhead();
    return plans.map((plan) => {
      const refusal = borrowers.has(plan.borrower)
        ? rejected('in-flight')
        : this.refusalOf({ plan, trace }, ahead);
      if (refusal || this.settings.mode === 'dry-run') return refusal;
      borrowers.add(plan.borrower);
      ahead = {
        inFlight: ahead.inFlight + 1,
        notionalUsd8: ahead.notionalUsd8 + plan.notionalUsd8,
        allowance: after(ahead.allowance, plan.reservation),
      };
      return undefined;
    });
  }

  /** Takes no more intents, and waits until those taken so far were handed over or refused. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.wallet.lane.idle();
  }

  /** A HaltError halts before the next intent gets its turn, and not only when it has reached the loop. */
  private async carryOutOrHalt(lease: NonceLease, intent: Intent): Promise<Submission> {
    try {
      return await this.carryOut(lease, intent);
    } catch (error) {
      if (error instanceof HaltError) await this.failures.halt(error.message, error.about);
      throw error;
    }
  }

  private async carryOut(lease: NonceLease, intent: Intent): Promise<Submission> {
    const { plan, executionId, trace } = intent;
    const { mode, door } = this.settings;
    await this.ledger.findMissedRows();
    const rejection = this.refusalOf(intent);
    if (rejection) return this.ledger.reject(executionId, rejection);
    if (mode === 'dry-run') {
      await this.ledger.dryRun(executionId, plan);
      return { kind: 'dry-run' };
    }
    // No await between the authorisation and the signature: nothing changes in between.
    const signed = this.wallet.signer.sign(plan.call, lease.nonce);
    const transaction = await this.ledger.record(intent, signed, door.name);
    trace.mark('record');
    lease.keep();
    // The row is durable: the process that takes over hands it over.
    if (!this.wallet.lease.holds) return rejected('standing-by');
    const late = this.safety.isHalted ? rejected('halted') : this.ageRefusalOf(intent);
    if (late) {
      // It has not left this process. If that cannot be saved it stays in flight, and is simulated before it
      // is sent.
      await this.ledger.saveIfPossible(transaction, async () => {
        await this.ledger.withdraw(transaction, late.reason);
        lease.giveBack();
      });
      return late;
    }
    const submission = await this.sender.send(transaction, lease, plan.block.number, trace);
    trace.mark('send');
    return submission;
  }

  private nothingAhead(): Ahead {
    return { inFlight: this.ledger.size, notionalUsd8: 0n, allowance: this.ledger.allowance };
  }

  /** Why the plan is not signed now, or after those that are ahead of it. */
  private refusalOf(
    intent: Pick<Intent, 'plan' | 'trace'>,
    ahead: Ahead = this.nothingAhead(),
  ): Rejection | undefined {
    return this.ageRefusalOf(intent) ?? this.nonceRefusal(ahead) ?? this.safetyRefusalOf(intent.plan, ahead);
  }

  /**
   * A plan is as good as its block. The process may have stood still, or the chain may have replaced the
   * block.
   */
  private ageRefusalOf({ plan, trace }: Pick<Intent, 'plan' | 'trace'>): Rejection | undefined {
    const ageMs = Math.round(trace.sinceHeadMs());
    const { maxPlanAgeMs } = this.settings;
    if (ageMs > maxPlanAgeMs)
      return rejected('plan-too-old', { ageMs: String(ageMs), limitMs: String(maxPlanAgeMs) });
    return trace.replaces(plan.block)
      ? rejected('plan-too-old', { replacedBlock: plan.block.hash })
      : undefined;
  }

  /** No nonce is used while it is not clear which one is next, or while the nodes take only one. */
  private nonceRefusal({ inFlight }: Ahead): Rejection | undefined {
    if (this.settings.mode === 'dry-run') return undefined;
    const { lane, oneAtATime } = this.wallet;
    if (lane.inQuestion || this.ledger.all.some(({ nonceDoubted }) => nonceDoubted))
      return rejected('nonce-in-question');
    return oneAtATime && inFlight > 0 ? rejected('one-at-a-time') : undefined;
  }

  private safetyRefusalOf(
    plan: LiquidationPlan,
    { inFlight, allowance, notionalUsd8 }: Ahead,
  ): Rejection | undefined {
    if (!this.wallet.lease.leads) return rejected('standing-by');
    const operatorBalanceWei = this.wallet.balanceWei;
    const authorisation = this.safety.authorise(
      plan,
      { inFlight, operatorBalanceWei, allowance },
      notionalUsd8,
    );
    return authorisation.kind === 'rejected' ? authorisation : undefined;
  }
}
