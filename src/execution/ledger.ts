import { Logger } from '@nestjs/common';
import { Transaction } from 'ethers';
import type {
  ExecutionsRepository,
  OutboxRepository,
  OutboxStatus,
  OutboxTransaction,
} from '../database/index.js';
import type { RejectionReason } from '../domain/decision.js';
import { HaltError, messageOf } from '../domain/errors.js';
import { toAddress, type Address, type Hash, type Hex } from '../domain/hex.js';
import type { LiquidationPlan, TransactionCall } from '../domain/plan.js';
import type { Receipt } from '../rpc/chain-answers.js';
import type { SafetyController } from '../safety/index.js';
import type { Outcome } from './settlement.js';
import { termsOfPlan, termsOfRow, type SettlementTerms } from './settlement-terms.js';
import type { SignedTransaction, Signer } from './signer.js';

/** A signed transaction whose row is durable and whose fate is open. */
export interface InFlight extends SignedTransaction {
  readonly outboxId: string;
  readonly executionId: string;
  readonly terms: SettlementTerms;
  readonly call: TransactionCall;
  /** The UTC day to which this process booked it; undefined for a row of an earlier process, which stays booked. */
  readonly bookedDay: string | undefined;
  /** Where its receipt was seen last; undefined while there is none, or none any more. */
  minedIn: number | undefined;
  /** The head at which it was handed to the nodes last; undefined when this process never did. */
  sentAtBlock: number | undefined;
  /** How often it was handed over again. */
  resent: number;
  /** Microseconds from the head's arrival to the first hand-over. */
  headToSendUs: number | undefined;
  /** A node has taken it. */
  accepted: boolean;
  /** The rows say so. */
  acceptanceSaved: boolean;
  /** Its outcome is in the failure count. */
  counted: boolean;
  /** Looks at the chain that found its nonce used and no receipt of its own. */
  overtaken: number;
}

/** What became of an intent, as events and logs carry it. Money is decimal text. */
export interface Settlement {
  readonly executionId: string;
  readonly borrower: Address;
  readonly hash: Hash;
  readonly outcome: 'succeeded' | 'reverted' | 'dropped';
  /** Why it did not succeed. */
  readonly reason: string | undefined;
  /** Where it was mined. */
  readonly block: number | undefined;
  /** USD with 8 decimals. */
  readonly realisedProfitUsd8: string | undefined;
  readonly simulatedNetProfitUsd8: string;
}

/** What is in flight, in memory as in the rows: the only writer of outbox rows and of the outcomes of what was signed. */
export class Ledger {
  private readonly logger = new Logger(Ledger.name);
  private readonly open = new Map<Hash, InFlight>();
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
    const found = await Promise.all(unknown.map((row) => this.restored(row)));
    for (const transaction of found) this.open.set(transaction.hash, transaction);
    return found;
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
    const recorded = await this.outbox.record({ executionId, chainId, sender, nonce, hash, raw, day });
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
    await this.close(transaction, 'dropped');
    await this.release(transaction);
  }

  /** It will not be mined: `failed` when every node refused it, `dropped` when none has it any more. @throws RetryError */
  async drop(transaction: InFlight, status: 'failed' | 'dropped', reason: string): Promise<Settlement> {
    await this.saving.get(transaction.hash);
    await this.executions.settle(transaction.executionId, { status: 'dropped', reason });
    await this.close(transaction, status);
    await this.release(transaction);
    return settlement(transaction, { outcome: 'dropped', reason });
  }

  /**
   * Writes what a confirmed receipt proved. A crash in the middle leaves the outbox row unsettled, and the next process
   * does all of it again: a failure may then be counted twice, but never not at all.
   *
   * @throws RetryError when the database is away: to be called again.
   */
  async settle(
    transaction: InFlight,
    receipt: Receipt,
    outcome: Outcome,
    reason: string,
  ): Promise<Settlement> {
    const { hash: txHash, executionId } = transaction;
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
    if (!transaction.counted) {
      transaction.counted = true;
      await (succeeded ? this.safety.recordSuccess() : this.safety.recordFailure(reason));
    }
    await this.close(transaction, 'mined', blockNumber);
    if (!succeeded) await this.release(transaction);
    return settlement(transaction, {
      outcome: succeeded ? 'succeeded' : 'reverted',
      reason: succeeded ? undefined : reason,
      block: blockNumber,
      realisedProfitUsd8: String(realisedProfitUsd8),
    });
  }

  /** Waits until what is being saved beside the hot path is saved, or has failed. */
  async saved(): Promise<void> {
    await Promise.all(this.saving.values());
  }

  /** The outbox row comes last: while it is open, a restart does everything before it again. */
  private async close(
    { outboxId, hash }: InFlight,
    status: OutboxStatus,
    blockNumber?: number,
  ): Promise<void> {
    await this.outbox.setStatus(outboxId, status, blockNumber);
    this.open.delete(hash);
  }

  private async saveAcceptance(transaction: InFlight): Promise<void> {
    const { executionId, outboxId, hash, headToSendUs } = transaction;
    await this.executions.markSubmitted(executionId, hash, headToSendUs ?? null);
    await this.outbox.setStatus(outboxId, 'broadcast');
    transaction.acceptanceSaved = true;
  }

  /** What is not taken back stays booked: the day then allows less, never more. */
  private async release({ bookedDay, terms, hash }: InFlight): Promise<void> {
    if (bookedDay === undefined) return;
    try {
      await this.safety.release(bookedDay, terms.notionalUsd8);
    } catch (error) {
      this.logger.error(`the volume of ${hash} stays booked: ${messageOf(error)}`);
    }
  }

  private async restored({
    id,
    executionId,
    hash,
    raw,
    nonce,
    status,
  }: OutboxTransaction): Promise<InFlight> {
    const row = executionId === null ? null : await this.executions.find(executionId);
    if (!row) throw new HaltError(`the outbox row ${id} belongs to no execution`);
    const accepted = status === 'broadcast';
    return {
      ...NOT_SENT,
      outboxId: id,
      executionId: row.id,
      hash,
      raw,
      nonce,
      terms: termsOfRow(row),
      call: callOf(raw),
      bookedDay: undefined,
      accepted,
      acceptanceSaved: accepted,
    };
  }
}

const NOT_SENT = {
  minedIn: undefined,
  sentAtBlock: undefined,
  resent: 0,
  headToSendUs: undefined,
  accepted: false,
  acceptanceSaved: false,
  counted: false,
  overtaken: 0,
};

function settlement(
  { executionId, hash, terms }: InFlight,
  what: Pick<Settlement, 'outcome' | 'reason'> & Partial<Pick<Settlement, 'block' | 'realisedProfitUsd8'>>,
): Settlement {
  return {
    executionId,
    borrower: terms.borrower,
    hash,
    block: undefined,
    realisedProfitUsd8: undefined,
    simulatedNetProfitUsd8: String(terms.netProfitUsd8),
    ...what,
  };
}

/** @throws TypeError when it is not what {@link Signer} makes. */
function callOf(raw: Hex): TransactionCall {
  const { to, data, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = Transaction.from(raw);
  if (to === null || maxFeePerGas === null || maxPriorityFeePerGas === null)
    throw new TypeError('the outbox holds a transaction of another kind');
  return { to: toAddress(to), data: `0x${data.slice(2)}`, gasLimit, maxFeePerGas, maxPriorityFeePerGas };
}
