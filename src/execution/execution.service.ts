import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import type { ExecutionMode, ExecutionsRepository } from '../database/index.js';
import { rejected, type Rejection, type RejectionReason } from '../domain/decision.js';
import { HaltError, messageOf, RetryError } from '../domain/errors.js';
import type { Address, Hash } from '../domain/hex.js';
import type { LiquidationPlan, TransactionCall } from '../domain/plan.js';
import type { Chain } from '../rpc/chain/chain.js';
import {
  InsufficientFunds,
  NonceTooLow,
  ReplacementUnderpriced,
  type RpcAnswerError,
} from '../rpc/rpc-errors.js';
import type { SafetyController } from '../safety/index.js';
import type { InFlight, Reopening, Settlement } from './in-flight.js';
import type { Ledger } from './ledger.js';
import type { NonceLane, NonceLease } from './nonce-lane.js';
import type { SecondEndpoint } from './second-endpoint.js';
import { LATE_NODE_MS, type Settler, type SettlingHead } from './settler.js';
import type { SignedTransaction, Signer } from './signer.js';

/** What came of {@link ExecutionService.submit}. */
export type Submission =
  /** It is durable and was handed to the nodes. Whether it is mined, and what it brought, {@link ExecutionService.settle} says. */
  | {
      readonly kind: 'submitted';
      readonly hash: Hash;
      readonly nonce: number;
      /** Microseconds from the head's arrival to the hand-over. */
      readonly headToSendUs: number;
      /** A node has confirmed that it has it. Otherwise it is handed over again until its fate is known. */
      readonly accepted: boolean;
    }
  | { readonly kind: 'dry-run' }
  /** Nothing was sent. */
  | Rejection
  /** Signed, but refused by every node; also reported by the next settle. */
  | { readonly kind: 'dropped'; readonly hash: Hash; readonly reason: string };

export interface ExecutionParts {
  readonly signer: Signer;
  readonly lane: NonceLane;
  readonly ledger: Ledger;
  readonly settler: Settler;
  /** Undefined: plans are signed on the word of the endpoint that simulated them. */
  readonly secondEndpoint: SecondEndpoint | undefined;
}

const DRAIN_POLL_MS = 100;

/**
 * From an authorised plan to its outcome. Every intent goes through the same gate, one at a time: hear a second endpoint,
 * authorise, sign, make durable, look at the brake once more, hand over.
 */
@Injectable()
export class ExecutionService {
  private readonly logger = new Logger(ExecutionService.name);
  private readonly submitting = new Set<Address>();
  private reports: (Settlement | Reopening)[] = [];
  private stepping: Promise<unknown> = Promise.resolve();
  /** A row may exist that the ledger does not know: the answer to its write was lost. */
  private rowsUnknown = false;
  private draining = false;
  private countTooLowSinceMs: number | undefined;

  constructor(
    private readonly parts: ExecutionParts,
    private readonly chain: Chain,
    private readonly executions: ExecutionsRepository,
    private readonly safety: SafetyController,
    private readonly mode: ExecutionMode,
  ) {}

  /** The account that signs. */
  get operator(): Address {
    return this.parts.signer.address;
  }

  /** Of the account that signs, at the last look: wei. */
  get operatorBalanceWei(): bigint {
    return this.parts.settler.operatorBalanceWei;
  }

  /** Borrowers for whom a transaction is being made or is on its way. */
  inFlight(): ReadonlySet<Address> {
    return new Set([...this.submitting, ...this.parts.ledger.all.map(({ terms }) => terms.borrower)]);
  }

  /** The calls that a state at the head last settled does not show yet, in the order of their nonces. */
  pendingCalls(): readonly TransactionCall[] {
    return this.parts.settler.pending.map(({ call }) => call);
  }

  /**
   * Takes up what an earlier process left: reopens what a reorg has unsettled since, settles what was mined and hands
   * everything else to the nodes again, byte for byte (not while HALTED). To be called before the first {@link submit}; may be called again after an error.
   *
   * @throws RetryError when chain or database could not be asked; HaltError when the rows contradict the chain.
   */
  async recover(): Promise<void> {
    const { ledger, lane, settler } = this.parts;
    await ledger.load();
    const [block, { transactionCount }] = await Promise.all([this.chain.getBlock('latest'), settler.look()]);
    await settler.takeBackEarlier(block, this.report);
    this.checkHistory(transactionCount, await ledger.highestMinedNonce());
    lane.start(
      transactionCount,
      ledger.all.map(({ nonce }) => nonce),
    );
    await this.step(block);
    await this.executions.rejectInterrupted('interrupted' satisfies RejectionReason);
  }

  /**
   * Carries out a plan whose row is in status `planned`.
   *
   * @param headReceivedAtMs when the head of the plan arrived: performance.now() milliseconds.
   * @throws RetryError when the database is away (nothing was broadcast) or the bot is stopping.
   * @throws HaltError when someone else uses our key; the bot is HALTED then.
   */
  async submit(plan: LiquidationPlan, executionId: string, headReceivedAtMs: number): Promise<Submission> {
    if (this.draining) throw new RetryError('the bot is stopping: nothing more is sent');
    if (this.inFlight().has(plan.borrower)) return this.reject(executionId, rejected('in-flight'));
    this.submitting.add(plan.borrower);
    try {
      return await this.parts.lane.take((lease) => this.carryOut(lease, plan, executionId, headReceivedAtMs));
    } catch (error) {
      // Before the next intent gets its turn, and not only when the loop hears of it.
      if (error instanceof HaltError) await this.safety.halt(error.message, 'chimera');
      throw error;
    } finally {
      this.submitting.delete(plan.borrower);
    }
  }

  /**
   * One look at everything in flight; refreshes the operator's balance.
   *
   * @param takenBack blocks that the chain has taken back: what they had settled counts as in flight from this call on,
   *   whether or not it returns.
   * @returns what came to its end, or was reopened, since the last call that returned.
   * @throws RetryError when chain or database could not be asked; HaltError when someone else uses our key.
   */
  async settle(
    head: SettlingHead,
    takenBack: readonly Hash[] = [],
  ): Promise<readonly (Settlement | Reopening)[]> {
    this.parts.settler.takeBack(takenBack, head);
    if (this.rowsUnknown) await this.parts.lane.take(() => this.findRows());
    await this.step(head);
    const reports = this.reports;
    this.reports = [];
    return reports;
  }

  /**
   * For the shut-down: takes no more work and follows what is in flight until it is settled or the time is over. What is
   * left then is taken up by {@link recover} of the next process.
   *
   * @returns what came to its end.
   */
  async drain(timeoutMs: number): Promise<readonly (Settlement | Reopening)[]> {
    this.draining = true;
    const { ledger, lane } = this.parts;
    const end = performance.now() + timeoutMs;
    await lane.idle();
    await ledger.saved();
    while (ledger.size > 0 && performance.now() < end) {
      try {
        await this.step(await this.chain.getBlock('latest'));
      } catch (error) {
        this.logger.warn(`while waiting for transactions in flight: ${messageOf(error)}`);
      }
      if (ledger.size > 0) await sleep(DRAIN_POLL_MS);
    }
    if (ledger.size > 0)
      this.logger.warn(`${ledger.size} transactions are still on their way; the next start settles them`);
    return this.reports.splice(0);
  }

  private async carryOut(
    lease: NonceLease,
    plan: LiquidationPlan,
    executionId: string,
    headReceivedAtMs: number,
  ): Promise<Submission> {
    const { signer, ledger, secondEndpoint } = this.parts;
    if (this.rowsUnknown) await this.findRows();
    const rejection =
      this.refusalOf(plan) ?? // first, because what would not be sent need not be asked about
      (await secondEndpoint?.objectionTo(plan, this.pendingCalls())) ??
      this.refusalOf(plan);
    if (rejection) return this.reject(executionId, rejection);
    if (this.mode === 'dry-run') {
      await this.executions.settle(executionId, { status: 'dry-run' });
      return { kind: 'dry-run' };
    }
    // No await between the authorisation and the signature: nothing changes in between.
    const signed = signer.sign(plan.call, lease.nonce);
    const transaction = await this.record(plan, executionId, signed);
    lease.keep();
    if (this.safety.isHalted) {
      // It has not left this process. If that cannot be saved it stays in flight, unsent as long as HALTED holds.
      await this.unlessAway(async () => {
        await ledger.withdraw(transaction, 'halted');
        lease.giveBack();
      });
      return rejected('halted');
    }
    return this.handOver(transaction, lease, plan.block.number, headReceivedAtMs);
  }

  /** What the safety controller has against it now. */
  private refusalOf({ notionalUsd8 }: LiquidationPlan): Rejection | undefined {
    const { ledger, settler } = this.parts;
    const authorisation = this.safety.authorise(notionalUsd8, {
      inFlight: ledger.size,
      operatorBalanceWei: settler.operatorBalanceWei,
    });
    return authorisation.kind === 'rejected' ? authorisation : undefined;
  }

  private async record(
    plan: LiquidationPlan,
    executionId: string,
    signed: SignedTransaction,
  ): Promise<InFlight> {
    try {
      return await this.parts.ledger.record(plan, executionId, signed);
    } catch (error) {
      this.rowsUnknown = true;
      throw error;
    }
  }

  private async handOver(
    transaction: InFlight,
    lease: NonceLease,
    headNumber: number,
    headReceivedAtMs: number,
  ): Promise<Submission> {
    const { raw, hash } = transaction;
    transaction.sentAtBlock = headNumber;
    transaction.headToSendUs = microsecondsSince(headReceivedAtMs);
    const outcome = await this.chain.sendRawTransaction(raw, hash).catch(unknownOutcome);
    switch (outcome.kind) {
      case 'accepted':
        this.parts.ledger.accepted(transaction);
        return submitted(transaction);
      case 'unknown':
        this.logger.warn(`${hash} was sent, unanswered: ${outcome.detail}`);
        return submitted(transaction);
      case 'refused':
        return this.refused(transaction, lease, outcome.error);
    }
  }

  /**
   * Every node said no to a transaction that none of them had before. So it can never be mined, and its nonce goes to
   * the next intent; else every later one would wait for it for ever. When that cannot be saved, the transaction stays
   * in flight, and is handed over again until it is mined or past its deadline.
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
    if (error instanceof InsufficientFunds)
      await this.safety.halt(`the operator wallet cannot pay for a transaction: ${error.reason}`, 'chimera');
    // Counted, because the same plan would be refused again on every block.
    else await this.safety.recordFailure(reason);
    const dropped = await this.unlessAway(async () => {
      this.reports.push(await this.parts.ledger.drop(transaction, 'failed', reason));
      lease.giveBack();
    });
    return dropped ? { kind: 'dropped', hash, reason } : submitted(transaction);
  }

  /**
   * The nonce was never ours to others, so another transaction with it, waiting or mined, is not ours (F23), unless the
   * nodes speak of this very one: mined a moment ago, after an endpoint took it without telling us.
   */
  private async nonceTaken(transaction: InFlight, error: RpcAnswerError): Promise<Submission> {
    if (await this.mayBeMined(transaction)) return submitted(transaction);
    const halt = await this.parts.settler.foreign(1);
    await this.unlessAway(async () => {
      const reason = `its nonce was used by another transaction: ${error.reason}`;
      this.reports.push(await this.parts.ledger.drop(transaction, 'failed', reason));
    });
    throw halt;
  }

  /** Whether its receipt is there, or could not be asked for. */
  private async mayBeMined(transaction: InFlight): Promise<boolean> {
    try {
      const receipt = await this.chain.getTransactionReceipt(transaction.hash);
      if (receipt) this.parts.ledger.accepted(transaction);
      return receipt !== undefined;
    } catch (error) {
      if (error instanceof RetryError) return true;
      throw error;
    }
  }

  private async reject(executionId: string, rejection: Rejection): Promise<Rejection> {
    await this.executions.settle(executionId, { status: 'rejected', reason: rejection.reason });
    return rejection;
  }

  /** Takes up a row whose write seemed to have failed. */
  private async findRows(): Promise<void> {
    const { ledger, lane } = this.parts;
    for (const { nonce } of await ledger.load()) lane.hold(nonce);
    await this.safety.reloadVolume();
    this.rowsUnknown = false;
  }

  private checkHistory(chainCount: number, highestMined = -1): void {
    if (chainCount > highestMined) {
      this.countTooLowSinceMs = undefined;
      return;
    }
    const nowMs = performance.now();
    this.countTooLowSinceMs ??= nowMs;
    const found = `the database holds a mined transaction with nonce ${highestMined}, but the chain counts only ${chainCount} of ${this.operator}`;
    if (nowMs - this.countTooLowSinceMs < LATE_NODE_MS)
      throw new RetryError(`${found}: waiting for the node`);
    throw new HaltError(`${found}: it is another chain, or one that was reset`);
  }

  private readonly report = (news: Settlement | Reopening): void => void this.reports.push(news);

  /** One step at a time. */
  private step(head: SettlingHead): Promise<void> {
    const result = this.stepping.then(() => this.parts.settler.step(head, this.report));
    this.stepping = result.catch(() => undefined);
    return result;
  }

  /** @returns whether it was done; not while the database is away. */
  private async unlessAway(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof RetryError)) throw error;
      this.logger.warn(error.message);
      return false;
    }
  }
}

/** The largest value of the column; nothing waits for half an hour. */
const MOST_MICROSECONDS = 2 ** 31 - 1;

function microsecondsSince(startMs: number): number {
  return Math.min(Math.max(Math.round((performance.now() - startMs) * 1_000), 0), MOST_MICROSECONDS);
}

function submitted({ hash, nonce, headToSendUs = 0, accepted }: InFlight): Submission {
  return { kind: 'submitted', hash, nonce, headToSendUs, accepted };
}

/** No endpoint could be asked. */
function unknownOutcome(error: unknown): { readonly kind: 'unknown'; readonly detail: string } {
  if (error instanceof RetryError) return { kind: 'unknown', detail: error.message };
  throw error;
}
