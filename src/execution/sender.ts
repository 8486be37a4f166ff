import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorFrom, RetryError, worstFirst } from '../domain/errors.js';
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
   * Hands transactions of one door over for the first time, in their order, and judges the answer to each.
   * None waits for the answer to another.
   *
   * @param left called when they have left, before any answer is judged.
   * @returns what came of each, in their order.
   * @throws HaltError when someone else uses our key; the bot is HALTED then.
   */
  async send(
    transactions: readonly InFlight[],
    lease: NonceLease,
    { headNumber, trace }: { readonly headNumber: number; readonly trace: PassTrace },
    left: () => void,
  ): Promise<Submission[]> {
    const [first] = transactions;
    if (!first) return [];
    const headToSendUs = Math.min(Math.round(trace.sinceHeadMs() * 1_000), MOST_MICROSECONDS);
    for (const transaction of transactions)
      Object.assign(transaction, { sentAtBlock: headNumber, headToSendUs });
    const outcomes = this.doorOf(first).send(transactions);
    // What is told of them waits until their bytes are on the way.
    const told = nextTurn().then(left);
    const judged = await Promise.allSettled(
      transactions.map(async (transaction, index) => {
        const outcome = outcomes[index] ?? Promise.reject(new RetryError('the door gave no answer'));
        const [heard] = await Promise.all([outcome.catch(unansweredIfRetry), told]);
        return this.judge(transaction, lease, heard);
      }),
    );
    const failed = judged.flatMap((one) => (one.status === 'rejected' ? [errorFrom(one.reason)] : []));
    const [worst] = worstFirst(failed);
    if (worst) throw worst;
    return judged.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  private async judge(transaction: InFlight, lease: NonceLease, outcome: SendOutcome): Promise<Submission> {
    const { executionId, hash, nonce, terms, headToSendUs = 0 } = transaction;
    const submission = await this.firstAnswer(transaction, lease, outcome);
    if (submission.kind === 'submitted') {
      const ids = { executionId, borrower: terms.borrower, hash, nonce };
      const door = this.doorOf(transaction).name;
      this.events.emit({ event: 'transaction-sent', ...ids, door, headToSendUs });
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
    const [outcome] = await Promise.all(this.doorOf(transaction).send([transaction]));
    if (!outcome) throw new RetryError('the door gave no answer');
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
    const { hash, nonce, executionId } = transaction;
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
      lease.giveBack(nonce);
    });
    return dropped ? { kind: 'dropped', executionId, hash, reason } : submitted(transaction);
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

function submitted({ executionId, hash, nonce, accepted }: InFlight): Submission {
  return { kind: 'submitted', executionId, hash, nonce, accepted };
}

/** No endpoint could be asked: the transaction stays in flight. */
function unansweredIfRetry(error: unknown): SendOutcome {
  if (error instanceof RetryError) return { kind: 'unknown', detail: error.message };
  throw error;
}
