import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../domain/clock.js';
import { errorFrom, RetryError, worstFirst } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import type { Hash } from '../domain/hex.js';
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

/** The head that transactions leave with, and how long their rows took. */
interface SentWith {
  readonly headNumber: number;
  readonly recordMs: number;
  readonly trace: PassTrace;
}

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
    private readonly clock: Clock,
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
    { headNumber, recordMs, trace }: SentWith,
    left: () => void,
  ): Promise<Submission[]> {
    const [first] = transactions;
    if (!first) return [];
    const headToSendUs = microseconds(trace.sinceHeadMs());
    const times = { recordUs: microseconds(recordMs), cpuUs: microseconds(trace.cpuMs()) };
    const sentAtMs = this.clock.monotonicMs();
    for (const transaction of transactions)
      Object.assign(transaction, { sentAtBlock: headNumber, sentAtMs, headToSendUs });
    const outcomes = this.doorOf(first).send(transactions);
    // What is told of them waits until their bytes are on the way.
    const told = nextTurn().then(left);
    const judged = await Promise.allSettled(
      transactions.map(async (transaction, index) => {
        const outcome = outcomes[index] ?? Promise.reject(new RetryError('the door gave no answer'));
        const [heard] = await Promise.all([outcome.catch(unansweredIfRetry), told]);
        return this.judge(transaction, lease, heard, times);
      }),
    );
    const failed = judged.flatMap((one) => (one.status === 'rejected' ? [errorFrom(one.reason)] : []));
    const [worst] = worstFirst(failed);
    if (worst) throw worst;
    return judged.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  private async judge(
    transaction: InFlight,
    lease: NonceLease,
    outcome: SendOutcome,
    times: { readonly recordUs: number; readonly cpuUs: number },
  ): Promise<Submission> {
    const { executionId, hash, nonce, terms, headToSendUs = 0 } = transaction;
    const submission = await this.firstAnswer(transaction, lease, outcome);
    if (submission.kind === 'submitted') {
      const ids = { executionId, borrower: terms.borrower, hash, nonce };
      const door = this.doorOf(transaction).name;
      this.events.emit({ event: 'transaction-sent', ...ids, door, headToSendUs, ...times });
    }
    return submission;
  }

  get isHalted(): boolean {
    return this.failures.isHalted;
  }

  /**
   * Hands over the version that counts now of each: again, or for the first time. All of one door leave
   * together. While HALTED none does.
   *
   * @throws RetryError when no endpoint could be asked, HaltError when a door is not configured any more: the
   *   others have left then.
   */
  async sendAgain(transactions: readonly InFlight[], head: SettlingHead): Promise<void> {
    if (this.isHalted || !this.wallet.lease.holds) return;
    const groups = new Map<InFlight['door'], InFlight[]>();
    for (const transaction of transactions) {
      const group = groups.get(transaction.door);
      if (group) group.push(transaction);
      else groups.set(transaction.door, [transaction]);
    }
    const used: InFlight[] = [];
    const handed = await Promise.allSettled(
      [...groups.values()].map(async (group) => used.push(...(await this.sendGroup(group, head)))),
    );
    await this.doubtNonces(used);
    const [worst] = worstFirst(
      handed.flatMap((one) => (one.status === 'rejected' ? [errorFrom(one.reason)] : [])),
    );
    if (worst) throw worst;
  }

  /** @returns those whose nonce is used, as every node says. */
  private async sendGroup(group: readonly InFlight[], head: SettlingHead): Promise<readonly InFlight[]> {
    const [first] = group;
    if (!first) return [];
    const outcomes = await Promise.all(this.doorOf(first).send(group));
    return group.filter((transaction, index) => {
      const outcome = outcomes[index];
      if (!outcome) throw new RetryError('the door gave no answer');
      if (transaction.sentAtBlock !== undefined) transaction.resent += 1;
      transaction.sentAtBlock = head.number;
      transaction.sentAtMs = this.clock.monotonicMs();
      return this.laterAnswer(transaction, outcome) === 'nonce-used';
    });
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

  private laterAnswer(transaction: InFlight, outcome: SendOutcome): 'nonce-used' | 'told' {
    const { executionId, hash } = transaction;
    if (outcome.kind === 'accepted') this.accepted(transaction);
    else if (outcome.kind === 'unknown') this.unanswered(transaction, outcome.detail);
    else {
      const { error } = outcome;
      this.noteRefusal(transaction, error);
      // The next fee bump offers more.
      if (error instanceof ReplacementUnderpriced) transaction.accepted = true;
      // It was mined a moment ago, or another transaction has its nonce. The next looks tell which.
      if (error instanceof NonceTooLow) return 'nonce-used';
      this.events.emit({ event: 'transaction-refused-again', executionId, hash, message: error.reason });
    }
    return 'told';
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
      await this.doubtNonces([transaction]);
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
   * The node means this very transaction or an earlier version of it, which was mined a moment ago, or
   * another one, which would be foreign (F23). Until the looks at the chain tell which, nothing new is
   * signed, unless a node knows a version.
   */
  private async doubtNonces(transactions: readonly InFlight[]): Promise<void> {
    if (transactions.length === 0) return;
    const hashesOf = ({ versions }: InFlight): Hash[] => versions.map(({ hash }) => hash);
    const known = await this.each.knownOf(transactions.flatMap(hashesOf));
    for (const transaction of transactions)
      if (hashesOf(transaction).some((hash) => known.has(hash))) this.accepted(transaction);
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

function microseconds(ms: number): number {
  return Math.min(Math.round(ms * 1_000), MOST_MICROSECONDS);
}

function submitted({ executionId, hash, nonce, accepted }: InFlight): Submission {
  return { kind: 'submitted', executionId, hash, nonce, accepted };
}

/** No endpoint could be asked: the transaction stays in flight. */
function unansweredIfRetry(error: unknown): SendOutcome {
  if (error instanceof RetryError) return { kind: 'unknown', detail: error.message };
  throw error;
}
