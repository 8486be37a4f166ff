import { RetryError } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import type { PassTrace } from '../domain/pass-trace.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { SendOutcome } from '../rpc/chain/send-transaction.js';
import {
  FeeCapExceeded,
  InsufficientFunds,
  NonceTooLow,
  ReplacementUnderpriced,
  type RpcAnswerError,
} from '../rpc/rpc-errors.js';
import type { FailurePolicy } from '../safety/index.js';
import type { Door } from './doors/door.js';
import type { Doors } from './doors/doors.js';
import type { InFlight, SettlingHead } from './in-flight.js';
import type { Judge } from './judge.js';
import type { Ledger } from './ledger.js';
import type { NonceLease } from './nonce-lane.js';
import type { Submission } from './submission.js';
import type { Wallet } from './wallet.js';

/**
 * A transaction that is not mined this many blocks after its hand-over is handed over again, then at doubling
 * distances.
 */
const RESEND_AFTER_BLOCKS = 2;
const LONGEST_RESEND_DISTANCE_BLOCKS = 32;
/** The largest value of the column head_to_send_us. */
const MOST_MICROSECONDS = 2 ** 31 - 1;

/**
 * Hands transactions with a durable row to their doors, the first time and again, and decides what an answer
 * means. It signs nothing: what is handed over again is the same bytes, so that nothing is ever sent under a
 * second nonce.
 */
export class Sender {
  constructor(
    private readonly chain: Chain,
    private readonly wallet: Wallet,
    private readonly doors: Doors,
    private readonly ledger: Ledger,
    private readonly judge: Judge,
    private readonly failures: FailurePolicy,
    private readonly events: Events,
  ) {}

  /**
   * Hands a transaction over for the first time.
   *
   * @param headNumber the block of its plan.
   * @throws HaltError when someone else uses our key; the bot is HALTED then.
   */
  async send(
    transaction: InFlight,
    lease: NonceLease,
    headNumber: number,
    trace: PassTrace,
  ): Promise<Submission> {
    const { executionId, hash, nonce, terms } = transaction;
    const headToSendUs = Math.min(Math.round(trace.sinceHeadMs() * 1_000), MOST_MICROSECONDS);
    transaction.sentAtBlock = headNumber;
    transaction.headToSendUs = headToSendUs;
    const outcome = await this.doorOf(transaction).send(transaction).catch(unansweredIfRetry);
    const submission = await this.firstAnswer(transaction, lease, outcome);
    if (submission.kind === 'submitted') {
      const ids = { executionId, borrower: terms.borrower, hash, nonce };
      this.events.emit({
        event: 'transaction-sent',
        ...ids,
        door: this.doorOf(transaction).name,
        headToSendUs,
      });
    }
    return submission;
  }

  /**
   * For a transaction that is not mined: hands it over again when its time has come, or drops it when it
   * could only revert.
   *
   * @throws RetryError when the chain or the database could not be asked.
   */
  async pursue(transaction: InFlight, head: SettlingHead): Promise<void> {
    if (head.timestamp > transaction.terms.deadline) {
      const dropped = await this.wallet.lane.take(() => this.dropIfLost(transaction, head));
      if (dropped) return;
    }
    if (this.failures.isHalted || !isDue(transaction, head)) return;
    const outcome = await this.doorOf(transaction).send(transaction);
    if (transaction.sentAtBlock !== undefined) transaction.resent += 1;
    transaction.sentAtBlock = head.number;
    await this.laterAnswer(transaction, outcome);
  }

  private async firstAnswer(
    transaction: InFlight,
    lease: NonceLease,
    outcome: SendOutcome,
  ): Promise<Submission> {
    switch (outcome.kind) {
      case 'accepted':
        this.ledger.accepted(transaction);
        return submitted(transaction);
      case 'unknown':
        this.unanswered(transaction, outcome.detail);
        return submitted(transaction);
      case 'refused':
        return this.refused(transaction, lease, outcome.error);
    }
  }

  private async laterAnswer(transaction: InFlight, outcome: SendOutcome): Promise<void> {
    const { executionId, hash } = transaction;
    if (outcome.kind === 'accepted') this.ledger.accepted(transaction);
    else if (outcome.kind === 'unknown') this.unanswered(transaction, outcome.detail);
    // NonceTooLow: it was mined a moment ago, or another transaction has its nonce. The next look tells
    // which.
    else if (!(outcome.error instanceof NonceTooLow)) {
      const message = outcome.error.reason;
      this.events.emit({ event: 'transaction-refused-again', executionId, hash, message });
    }
  }

  /**
   * Every node refused a transaction that none of them had before. So it can never be mined, and its nonce
   * goes to the next intent; otherwise every later one would wait for it for ever. When that cannot be saved,
   * the transaction stays in flight, and is handed over again until it is mined or past its deadline.
   */
  private async refused(
    transaction: InFlight,
    lease: NonceLease,
    error: RpcAnswerError,
  ): Promise<Submission> {
    if (error instanceof NonceTooLow || error instanceof ReplacementUnderpriced)
      return this.nonceTaken(transaction, error);
    const { hash } = transaction;
    const reason = `every node refused it: ${error.reason}`;
    // The next plans bid less. A smaller fee is no failure of the bot.
    const { feeWei } = transaction.reservation;
    if (error instanceof FeeCapExceeded) this.wallet.budget.refuseFee(feeWei, error.capWei);
    if (error instanceof InsufficientFunds) this.wallet.budget.refuseForFunds(feeWei);
    const dropped = await this.ledger.saveIfPossible(transaction, async () => {
      await this.ledger.drop(transaction, 'failed', { outcome: 'refused', reason });
      lease.giveBack();
    });
    return dropped ? { kind: 'dropped', hash, reason } : submitted(transaction);
  }

  /**
   * Another transaction with this nonce waits or was mined. It is not ours, because we signed only this one
   * with it (F23). The exception: the nodes mean this very transaction, which was mined a moment ago after an
   * endpoint took it without an answer.
   */
  private async nonceTaken(transaction: InFlight, error: RpcAnswerError): Promise<Submission> {
    if (await this.mayBeMined(transaction)) return submitted(transaction);
    const halt = await this.failures.halt(this.wallet.foreignTransactions(1));
    const reason = `its nonce was used by another transaction: ${error.reason}`;
    await this.ledger.saveIfPossible(transaction, () =>
      this.ledger.drop(transaction, 'failed', { outcome: 'malfunction', reason }),
    );
    throw halt;
  }

  /** Whether its receipt is there, or could not be asked for. */
  private async mayBeMined(transaction: InFlight): Promise<boolean> {
    try {
      const receipt = await this.chain.getTransactionReceipt(transaction.hash);
      if (receipt) this.ledger.accepted(transaction);
      return receipt !== undefined;
    } catch (error) {
      if (error instanceof RetryError) return true;
      throw error;
    }
  }

  /**
   * After its deadline the contract refuses the plan, so that mining it would only cost gas. When its door
   * has lost it, its nonce serves another intent. A transaction that later ones wait for is kept alive
   * instead, to clear their way. If it is mined all the same, then only one of the two is, and the other one
   * is noticed as F23.
   *
   * @returns whether it was dropped.
   */
  private async dropIfLost(transaction: InFlight, head: SettlingHead): Promise<boolean> {
    const { nonce } = transaction;
    if (this.ledger.all.some((other) => other.nonce > nonce)) return false;
    if (await this.doorOf(transaction).mayStillArrive(transaction)) return false;
    await this.ledger.drop(transaction, 'dropped', await this.judge.ofDeadline(transaction, head.number));
    this.wallet.lane.giveBack(nonce);
    return true;
  }

  /** @throws HaltError when the configuration does not have it any more. */
  private doorOf({ door }: InFlight): Door {
    return this.doors.named(door);
  }

  private unanswered({ executionId, hash }: InFlight, message: string): void {
    this.events.emit({ event: 'transaction-unanswered', executionId, hash, message });
  }
}

function submitted({ hash, nonce, accepted }: InFlight): Submission {
  return { kind: 'submitted', hash, nonce, accepted };
}

function isDue({ sentAtBlock, resent }: InFlight, head: SettlingHead): boolean {
  if (sentAtBlock === undefined) return true;
  const distance = Math.min(RESEND_AFTER_BLOCKS * 2 ** resent, LONGEST_RESEND_DISTANCE_BLOCKS);
  return head.number - sentAtBlock >= distance;
}

/** No endpoint could be asked: the transaction stays in flight. */
function unansweredIfRetry(error: unknown): SendOutcome {
  if (error instanceof RetryError) return { kind: 'unknown', detail: error.message };
  throw error;
}
