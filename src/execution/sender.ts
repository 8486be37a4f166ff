import { RetryError } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import type { PassTrace } from '../domain/pass-trace.js';
import type { SendOutcome } from '../rpc/chain/send-transaction.js';
import {
  DelegatedAccountLimit,
  FeeCapExceeded,
  InsufficientFunds,
  NonceTooLow,
  NoPlaceInPool,
  ReplacementUnderpriced,
  type RpcAnswerError,
} from '../rpc/rpc-errors.js';
import type { FailurePolicy } from '../safety/index.js';
import type { Door } from './doors/door.js';
import type { Doors } from './doors/doors.js';
import type { EachEndpoint } from './each-endpoint.js';
import type { InFlight, SettlingHead } from './in-flight.js';
import type { Ledger } from './ledger.js';
import type { NonceLease } from './nonce-lane.js';
import type { Submission } from './submission.js';
import type { Wallet } from './wallet.js';

/** The largest value of the column head_to_send_us. */
const MOST_MICROSECONDS = 2 ** 31 - 1;

/**
 * Hands transactions with a durable row to their doors, the first time and again, and decides what an answer
 * means. It signs nothing.
 */
export class Sender {
  constructor(
    private readonly wallet: Wallet,
    private readonly doors: Doors,
    private readonly ledger: Ledger,
    private readonly each: EachEndpoint,
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

  get isHalted(): boolean {
    return this.failures.isHalted;
  }

  /**
   * Hands over the version that counts now: again, or for the first time.
   *
   * @throws RetryError when no endpoint could be asked.
   */
  async sendAgain(transaction: InFlight, head: SettlingHead): Promise<void> {
    if (!this.wallet.lease.holds) return;
    const outcome = await this.doorOf(transaction).send(transaction);
    if (transaction.sentAtBlock !== undefined) transaction.resent += 1;
    transaction.sentAtBlock = head.number;
    await this.laterAnswer(transaction, outcome);
  }

  /** Whether any version may still reach a block. @throws RetryError when no endpoint could be asked. */
  async mayStillArrive(transaction: InFlight): Promise<boolean> {
    const door = this.doorOf(transaction);
    for (const version of transaction.versions) {
      if (await door.mayStillArrive(version)) return true;
      if ((await this.each.known(version.hash)).includes(true)) return true;
    }
    return false;
  }

  private async firstAnswer(
    transaction: InFlight,
    lease: NonceLease,
    outcome: SendOutcome,
  ): Promise<Submission> {
    switch (outcome.kind) {
      case 'accepted':
        this.accepted(transaction);
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
    if (outcome.kind === 'accepted') this.accepted(transaction);
    else if (outcome.kind === 'unknown') this.unanswered(transaction, outcome.detail);
    else {
      const { error } = outcome;
      this.noteRefusal(transaction, error);
      // The next fee bump offers more.
      if (error instanceof ReplacementUnderpriced) transaction.accepted = true;
      // NonceTooLow: it was mined a moment ago, or another transaction has its nonce. The next looks tell
      // which.
      if (error instanceof NonceTooLow) await this.doubtNonce(transaction);
      else this.events.emit({ event: 'transaction-refused-again', executionId, hash, message: error.reason });
    }
  }

  /**
   * Every node refused a transaction that none of them had before. Where that is for ever, its nonce goes to
   * the next intent; otherwise every later one would wait for it. When that cannot be saved, or when a node
   * may take it later, the transaction stays in flight.
   */
  private async refused(
    transaction: InFlight,
    lease: NonceLease,
    error: RpcAnswerError,
  ): Promise<Submission> {
    const { hash } = transaction;
    this.noteRefusal(transaction, error);
    if (error instanceof NoPlaceInPool) return this.kept(transaction, error);
    if (error instanceof NonceTooLow || error instanceof ReplacementUnderpriced) {
      transaction.left = true;
      await this.doubtNonce(transaction);
      return this.kept(transaction, error);
    }
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

  private kept(transaction: InFlight, { reason: message }: RpcAnswerError): Submission {
    const { executionId, hash } = transaction;
    this.events.emit({ event: 'transaction-refused-again', executionId, hash, message });
    return submitted(transaction);
  }

  /** A delegated account has one transaction in flight: the others are sent when it is their turn. */
  private noteRefusal(transaction: InFlight, error: RpcAnswerError): void {
    if (!(error instanceof DelegatedAccountLimit)) return;
    transaction.waitsForTurn = true;
    this.wallet.oneAtATime = true;
  }

  /**
   * The node means this very transaction, which was mined a moment ago after an endpoint took it without an
   * answer, or another one, which would be foreign (F23). Until the looks at the chain tell which, nothing
   * new is signed, unless a node knows it.
   */
  private async doubtNonce(transaction: InFlight): Promise<void> {
    const known = await this.each.known(transaction.hash);
    if (known.includes(true)) this.accepted(transaction);
    else transaction.nonceDoubted = true;
  }

  private accepted(transaction: InFlight): void {
    Object.assign(transaction, { left: true, waitsForTurn: false, nonceDoubted: false });
    this.ledger.accepted(transaction);
  }

  /** @throws HaltError when the configuration does not have it any more. */
  private doorOf({ door }: InFlight): Door {
    return this.doors.named(door);
  }

  private unanswered(transaction: InFlight, message: string): void {
    const { executionId, hash } = transaction;
    transaction.left = true;
    this.events.emit({ event: 'transaction-unanswered', executionId, hash, message });
  }
}

function submitted({ hash, nonce, accepted }: InFlight): Submission {
  return { kind: 'submitted', hash, nonce, accepted };
}

/** No endpoint could be asked: the transaction stays in flight. */
function unansweredIfRetry(error: unknown): SendOutcome {
  if (error instanceof RetryError) return { kind: 'unknown', detail: error.message };
  throw error;
}
