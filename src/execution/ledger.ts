import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  LeaseLost,
  type BookedSpend,
  type Execution,
  type ExecutionMode,
  type ExecutionsRepository,
  type MinedExecution,
  type OutboxRepository,
  type OutboxTransaction,
  type RecordedRows,
} from '../database/index.js';
import type { Allowance } from '../domain/budget.js';
import { sumOf, type Spend } from '../domain/spend.js';
import type { RejectionReason } from '../domain/decision.js';
import { HaltError, messageOf, RetryError } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import type { Verdict } from '../domain/outcome.js';
import type { TransactionCall } from '../domain/plan.js';
import { positionKey } from '../domain/position-id.js';
import type { SafetyController } from '../safety/index.js';
import {
  executionRow,
  minedEnd,
  offerOf,
  outcomeNews,
  verdictColumns,
  type Settlement,
} from './execution-row.js';
import { FailureCount } from './failure-count.js';
import { firstVersion, NOT_SENT, restored, type InFlight } from './in-flight.js';
import type { OutcomeBook } from './outcome-book.js';
import { feesPaid } from './settlement.js';
import { termsOfPlan } from './settlement-terms.js';
import type { SignedPlan } from './submission.js';
import type { Wallet } from './wallet.js';

/**
 * The transactions of one wallet that are in flight, in memory as in the rows. It writes the outbox rows and
 * the outcomes of executions, and tells each outcome as soon as its rows are written.
 */
export class Ledger {
  /** The head of the last look at the chain: a state at this block shows what was mined up to it. */
  headNumber = 0;
  /** By nonce, as the next one. */
  private readonly open = new Map<number, InFlight>();
  /** Nodes have taken them, and the rows do not say so yet. */
  private readonly accepting = new Set<InFlight>();
  private saving: Promise<void> | undefined;
  private readonly dropped: InFlight[] = [];
  /** The answer to the write of a row was lost. */
  private answerLost = false;
  private readonly failures: FailureCount;

  constructor(
    private readonly executions: ExecutionsRepository,
    private readonly outbox: OutboxRepository,
    private readonly safety: SafetyController,
    private readonly wallet: Wallet,
    private readonly events: Events,
    readonly book: OutcomeBook,
  ) {
    this.failures = new FailureCount(safety);
  }

  /** By ascending nonce. */
  get all(): readonly InFlight[] {
    return [...this.open.values()].sort((a, b) => a.nonce - b.nonce);
  }

  get size(): number {
    return this.open.size;
  }

  /** The keys of the positions for which there is a transaction. */
  get positions(): readonly string[] {
    return [...this.open.values()].map(({ terms }) => positionKey(terms));
  }

  /** The calls that a state at the last head does not show yet, in the order of their nonces. */
  get pendingCalls(): readonly TransactionCall[] {
    const { headNumber } = this;
    const pending = this.all.filter(({ minedIn }) => minedIn === undefined || minedIn > headNumber);
    return pending.flatMap(({ kind, call }) => (kind === 'cancellation' ? [] : [call]));
  }

  /** The most that everything in flight may pay and lose. */
  get reserved(): Spend {
    return sumOf([...this.open.values()].map(({ reservation }) => reservation));
  }

  /** What one more transaction of the wallet may reserve. */
  get allowance(): Allowance {
    const { size: inFlight, reserved } = this;
    const { budget, balanceWei } = this.wallet;
    return budget.allowance({ inFlight, reserved, balanceWei, pace: this.book.pace });
  }

  /** A row may exist that is not known here. {@link findMissedRows} takes it up. */
  get mayMissRows(): boolean {
    return this.answerLost;
  }

  /**
   * Takes up the rows that are not known here: of an earlier process, or of a write whose answer was lost.
   *
   * @returns what is new. @throws RetryError when the database is away; HaltError when a row makes no sense.
   */
  async load(): Promise<readonly InFlight[]> {
    const { chainId, address } = this.wallet;
    const rows = await this.outbox.unsettled(chainId, address);
    const unknown = rows.filter(({ nonce }) => !this.open.has(nonce));
    const found = await Promise.all(
      unknown.map(async (row) => this.restore(row, await this.executionOf(row))),
    );
    for (const transaction of found) this.open.set(transaction.nonce, transaction);
    return found;
  }

  /** Another process follows them. What it left is there after {@link load}. */
  forget(): void {
    this.open.clear();
    this.dropped.length = 0;
    this.answerLost = false;
  }

  /** Reads what the wallet has spent. @throws RetryError when the database is away. */
  async loadSpent(): Promise<void> {
    const { chainId, address, budget } = this.wallet;
    budget.load(await this.outbox.spentByDay(chainId, address));
  }

  /** Plans that an earlier version wrote and never signed are not carried out any more. @throws RetryError */
  async rejectUnsigned(mode: ExecutionMode): Promise<void> {
    const { chainId, address: wallet } = this.wallet;
    const reason: RejectionReason = 'interrupted';
    await this.executions.rejectInterrupted({ chainId, wallet }, mode, reason);
  }

  /**
   * Takes up a row whose write seemed to have failed. Call it as work of the wallet's lane.
   *
   * @throws as {@link load}
   */
  async findMissedRows(): Promise<void> {
    if (!this.answerLost) return;
    for (const { nonce } of await this.load()) this.wallet.lane.hold(nonce);
    await this.safety.volume.reload();
    this.answerLost = false;
  }

  /**
   * The highest nonce of a mined row; undefined when there is none.
   *
   * @throws RetryError when the database is away.
   */
  highestMinedNonce(): Promise<number | undefined> {
    return this.outbox.highestMinedNonce(this.wallet.chainId, this.wallet.address);
  }

  /**
   * Makes a transaction from its rows. It does not put it in flight.
   *
   * @throws RetryError when the database is away; HaltError when they make no sense.
   */
  async restore(row: OutboxTransaction, execution: Execution): Promise<InFlight> {
    return restored(row, execution, await this.outbox.versionsOf(row.id, execution.id));
  }

  /** @throws RetryError when the database is away; HaltError when there is none. */
  async executionOf({ id, executionId }: Pick<OutboxTransaction, 'id' | 'executionId'>): Promise<Execution> {
    const row = executionId === null ? null : await this.executions.find(executionId);
    if (!row) throw new HaltError(`the outbox row ${id} belongs to no execution`);
    return row;
  }

  /** The transaction in flight under a nonce. */
  at(nonce: number): InFlight | undefined {
    return this.open.get(nonce);
  }

  /** What was dropped since the last call. */
  takeDropped(): readonly InFlight[] {
    return this.dropped.splice(0);
  }

  /**
   * Makes signed plans durable, all or none. Only after this may they be handed over.
   *
   * @throws RetryError when the database is away: it is then unknown whether the rows exist, until
   *   {@link findMissedRows} returns. LeaseLost when another process has the lease.
   * @throws HaltError when another process holds a nonce.
   */
  async record(signedPlans: readonly SignedPlan[], door: string): Promise<InFlight[]> {
    const day = this.safety.volume.today;
    const rows = await this.write(signedPlans, day, door).catch((error: unknown) => {
      this.answerLost = true;
      throw error;
    });
    return signedPlans.map(({ plan, signed }, index): InFlight => {
      const row = rows[index];
      if (!row) throw new HaltError('the database gave fewer rows than were written');
      this.safety.volume.booked(day, plan.notionalUsd8);
      const version = firstVersion(signed, plan.call);
      const state = { ...NOT_SENT, versions: [version], door, bookedDay: day };
      const terms = termsOfPlan(plan);
      const transaction = { ...version, ...state, ...row, reservation: plan.reservation, terms };
      this.open.set(signed.nonce, transaction);
      return transaction;
    });
  }

  /** @throws as {@link record} */
  private async write(
    signedPlans: readonly SignedPlan[],
    day: string,
    door: string,
  ): Promise<readonly RecordedRows[]> {
    const { chainId, address: sender } = this.wallet;
    const owner = { chainId, wallet: sender, mode: 'live' } as const;
    const intents = signedPlans.map(({ plan, signed }) => {
      const { reservation } = plan;
      return { ...signed, door, reservation, execution: executionRow(plan, owner, 'authorised') };
    });
    const recorded = await this.outbox.record({ chainId, sender, day }, intents);
    if (recorded.kind === 'recorded') return recorded.rows;
    if (recorded.kind === 'lease-lost')
      throw new LeaseLost(`no nonce of ${sender} was taken: another process has the lease`);
    const { nonce, hash } = recorded.existing;
    throw new HaltError(
      `nonce ${nonce} of ${sender} is already taken by ${hash}: another process signs with this key`,
      'signer',
    );
  }

  /**
   * A node has taken it. That is saved in the background, with all that are taken at the same time, because
   * nothing waits for it: the row was durable before, and {@link settle} writes it if this write fails.
   */
  accepted(transaction: InFlight): void {
    transaction.accepted = true;
    if (transaction.acceptanceSaved) return;
    this.accepting.add(transaction);
    this.saving ??= this.saveAccepted();
  }

  /** It has not left this process and never will: its plan counts as refused. @throws RetryError */
  async withdraw(transaction: InFlight, reason: RejectionReason): Promise<void> {
    await this.executions.settle(transaction.executionId, { status: 'rejected', reason });
    await this.outbox.end(transaction.outboxId, 'dropped');
    this.close(transaction, false);
  }

  /**
   * It will not be mined: `failed` when every node refused it, `dropped` when none has it any more.
   *
   * @throws RetryError
   */
  async drop(transaction: InFlight, status: 'failed' | 'dropped', verdict: Verdict): Promise<void> {
    await this.saving;
    const { reason = 'it was not mined', ...decided } = verdictColumns(transaction, verdict);
    await this.executions.settle(transaction.executionId, { status: 'dropped', reason, ...decided });
    await this.outbox.end(transaction.outboxId, status);
    this.close(transaction, false);
    this.dropped.push(transaction);
    const block = `not mined at ${this.headNumber}`;
    const nothing = { feesWei: 0n, profitUsd8: 0n, rival: undefined };
    this.book.settled({ ...offerOf(transaction), block, ...nothing, ...verdict });
    this.events.emit(outcomeNews(transaction, 'dropped', verdict));
  }

  /**
   * Writes what confirmed receipts proved, all of them or none. The rows come last: a crash before leaves
   * them unsettled, and the next process does all of it again. A failure may then be counted twice, but it
   * is never left out.
   *
   * @throws RetryError when the database is away: to be called again.
   */
  async settle(settlements: readonly Settlement[]): Promise<void> {
    if (settlements.length === 0) return;
    await this.saving;
    const unsaved = settlements.flatMap(({ transaction }) =>
      transaction.acceptanceSaved ? [] : [transaction],
    );
    if (unsaved.length > 0) await this.saveAcceptances(unsaved);
    for (const { transaction, receipt, verdict } of settlements) {
      if (transaction.versions.length > 1) await this.outbox.takeVersion(transaction.outboxId, transaction);
      await this.failures.count(transaction, verdict, receipt.blockHash);
    }
    const { budget } = this.wallet;
    const ends = settlements.map((settlement) => minedEnd(settlement, budget.today));
    const booked = await this.outbox.settle(ends);
    for (const [index, settlement] of settlements.entries()) {
      const [end, spent] = [ends[index], booked[index]];
      if (end && spent) this.settled(settlement, end.execution.status, spent);
    }
  }

  /** Its rows are written; memory follows. */
  private settled(
    { transaction, receipt, proof, verdict }: Settlement,
    status: MinedExecution['status'],
    spent: BookedSpend,
  ): void {
    const { realisedProfitUsd8: profitUsd8, feesWei } = proof;
    transaction.spent = spent;
    this.close(transaction, proof.kind === 'succeeded');
    this.wallet.budget.spend(spent.day, spent);
    const paidOff = { feesWei, profitUsd8, rival: undefined };
    this.book.settled({ ...offerOf(transaction), block: receipt.blockHash, ...paidOff, ...verdict });
    const fees = feesPaid(receipt, proof.besideGas, transaction.call.maxPriorityFeePerGas);
    const mined = { block: receipt.blockNumber, realisedProfitUsd8: String(profitUsd8), fees };
    this.events.emit(outcomeNews(transaction, status, verdict, mined));
  }

  /** A settled transaction is in flight again. Its rows are the caller's concern. */
  reopen(transaction: InFlight): void {
    const unknown = {
      minedIn: undefined,
      sentAtBlock: undefined,
      sentAtMs: undefined,
      absentSinceMs: undefined,
      lostSinceMs: undefined,
    };
    Object.assign(transaction, { ...unknown, resent: 0, left: true });
    this.failures.takenBack();
    this.book.takenBack(transaction.executionId);
    this.open.set(transaction.nonce, transaction);
  }

  /** Waits until what is being saved in the background is saved, or has failed. */
  async saved(): Promise<void> {
    await this.saving;
  }

  /**
   * Writes what became of a transaction, if the database takes it. Otherwise the transaction stays in flight.
   *
   * @returns whether it was written.
   */
  async saveIfPossible(transaction: InFlight, write: () => Promise<void>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      if (!(error instanceof RetryError)) throw error;
      this.notSaved(transaction, error);
      return false;
    }
  }

  /** The outbox row has its end; memory follows. */
  private close(transaction: InFlight, covered: boolean): void {
    this.open.delete(transaction.nonce);
    const { bookedDay, terms } = transaction;
    if (covered || bookedDay === undefined) return;
    this.safety.volume.released(bookedDay, terms.notionalUsd8);
    transaction.bookedDay = undefined;
  }

  private async saveAccepted(): Promise<void> {
    await nextTurn();
    while (this.accepting.size > 0) {
      const all = [...this.accepting];
      this.accepting.clear();
      await this.saveAcceptances(all).catch((error: unknown) => {
        for (const transaction of all) this.notSaved(transaction, error);
      });
    }
    this.saving = undefined;
  }

  private async saveAcceptances(all: readonly InFlight[]): Promise<void> {
    await this.outbox.accept(all);
    for (const transaction of all) transaction.acceptanceSaved = true;
  }

  private notSaved({ executionId, hash }: InFlight, error: unknown): void {
    this.events.emit({ event: 'transaction-not-saved', executionId, hash, message: messageOf(error) });
  }
}
