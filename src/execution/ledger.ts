import { Logger } from '@nestjs/common';
import type {
  Execution,
  ExecutionsRepository,
  OutboxRepository,
  OutboxTransaction,
} from '../database/index.js';
import type { RejectionReason } from '../domain/decision.js';
import { HaltError, messageOf } from '../domain/errors.js';
import type { Hash } from '../domain/hex.js';
import type { LiquidationPlan } from '../domain/plan.js';
import type { Receipt } from '../rpc/chain/chain-answers.js';
import type { SafetyController } from '../safety/index.js';
import {
  NOT_SENT,
  restored,
  restoredSettled,
  settledIn,
  settlement,
  type InFlight,
  type Reopening,
  type Settled,
  type Settlement,
} from './in-flight.js';
import type { Outcome } from './settlement.js';
import { termsOfPlan } from './settlement-terms.js';
import type { SignedTransaction, Signer } from './signer.js';

/**
 * What is in flight, and what was settled a short while ago, in memory as in the rows: the only writer of outbox rows and
 * of the outcomes of what was signed.
 */
export class Ledger {
  private readonly logger = new Logger(Ledger.name);
  private readonly open = new Map<Hash, InFlight>();
  private readonly settled = new Map<Hash, Settled>();
  /** In flight again, which their rows do not say yet. */
  private reopened: readonly (Settled & { readonly day: string })[] = [];
  private readonly saving = new Map<Hash, Promise<void>>();

  constructor(
    private readonly executions: ExecutionsRepository,
    private readonly outbox: OutboxRepository,
    private readonly safety: SafetyController,
    private readonly signer: Pick<Signer, 'address' | 'chainId'>,
  ) {}

  /** By ascending nonce. */
  get all(): readonly InFlight[] {
    return [...this.open.values()].sort((a, b) => a.nonce - b.nonce);
  }

  get size(): number {
    return this.open.size;
  }

  /**
   * Takes up rows that this process does not know: of a killed one, or of a write whose answer was lost.
   *
   * @returns what is new. @throws RetryError when the database is away; HaltError when a row makes no sense.
   */
  async load(): Promise<readonly InFlight[]> {
    const { chainId, address } = this.signer;
    const rows = await this.outbox.unsettled(chainId, address);
    const unknown = rows.filter(({ hash }) => !this.open.has(hash));
    const found = await Promise.all(unknown.map(async (row) => restored(row, await this.executionOf(row))));
    for (const transaction of found) this.open.set(transaction.hash, transaction);
    return found;
  }

  /**
   * Takes up what an earlier process settled from one block to another, both included.
   *
   * @returns the blocks that settled anything. @throws as {@link load}
   */
  async loadSettled(fromBlock: number, toBlock: number): Promise<readonly Settled['block'][]> {
    const { chainId, address } = this.signer;
    const rows = await this.outbox.minedBetween(chainId, address, fromBlock, toBlock);
    for (const row of rows.filter(({ hash }) => !this.settled.has(hash) && !this.open.has(hash))) {
      const settled = restoredSettled(row, await this.executionOf(row));
      if (settled) this.settled.set(row.hash, settled);
    }
    const blocks = [...this.settled.values()].map(({ block }) => block);
    return [...new Map(blocks.map((block) => [block.hash, block])).values()];
  }

  /** Of a row that was mined; undefined when there is none. @throws RetryError when the database is away. */
  highestMinedNonce(): Promise<number | undefined> {
    return this.outbox.highestMinedNonce(this.signer.chainId, this.signer.address);
  }

  /**
   * Makes a signed intent durable. Only after this may it be broadcast.
   *
   * @throws RetryError when the database is away: it is then unknown whether the row exists, and {@link load} tells.
   * @throws HaltError when the nonce belongs to a row of someone else.
   */
  async record(plan: LiquidationPlan, executionId: string, signed: SignedTransaction): Promise<InFlight> {
    const { chainId, address: sender } = this.signer;
    const { nonce, hash, raw } = signed;
    const day = this.safety.today();
    const recorded = await this.outbox.record({ executionId, chainId, sender, nonce, hash, raw, day, door: 'public' });
    if (recorded.kind === 'nonce-taken')
      throw new HaltError(
        `nonce ${nonce} of ${sender} is already taken by ${recorded.existing.hash}: another process signs with this key`,
      );
    this.safety.booked(day, plan.notionalUsd8);
    const transaction: InFlight = {
      ...signed,
      ...NOT_SENT,
      outboxId: recorded.id,
      executionId,
      terms: termsOfPlan(plan),
      call: plan.call,
      bookedDay: day,
    };
    this.open.set(hash, transaction);
    return transaction;
  }

  /**
   * A node has taken it. Saved beside the hot path, because nothing waits for it: the row was durable before, and
   * {@link settle} makes up for it.
   */
  accepted(transaction: InFlight): void {
    transaction.accepted = true;
    if (transaction.acceptanceSaved || this.saving.has(transaction.hash)) return;
    const saving = this.saveAcceptance(transaction)
      .catch((error: unknown) => {
        this.logger.warn(`${transaction.hash} was sent, which could not be saved yet: ${messageOf(error)}`);
      })
      .finally(() => this.saving.delete(transaction.hash));
    this.saving.set(transaction.hash, saving);
  }

  /** It has not left this process and never will: its plan counts as refused, for this reason. @throws RetryError */
  async withdraw(transaction: InFlight, reason: RejectionReason): Promise<void> {
    await this.executions.settle(transaction.executionId, { status: 'rejected', reason });
    await this.outbox.end(transaction.outboxId, { status: 'dropped' });
    this.close(transaction, false);
  }

  /** It will not be mined: `failed` when every node refused it, `dropped` when none has it any more. @throws RetryError */
  async drop(transaction: InFlight, status: 'failed' | 'dropped', reason: string): Promise<Settlement> {
    await this.saving.get(transaction.hash);
    await this.executions.settle(transaction.executionId, { status: 'dropped', reason });
    await this.outbox.end(transaction.outboxId, { status });
    this.close(transaction, false);
    return settlement(transaction, { outcome: 'dropped', reason });
  }

  /**
   * Writes what a confirmed receipt proved. The outbox row comes last: a crash in the middle leaves it unsettled, and the
   * next process does all of it again. A failure may then be counted twice, but never not at all.
   *
   * @throws RetryError when the database is away: to be called again.
   */
  async settle(
    transaction: InFlight,
    receipt: Receipt,
    outcome: Outcome,
    reason: string,
  ): Promise<Settlement> {
    const { hash: txHash, executionId, outboxId } = transaction;
    const { realisedProfitUsd8 } = outcome;
    const { gasUsed, blockNumber } = receipt;
    await this.saving.get(txHash);
    if (!transaction.acceptanceSaved) await this.saveAcceptance(transaction);
    const succeeded = outcome.kind === 'succeeded';
    if (succeeded) {
      const { debtCovered, collateralSeized, profit: realisedProfit } = outcome;
      const amounts = { debtCovered, collateralSeized, realisedProfit, realisedProfitUsd8, gasUsed };
      await this.executions.settle(executionId, { status: 'succeeded', txHash, ...amounts });
    } else
      await this.executions.settle(executionId, {
        status: 'reverted',
        reason,
        txHash,
        gasUsed,
        realisedProfitUsd8,
      });
    if (transaction.failures === undefined) {
      transaction.failures = succeeded ? -this.safety.status().consecutiveFailures : 1;
      await (succeeded ? this.safety.recordSuccess() : this.safety.recordFailure(reason));
    }
    const block = { number: blockNumber, hash: receipt.blockHash };
    await this.outbox.end(outboxId, { status: 'mined', block, covered: succeeded });
    this.close(transaction, succeeded);
    const was = succeeded ? 'succeeded' : 'reverted';
    const profit = { realisedProfitUsd8: String(realisedProfitUsd8) };
    this.settled.set(txHash, settledIn(block, transaction, { was, ...profit, reported: true }));
    return settlement(transaction, {
      outcome: was,
      reason: succeeded ? undefined : reason,
      block: blockNumber,
      ...profit,
    });
  }

  /**
   * What these blocks had settled is in flight again from this call on; the rows follow with {@link saveReopened}. The
   * latest nonce comes first, so that the count of failures goes back the way it came.
   *
   * @returns what is in flight again.
   */
  takeBack(blocks: ReadonlySet<Hash>): readonly InFlight[] {
    const gone = [...this.settled.values()]
      .filter(({ block }) => blocks.has(block.hash))
      .sort((a, b) => b.transaction.nonce - a.transaction.nonce);
    const today = this.safety.today();
    for (const { transaction } of gone) {
      Object.assign(transaction, { minedIn: undefined, sentAtBlock: undefined, resent: 0, overtaken: 0 });
      this.settled.delete(transaction.hash);
      this.open.set(transaction.hash, transaction);
    }
    const reopened = gone.map((one) => ({ ...one, day: one.transaction.bookedDay ?? today }));
    this.reopened = [...this.reopened, ...reopened];
    return gone.map(({ transaction }) => transaction);
  }

  /**
   * Clears the outcomes of what was taken back, books again what they had released, and takes them out of the count of
   * failures. A crash after the row may leave a failure counted.
   *
   * @param report gets each as soon as its rows are written. @throws RetryError when the database is away: to be called again.
   */
  async saveReopened(report: (reopening: Reopening) => void): Promise<void> {
    for (let [one] = this.reopened; one; [one] = this.reopened) {
      const { transaction, reopening, day } = one;
      await this.outbox.reopen(transaction.outboxId, day);
      this.reopened = this.reopened.slice(1);
      if (transaction.bookedDay === undefined) this.safety.booked(day, transaction.terms.notionalUsd8);
      transaction.bookedDay = day;
      const { failures = 0 } = transaction;
      transaction.failures = undefined;
      report(reopening);
      await this.safety.takeBackOutcome(failures);
    }
  }

  /** What was settled before this block stays so. */
  forgetSettledBefore(blockNumber: number): void {
    for (const [hash, { block }] of this.settled) if (block.number < blockNumber) this.settled.delete(hash);
  }

  /** Waits until what is being saved beside the hot path is saved, or has failed. */
  async saved(): Promise<void> {
    await Promise.all(this.saving.values());
  }

  /** The outbox row has its end; memory follows. */
  private close(transaction: InFlight, covered: boolean): void {
    this.open.delete(transaction.hash);
    const { bookedDay, terms } = transaction;
    if (covered || bookedDay === undefined) return;
    this.safety.released(bookedDay, terms.notionalUsd8);
    transaction.bookedDay = undefined;
  }

  private async saveAcceptance(transaction: InFlight): Promise<void> {
    const { executionId, outboxId, hash, headToSendUs } = transaction;
    await this.executions.markSubmitted(executionId, hash, headToSendUs ?? null);
    await this.outbox.markBroadcast(outboxId);
    transaction.acceptanceSaved = true;
  }

  private async executionOf({ id, executionId }: OutboxTransaction): Promise<Execution> {
    const row = executionId === null ? null : await this.executions.find(executionId);
    if (!row) throw new HaltError(`the outbox row ${id} belongs to no execution`);
    return row;
  }
}
