import { Injectable } from '@nestjs/common';
import type { AtRisk } from '../domain/at-risk.js';
import type { Bidder } from '../domain/bid.js';
import type { Allowance, Spending } from '../domain/budget.js';
import type { Clock } from '../domain/clock.js';
import { RetryError } from '../domain/errors.js';
import type { Address, Hash } from '../domain/hex.js';
import type { PassTrace } from '../domain/pass-trace.js';
import type { LiquidationPlan, TransactionCall } from '../domain/plan.js';
import { SerialQueue } from '../domain/serial-queue.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { FailurePolicy, SafetyController } from '../safety/index.js';
import type { Drain } from './drain.js';
import type { SettlingHead } from './in-flight.js';
import { Leadership } from './leadership.js';
import type { LeaseStatus } from './lease.js';
import type { Ledger } from './ledger.js';
import type { OutcomeStatus } from './outcome-book.js';
import type { Prospect } from './pursuit.js';
import type { Settler } from './settler.js';
import type { Submission } from './submission.js';
import type { Submitter } from './submitter.js';
import type { Wallet } from './wallet.js';

/**
 * From one look at a wallet at rest to the next, at least, in milliseconds. It is a little less than a
 * second: a head that comes early does not make it longer.
 */
const REST_MS = 900;

/**
 * What the loop asks of execution: to carry out plans, and to follow what is in flight. Every outcome, and
 * every outcome that a reorg takes back, is told by an event as soon as its rows are written.
 */
@Injectable()
export class ExecutionService {
  private readonly steps = new SerialQueue();
  private readonly leadership: Leadership;
  private readonly clock: Clock;
  /** When the last look that succeeded began: monotonic milliseconds. */
  private lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly chain: Chain,
    private readonly wallet: Wallet,
    private readonly ledger: Ledger,
    private readonly submitter: Submitter,
    private readonly settler: Settler,
    private readonly drainage: Drain,
    watch: { readonly safety: SafetyController; readonly failures: FailurePolicy; readonly clock: Clock },
  ) {
    const { safety, failures } = watch;
    this.clock = watch.clock;
    this.leadership = new Leadership(wallet.lease, () => this.takeOver(), safety, failures);
  }

  /** The account that signs. */
  get operator(): Address {
    return this.wallet.address;
  }

  /** Of the account that signs, at the last look: wei. */
  get operatorBalanceWei(): bigint {
    return this.wallet.balanceWei;
  }

  /** What became of the transactions so far, and the pace that follows from it. */
  get outcomes(): OutcomeStatus {
    return this.ledger.book.status;
  }

  /** Whether this process may carry out plans. Otherwise it stands by, or is taking over. */
  get leads(): boolean {
    return this.wallet.lease.leads;
  }

  /** Who signs with the wallet. */
  get lease(): LeaseStatus {
    return this.wallet.lease.status;
  }

  /** The keys of the positions for which a transaction is being made or is in flight. */
  inFlight(): ReadonlySet<string> {
    return this.submitter.inFlight();
  }

  /** What one more list of plans may reserve together. Plans that are being carried out have their part. */
  allowance(): Allowance {
    return this.submitter.allowance();
  }

  /**
   * A pass begins, with these positions below 1 or about to be. A dry run sees by it which ones it may count
   * again: {@link DryBook}.
   */
  look(positions: readonly AtRisk[]): void {
    this.submitter.look(positions);
  }

  /** The keys of the positions that a dry run has counted as liquidated, and plans again. Live: none. */
  counted(): ReadonlySet<string> {
    return this.submitter.counted();
  }

  /** The bids of one pass, by what the outcomes so far say. */
  bidder(): Bidder {
    return this.ledger.book.bids.bidder;
  }

  /** What the wallet may spend, what it has spent today, and what may be spent by what is in flight. */
  spending(): Spending {
    const { limits, spentToday: spent } = this.wallet.budget;
    return { limits, spent, reserved: this.ledger.reserved, left: this.ledger.allowance };
  }

  /**
   * The calls that a state at the head last settled does not show yet, in the order of their nonces. Plans
   * that are being carried out are among them.
   */
  pendingCalls(): readonly TransactionCall[] {
    return this.submitter.pendingCalls();
  }

  /**
   * Takes the lease of the wallet if no other process has it. Then it takes up what an earlier process left:
   * reopens what a reorg has unsettled since, settles what was mined, and hands everything else over again,
   * byte for byte (not while HALTED). When another process has the lease, this one stands by. To be called
   * before the first {@link submit}; may be called again after an error.
   *
   * @throws RetryError when chain or database could not be asked; HaltError when the rows contradict the
   *   chain.
   */
  recover(): Promise<void> {
    return this.leadership.attempt();
  }

  /** From now on the lease is renewed, or taken over when it is free, until {@link giveBackLease}. */
  keepLease(): void {
    this.leadership.begin();
  }

  /**
   * Carries out plans, in this order, after those of earlier calls. Those that the gate refuses change
   * nothing for the others. The rows of the others are written together with their transactions, which are
   * then handed over together. A `transaction-sent` event tells that one was. A dry run asks the gate, and
   * counts what it would have sent against the limits of the day.
   *
   * @returns what came of each plan, in the order of the list.
   * @throws RetryError when the database is away (nothing was sent, and it is unknown whether the rows exist)
   *   or the bot is stopping.
   * @throws HaltError when someone else uses our key; the bot is HALTED then.
   */
  submit(plans: readonly LiquidationPlan[], trace: PassTrace): Promise<readonly Submission[]> {
    return this.submitter.submit(plans, trace);
  }

  /** What a resume would do with what is in flight; undefined when the chain could not be asked. */
  async prospect(): Promise<Prospect | undefined> {
    try {
      return await this.settler.prospect(await this.chain.getBlock('latest'));
    } catch (error) {
      if (error instanceof RetryError) return undefined;
      throw error;
    }
  }

  /**
   * Whether {@link settle} has to look at the next head, also when no plan is made there. While something is
   * in flight or in doubt, each head may say what became of it. Otherwise a look finds only what others do
   * with the wallet, and comes once a second: that somebody else uses the key is noticed so much later. After
   * a look that failed, the next head looks.
   */
  get isLookDue(): boolean {
    if (this.clock.monotonicMs() - this.lookedAtMs >= REST_MS) return true;
    return this.leads && (this.ledger.mayMissRows || !this.settler.isAtRest);
  }

  /**
   * One look at everything in flight; refreshes the operator's balance. While this process stands by it does
   * only the latter: another one follows what is in flight.
   *
   * @param takenBack blocks that the chain has taken back: what they had settled counts as in flight from
   *   this call on, whether or not it succeeds.
   * @throws RetryError when chain or database could not be asked; HaltError when someone else uses our key.
   */
  async settle(head: SettlingHead, takenBack: readonly Hash[] = []): Promise<void> {
    // What was left may be of such a block.
    if (takenBack.length > 0) await this.settler.settled();
    await this.lookNow(head, takenBack, false);
  }

  /**
   * As {@link settle}, for a pass, which need not wait for settlements that can only give something back: of
   * transactions that liquidated. They are left to {@link settled}. Until then their positions are in flight,
   * and what they reserved is reserved.
   *
   * @throws as {@link settle}
   */
  follow(head: SettlingHead): Promise<void> {
    return this.lookNow(head, [], true);
  }

  /** Whether {@link follow} has left something that is not settled yet. */
  get hasLeft(): boolean {
    return this.settler.hasLeft;
  }

  /** Settles what {@link follow} left. When that fails, the next look tells why. Never rejects. */
  settled(): Promise<void> {
    return this.settler.settled();
  }

  /**
   * For the shut-down: takes no more work and follows what is in flight until it is settled or the time is
   * over. What is left then is taken up by {@link recover} of the next process. Never throws.
   */
  async drain(timeoutMs: number): Promise<void> {
    await this.submitter.stop();
    await this.drainage.run(async () => this.step(await this.chain.getBlock('latest')), timeoutMs);
  }

  /** The last step of the shut-down: another process need not wait for the lease. Never throws. */
  giveBackLease(): Promise<void> {
    return this.leadership.stop();
  }

  /** Nothing of an earlier epoch is on its way any more when the first write of this one is made. */
  private async takeOver(): Promise<void> {
    await this.wallet.lane.idle();
    await this.steps.run(async () => {
      await this.settler.settled();
      await this.ledger.saved();
      // Once in an epoch: a second attempt remembers what the first one has seen.
      if (this.wallet.lease.open()) this.settler.forget();
      await this.settler.recover(await this.chain.getBlock('latest'));
      this.wallet.lease.ready();
    });
  }

  private async lookNow(head: SettlingHead, takenBack: readonly Hash[], goesOn: boolean): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    this.lookedAtMs = Number.NEGATIVE_INFINITY;
    if (this.leads) await this.lookAt(head, takenBack, goesOn);
    else await this.steps.run(() => this.settler.watch());
    this.lookedAtMs = nowMs;
  }

  private async lookAt(head: SettlingHead, takenBack: readonly Hash[], goesOn: boolean): Promise<void> {
    this.settler.takeBack(takenBack, head);
    if (this.ledger.mayMissRows) await this.wallet.lane.take(() => this.ledger.findMissedRows());
    await this.step(head, goesOn);
  }

  private step(head: SettlingHead, goesOn = false): Promise<void> {
    return this.steps.run(() => this.settler.step(head, goesOn));
  }
}
