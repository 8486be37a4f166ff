import { LeaseLost } from '../database/index.js';
import type { AtRisk } from '../domain/at-risk.js';
import { after, type Allowance } from '../domain/budget.js';
import { rejected, type Rejection } from '../domain/decision.js';
import { HaltError, RetryError } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import type { PassTrace } from '../domain/pass-trace.js';
import type { LiquidationPlan, TransactionCall } from '../domain/plan.js';
import { positionKey } from '../domain/position-id.js';
import type { FailurePolicy, SafetyController } from '../safety/index.js';
import type { Door } from './doors/door.js';
import type { DryBook } from './dry-book.js';
import { planReady } from './execution-row.js';
import type { InFlight } from './in-flight.js';
import type { Ledger } from './ledger.js';
import type { NonceLease } from './nonce-lane.js';
import type { Sender } from './sender.js';
import type { SignedPlan, Submission } from './submission.js';
import type { Wallet } from './wallet.js';

export interface SubmitterSettings {
  /** Of a dry run: nothing is signed. */
  readonly dry: DryBook | undefined;
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

/** The plans of one call, and the trace of the pass that made them. */
interface Batch {
  readonly plans: readonly LiquidationPlan[];
  readonly trace: PassTrace;
}

/**
 * From the plans of a pass to transactions that were handed over. The gate looks at one plan after the
 * other: its age, and whether it is authorised beside those before it. Those that pass are signed, made
 * durable together, looked at once more, whether the bot is HALTED or they have grown too old, and handed
 * over together.
 */
export class Submitter {
  /** The plans that are being carried out. */
  private readonly making = new Set<readonly LiquidationPlan[]>();
  /** Of them, those that have no row yet and were not refused. */
  private readonly unrecorded = new Set<LiquidationPlan>();
  private stopped = false;

  constructor(
    private readonly wallet: Wallet,
    private readonly ledger: Ledger,
    private readonly sender: Sender,
    private readonly safety: SafetyController,
    private readonly failures: FailurePolicy,
    private readonly events: Events,
    private readonly settings: SubmitterSettings,
  ) {}

  /** As {@link ExecutionService.inFlight}. */
  inFlight(): ReadonlySet<string> {
    const making = [...this.making].flat().map(positionKey);
    return new Set([...making, ...this.ledger.positions]);
  }

  /** As {@link ExecutionService.pendingCalls}. */
  pendingCalls(): readonly TransactionCall[] {
    return [...this.ledger.pendingCalls, ...[...this.unrecorded].map(({ call }) => call)];
  }

  /** As {@link ExecutionService.allowance}. */
  allowance(): Allowance {
    return [...this.unrecorded].reduce((left, { reservation }) => after(left, reservation), this.left);
  }

  /** As {@link ExecutionService.look}. */
  look(positions: readonly AtRisk[]): void {
    this.settings.dry?.look(positions);
  }

  /** As {@link ExecutionService.counted}. */
  counted(): ReadonlySet<string> {
    return this.settings.dry?.positions ?? new Set();
  }

  private get left(): Allowance {
    const { allowance } = this.ledger;
    return this.settings.dry?.left(allowance) ?? allowance;
  }

  /** As {@link ExecutionService.submit}. */
  async submit(plans: readonly LiquidationPlan[], trace: PassTrace): Promise<readonly Submission[]> {
    if (this.stopped) throw new RetryError('the bot is stopping: nothing more is sent');
    if (this.wallet.lease.status.role === 'standby') return plans.map(() => rejected('standing-by'));
    this.making.add(plans);
    for (const plan of plans) this.unrecorded.add(plan);
    try {
      return await this.wallet.lane.take((lease) => this.carryOutOrHalt(lease, { plans, trace }));
    } catch (error) {
      // What was signed has no row: it stays in this process, and is forgotten.
      if (error instanceof LeaseLost) return plans.map(() => rejected('standing-by'));
      throw error;
    } finally {
      this.making.delete(plans);
      this.recordedOrRefused(plans);
    }
  }

  /** Takes no more plans, and waits until those taken so far were handed over or refused. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.wallet.lane.idle();
  }

  /** A HaltError halts before the next plans get their turn, and not only when it has reached the loop. */
  private async carryOutOrHalt(lease: NonceLease, batch: Batch): Promise<readonly Submission[]> {
    try {
      return await this.carryOut(lease, batch);
    } catch (error) {
      if (error instanceof HaltError) await this.failures.halt(error.message, error.about);
      throw error;
    }
  }

  private async carryOut(lease: NonceLease, { plans, trace }: Batch): Promise<readonly Submission[]> {
    await this.ledger.findMissedRows();
    const refusals = this.askGate({ plans, trace });
    const { dry } = this.settings;
    if (dry) return plans.map((plan, index) => refusals[index] ?? wouldBeSent(dry.count(plan)));
    const passed = plans.filter((_, index) => !refusals[index]);
    this.recordedOrRefused(plans.filter((_, index) => refusals[index]));
    // No await between the authorisation and the signatures: nothing changes in between.
    const nonces = lease.next(passed.length);
    const signedPlans = passed.map((plan, index): SignedPlan => {
      const nonce = nonces[index];
      if (nonce === undefined) throw new TypeError('fewer nonces than plans');
      return { plan, signed: this.wallet.signer.sign(plan.call, nonce) };
    });
    const sent = (await this.send(lease, signedPlans, trace)).values();
    return refusals.map((refusal) => refusal ?? sent.next().value ?? rejected('interrupted'));
  }

  private async send(
    lease: NonceLease,
    signedPlans: readonly SignedPlan[],
    trace: PassTrace,
  ): Promise<readonly Submission[]> {
    const [first] = signedPlans;
    if (!first) return [];
    const signedAtMs = trace.sinceHeadMs();
    const transactions = await this.ledger.record(signedPlans, this.settings.door.name);
    const recordMs = trace.sinceHeadMs() - signedAtMs;
    this.recordedOrRefused(signedPlans.map(({ plan }) => plan));
    trace.mark('record');
    lease.keep(transactions.map(({ nonce }) => nonce));
    // The rows are durable: the process that takes over hands them over.
    if (!this.wallet.lease.holds) return transactions.map(withoutHandOver(rejected('standing-by')));
    const plans = signedPlans.map(({ plan }) => plan);
    const ready = (): void => this.reportReady(plans, transactions);
    const late = this.safety.isHalted ? rejected('halted') : this.firstAgeRefusal(plans, trace);
    if (late) {
      ready();
      await this.withdraw(transactions, late, lease);
      return transactions.map(withoutHandOver(late));
    }
    const head = { headNumber: first.plan.block.number, recordMs, trace };
    const submissions = await this.sender.send(transactions, lease, head, ready);
    trace.mark('send');
    return submissions;
  }

  private recordedOrRefused(plans: readonly LiquidationPlan[]): void {
    for (const plan of plans) this.unrecorded.delete(plan);
  }

  /**
   * They have not left this process. The last one comes first, so that no nonce is missing below one that is
   * kept. What cannot be saved stays in flight with those before it, and is simulated before it is sent.
   */
  private async withdraw(
    transactions: readonly InFlight[],
    { reason }: Rejection,
    lease: NonceLease,
  ): Promise<void> {
    for (const transaction of [...transactions].reverse()) {
      const isSaved = await this.ledger.saveIfPossible(transaction, async () => {
        await this.ledger.withdraw(transaction, reason);
        lease.giveBack(transaction.nonce);
      });
      if (!isSaved) return;
    }
  }

  private reportReady(plans: readonly LiquidationPlan[], transactions: readonly InFlight[]): void {
    for (const [index, plan] of plans.entries())
      this.events.emit(planReady(plan, transactions[index]?.executionId ?? ''));
  }

  /** What the gate says of plans that are carried out one after the other: undefined for one that passes. */
  private askGate({ plans, trace }: Batch): readonly (Rejection | undefined)[] {
    const positions = new Set(this.ledger.positions);
    let ahead = this.nothingAhead();
    return plans.map((plan) => {
      const isCounted = this.settings.dry?.has(plan) === true;
      const refusal = positions.has(positionKey(plan))
        ? rejected('in-flight')
        : this.refusalOf(plan, trace, isCounted ? this.again(ahead) : ahead);
      if (refusal || isCounted) return refusal;
      positions.add(positionKey(plan));
      ahead = {
        inFlight: ahead.inFlight + 1,
        notionalUsd8: ahead.notionalUsd8 + plan.notionalUsd8,
        allowance: after(ahead.allowance, plan.reservation),
      };
      return undefined;
    });
  }

  private nothingAhead(): Ahead {
    const inFlight = this.ledger.size + (this.settings.dry?.size ?? 0);
    return { inFlight, notionalUsd8: 0n, allowance: this.left };
  }

  /** For a plan that a dry run has counted with an earlier plan of its position: it has its place. */
  private again({ allowance }: Ahead): Ahead {
    const notionalUsd8 = -this.safety.volume.todayUsd8;
    return { inFlight: 0, notionalUsd8, allowance: { ...allowance, slots: Math.max(1, allowance.slots) } };
  }

  /** Why the plan is not signed after those that are ahead of it. */
  private refusalOf(plan: LiquidationPlan, trace: PassTrace, ahead: Ahead): Rejection | undefined {
    return this.ageRefusalOf(plan, trace) ?? this.nonceRefusal(ahead) ?? this.safetyRefusalOf(plan, ahead);
  }

  private firstAgeRefusal(plans: readonly LiquidationPlan[], trace: PassTrace): Rejection | undefined {
    for (const plan of plans) {
      const refusal = this.ageRefusalOf(plan, trace);
      if (refusal) return refusal;
    }
    return undefined;
  }

  /**
   * A plan is as good as its block. The process may have stood still, or the chain may have replaced the
   * block.
   */
  private ageRefusalOf(plan: LiquidationPlan, trace: PassTrace): Rejection | undefined {
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
    if (this.settings.dry) return undefined;
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

/** @param day to which it was booked; undefined: its position was counted before. */
function wouldBeSent(day: string | undefined): Submission {
  return { kind: 'dry-run', ...(day !== undefined && { day }) };
}

/** It was signed, and is durable. */
function withoutHandOver(rejection: Rejection): (transaction: InFlight) => Submission {
  return ({ executionId }) => ({ ...rejection, executionId });
}
