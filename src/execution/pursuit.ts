import { chainDescription, secondsInBlocks } from '../domain/chain-description.js';
import type { Clock } from '../domain/clock.js';
import { nativeUsd8 } from '../domain/costs.js';
import type { Events } from '../domain/events/events.js';
import { max } from '../domain/money.js';
import type { TransactionCall } from '../domain/plan.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { Proof } from './each-endpoint.js';
import type { Evidence } from './evidence.js';
import type { InFlight, SettlingHead, Version } from './in-flight.js';
import type { Judge } from './judge.js';
import type { Ledger } from './ledger.js';
import type { RecentDrops } from './recent-drops.js';
import { cancellationOf, expectedGasWei, raisedFees } from './replacement.js';
import type { Sender } from './sender.js';
import type { Versions } from './versions.js';
import type { Wallet } from './wallet.js';

/**
 * A transaction that is not mined so long after its hand-over is taken up again, then at doubling distances
 * up to the second number. Seconds.
 */
const AGAIN_AFTER_SECONDS = 4;
const LONGEST_DISTANCE_SECONDS = 64;
/** Fee bumps of one transaction before it is given up. */
export const MOST_BUMPS = 3;
/** Cancellations of one nonce before the last one is only handed over again. */
const MOST_CANCELLATIONS = 8;
/** A nonce that later ones wait for is left to the next plan for so long; then it is filled. */
const GAP_SECONDS = 30;

export interface PursuitSettings {
  /** USD with 8 decimals: the least profit that a fee bump leaves. */
  readonly minProfitUsd8: bigint;
  readonly clock: Clock;
  readonly drops: RecentDrops;
  readonly judge: Judge;
  readonly versions: Versions;
}

/** How many transactions in flight will be handed over again, and how many nonces freed by a cancellation. */
export interface Prospect {
  readonly sentAgain: number;
  readonly cancelled: number;
}

/**
 * Goes on with transactions that are not mined. Whatever is handed over again is simulated before: what would
 * revert now frees its nonce by a cancellation. What no block takes is offered at higher fees, as long as
 * its profit pays for them, and then given up. While HALTED it does nothing: a cancellation is a signature.
 */
export class Pursuit {
  private readonly againAfterBlocks: number;
  private readonly longestDistanceBlocks: number;
  /** When a gap was seen first, by its nonce. */
  private readonly gapSinceMs = new Map<number, number>();

  constructor(
    private readonly chain: Chain,
    private readonly wallet: Wallet,
    private readonly ledger: Ledger,
    private readonly sender: Sender,
    private readonly evidence: Evidence,
    private readonly events: Events,
    private readonly settings: PursuitSettings,
  ) {
    const description = chainDescription(wallet.chainId);
    this.againAfterBlocks = secondsInBlocks(AGAIN_AFTER_SECONDS, description);
    this.longestDistanceBlocks = secondsInBlocks(LONGEST_DISTANCE_SECONDS, description);
  }

  /**
   * @param waiting what is in flight without a receipt, and whose nonce is not used, by ascending nonce.
   * @param nextNonce the lowest nonce that the chain takes now.
   * @throws RetryError when the chain or the database could not be asked.
   */
  async goOn(waiting: readonly InFlight[], head: SettlingHead, nextNonce: number): Promise<void> {
    const kept: InFlight[] = [];
    for (const transaction of waiting) if (!(await this.isLost(transaction, head))) kept.push(transaction);
    if (this.sender.isHalted || !this.wallet.lease.holds) return;
    const due = kept.filter((transaction) => this.isDue(transaction, head, nextNonce));
    if (due.length > 0) {
      const proofs = await this.prove(kept);
      for (const transaction of due) {
        // What waits behind another one waits for its turn, and not for higher fees.
        const isNext = transaction.nonce === nextNonce;
        await this.takeUp(transaction, head, proofs.get(transaction) ?? 'unknown', isNext);
      }
    }
    await this.fillGaps(head);
  }

  /** What {@link goOn} would do now with everything in flight. Never throws. */
  async prospect(head: SettlingHead): Promise<Prospect> {
    const waiting = this.ledger.all.filter(({ minedIn }) => minedIn === undefined);
    const proofs = await this.prove(waiting);
    const cancelled = waiting.filter(
      (transaction) =>
        transaction.kind === 'cancellation' ||
        isOver(transaction, head) ||
        proofs.get(transaction) === 'fails',
    );
    return { sentAgain: waiting.length - cancelled.length, cancelled: cancelled.length };
  }

  /** What each call does at the newest block, after those before it. A cancellation calls nothing. */
  private async prove(transactions: readonly InFlight[]): Promise<ReadonlyMap<InFlight, Proof>> {
    const calling = transactions.filter(({ kind }) => kind !== 'cancellation');
    const proofs = await this.evidence.each.simulate(
      this.wallet.address,
      calling.map(({ call }) => call),
    );
    return new Map(calling.map((transaction, index) => [transaction, proofs[index] ?? 'unknown']));
  }

  private async takeUp(
    transaction: InFlight,
    head: SettlingHead,
    proof: Proof,
    isNext: boolean,
  ): Promise<void> {
    if (transaction.kind === 'cancellation') return this.insist(transaction, head, isNext);
    if (isOver(transaction, head))
      return this.cancel(transaction, head, 'it was not mined before its deadline');
    switch (proof) {
      case 'succeeds':
        return isNext && transaction.sentAtBlock !== undefined && transaction.accepted
          ? this.bump(transaction, head)
          : this.sender.sendAgain(transaction, head);
      case 'fails':
        return this.giveUp(transaction, head, 'it would revert now');
      case 'disputed':
      case 'unknown':
        return; // looked at again at the next head
    }
  }

  /** The same call at higher fees, if what is left of its profit pays for them. */
  private async bump(transaction: InFlight, head: SettlingHead): Promise<void> {
    const { call, versions, terms } = transaction;
    if (versions.filter(({ kind }) => kind === 'bump').length >= MOST_BUMPS)
      return this.cancel(transaction, head, `it was not mined after ${MOST_BUMPS} fee bumps`);
    const { baseFeePerGas } = await this.chain.getBlock('latest');
    const raised = { ...call, ...raisedFees(call, baseFeePerGas) };
    const first = versions[0]?.call ?? call;
    const extraWei =
      expectedGasWei(terms.gasUsed, raised, baseFeePerGas) -
      expectedGasWei(terms.gasUsed, first, terms.baseFeePerGasWei);
    const netProfitUsd8 = terms.netProfitUsd8 - nativeUsd8(max(0n, extraWei), terms.nativePriceUsd8);
    const pays = netProfitUsd8 >= this.settings.minProfitUsd8;
    if (pays && !this.settings.versions.refusalOf(transaction, raised))
      return this.replace(transaction, head, 'bump', raised, 'it was not mined');
    // At its present fees it may still be mined, unless the base fee has risen above them.
    if (call.maxFeePerGas >= baseFeePerGas) return this.sender.sendAgain(transaction, head);
    return this.cancel(
      transaction,
      head,
      pays
        ? 'the limits of fees do not allow what is mined now'
        : 'fees that are mined now would take its profit below the floor',
    );
  }

  /** A transaction that never left this process, and for which none waits, needs no cancellation. */
  private async giveUp(transaction: InFlight, head: SettlingHead, reason: string): Promise<void> {
    const { nonce, left } = transaction;
    const isLast = this.ledger.all.every((other) => other.nonce <= nonce);
    if (left || !isLast) return this.cancel(transaction, head, reason);
    await this.wallet.lane.take(async () => {
      await this.ledger.drop(transaction, 'failed', { outcome: 'stale', reason });
      this.wallet.lane.giveBack(nonce);
    });
  }

  private async cancel(transaction: InFlight, head: SettlingHead, reason: string): Promise<void> {
    const { baseFeePerGas } = await this.chain.getBlock('latest');
    const call = cancellationOf(transaction.call, baseFeePerGas, this.wallet.address);
    await this.replace(transaction, head, 'cancellation', call, reason);
  }

  /** A cancellation that is not mined: at higher fees, or again. */
  private async insist(transaction: InFlight, head: SettlingHead, isNext: boolean): Promise<void> {
    const made = transaction.versions.filter(({ kind }) => kind === 'cancellation').length;
    const again = !isNext || transaction.sentAtBlock === undefined || !transaction.accepted;
    if (again || made >= MOST_CANCELLATIONS) return this.sender.sendAgain(transaction, head);
    await this.cancel(transaction, head, transaction.reason ?? 'it was given up');
  }

  /** Signs another version under the same nonce. It is durable before it is handed over. */
  private async replace(
    transaction: InFlight,
    head: SettlingHead,
    kind: Exclude<Version['kind'], 'first'>,
    call: TransactionCall,
    reason: string,
  ): Promise<void> {
    const { executionId, nonce } = transaction;
    await this.wallet.lane.take(async () => {
      if (this.sender.isHalted || !this.wallet.lease.holds) return;
      const signed = this.wallet.signer.sign(call, nonce);
      await this.settings.versions.add(transaction, signed, { kind, call, reason });
      const { hash } = signed;
      this.events.emit({ event: 'transaction-replaced', executionId, nonce, hash, kind, reason });
    });
    if (transaction.kind === kind && !this.sender.isHalted) await this.sender.sendAgain(transaction, head);
  }

  /**
   * After its deadline the contract refuses the plan, so that mining it would only cost gas. When no node has
   * had any version of it for some seconds, it is dropped, and its nonce serves another intent, unless later
   * ones wait for it.
   *
   * @returns whether it was dropped, or will be if no node has it for longer.
   */
  private async isLost(transaction: InFlight, head: SettlingHead): Promise<boolean> {
    const { nonce } = transaction;
    if (!isOver(transaction, head) || this.ledger.all.some((other) => other.nonce > nonce)) return false;
    const known = await this.sender.mayStillArrive(transaction);
    const isProved = this.evidence.isLost(transaction, known);
    if (!isProved) return !known;
    const verdict = await this.settings.judge.ofDeadline(transaction, head.number);
    await this.wallet.lane.take(async () => {
      await this.ledger.drop(transaction, 'dropped', verdict);
      this.wallet.lane.giveBack(nonce);
    });
    return true;
  }

  /** F22: a nonce of no row, for which later ones wait, and which no plan has taken for some seconds. */
  private async fillGaps(head: SettlingHead): Promise<void> {
    const { lane } = this.wallet;
    const gaps = lane.gapsBelow(this.ledger.all.map(({ nonce }) => nonce));
    for (const nonce of this.gapSinceMs.keys()) if (!gaps.includes(nonce)) this.gapSinceMs.delete(nonce);
    const nowMs = this.settings.clock.monotonicMs();
    for (const nonce of gaps) {
      const sinceMs = this.gapSinceMs.get(nonce) ?? nowMs;
      this.gapSinceMs.set(nonce, sinceMs);
      if (nowMs - sinceMs < GAP_SECONDS * 1_000) continue;
      const transaction = await lane.take(() => this.settings.drops.reviveNonce(nonce));
      if (transaction) await this.cancel(transaction, head, 'later transactions wait for its nonce');
    }
  }

  private isDue(transaction: InFlight, head: SettlingHead, nextNonce: number): boolean {
    const { sentAtBlock, resent, waitsForTurn, nonce } = transaction;
    if (waitsForTurn) return nonce === nextNonce;
    if (sentAtBlock === undefined) return true;
    // A plan past its deadline is given up at once, but only once.
    if (isOver(transaction, head) && transaction.kind !== 'cancellation') return true;
    const distance = Math.min(this.againAfterBlocks * 2 ** resent, this.longestDistanceBlocks);
    return head.number - sentAtBlock >= distance;
  }
}

function isOver({ terms }: InFlight, head: SettlingHead): boolean {
  return head.timestamp > terms.deadline;
}
