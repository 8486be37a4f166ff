import { chainDescription, secondsInBlocks } from '../domain/chain-description.js';
import type { Clock } from '../domain/clock.js';
import { nativeUsd8 } from '../domain/costs.js';
import { errorFrom, worstFirst } from '../domain/errors.js';
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
 * up to the second number. Seconds, by the clock and by blocks: blocks that come faster than usual say
 * nothing of nodes, and while none come nothing could be mined.
 */
const AGAIN_AFTER_SECONDS = 4;
const LONGEST_DISTANCE_SECONDS = 64;
/** Of these seconds so much has to pass by the clock, because heads do not come evenly. */
const BY_CLOCK = 0.75;
/**
 * The gas of calls that are proved together. By default nodes spend 50M on one question, and what lies beyond
 * it waits for those before it anyway.
 */
const MOST_PROVED_GAS = 48_000_000n;
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

/** What would be signed at higher fees, by the transaction that it replaces. */
type RaisedCalls = ReadonlyMap<InFlight, TransactionCall>;

/** What is known of a transaction that is due. */
interface Ahead {
  readonly proof: Proof;
  /** The chain takes its nonce now. */
  readonly isNext: boolean;
  readonly raised: TransactionCall | undefined;
}

/** One look at what is not mined. */
interface Look {
  readonly head: SettlingHead;
  /** Of the newest block, asked once. Wei. */
  readonly baseFeePerGas: () => Promise<bigint>;
}

/**
 * Goes on with transactions that are not mined. Whatever is handed over again is simulated before: what would
 * revert now frees its nonce by a cancellation. What no block takes is offered at higher fees, as long as
 * its profit pays for them, and then given up. While HALTED it does nothing: a cancellation is a signature.
 */
export class Pursuit {
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
  ) {}

  /**
   * @param waiting what is in flight without a receipt, and whose nonce is not used, by ascending nonce.
   * @param nextNonce the lowest nonce that the chain takes now.
   * @throws RetryError when the chain or the database could not be asked.
   */
  async goOn(waiting: readonly InFlight[], head: SettlingHead, nextNonce: number): Promise<void> {
    const kept: InFlight[] = [];
    for (const transaction of waiting) if (!(await this.isLost(transaction, head))) kept.push(transaction);
    if (this.sender.isHalted || !this.wallet.lease.holds) return;
    const look = this.look(head);
    const due = kept.filter((transaction) => this.isDue(transaction, head, nextNonce));
    const last = due.at(-1);
    const raised = await this.raisedCall(due, look, nextNonce);
    const proofs = await this.prove(last ? kept.filter(({ nonce }) => nonce <= last.nonce) : [], raised);
    const again: InFlight[] = [];
    const errors: Error[] = [];
    for (const transaction of due) {
      // What waits behind another one waits for its turn, and not for higher fees.
      const isNext = transaction.nonce === nextNonce;
      const ahead = { proof: proofs.get(transaction) ?? 'unknown', isNext, raised: raised.get(transaction) };
      try {
        const isReady = await this.takeUp(transaction, look, ahead);
        if (isReady) again.push(transaction);
      } catch (error) {
        errors.push(errorFrom(error));
      }
    }
    again.push(...(await this.fillGaps(look)));
    again.sort((one, other) => one.nonce - other.nonce);
    await this.sender.sendAgain(again, head);
    const [worst] = worstFirst(errors);
    if (worst) throw worst;
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

  private look(head: SettlingHead): Look {
    let asked: Promise<bigint> | undefined;
    return {
      head,
      baseFeePerGas: () => (asked ??= this.chain.getBlock('latest').then((block) => block.baseFeePerGas)),
    };
  }

  /**
   * The call with which a transaction that is due may be offered at higher fees: only the one that is next,
   * because what waits behind another one waits for its turn. It is proved as it would be signed.
   */
  private async raisedCall(due: readonly InFlight[], look: Look, nextNonce: number): Promise<RaisedCalls> {
    const next = due.find(({ nonce }) => nonce === nextNonce);
    if (!next || !mayBeRaised(next, look.head)) return new Map();
    const { call } = next;
    return new Map([[next, { ...call, ...raisedFees(call, await look.baseFeePerGas()) }]]);
  }

  /**
   * What each call does at the newest block, after those before it. A cancellation calls nothing. What finds
   * no room in one question has no proof.
   *
   * @param transactions by ascending nonce.
   * @param raised those that are simulated in place of the calls that were sent.
   */
  private async prove(
    transactions: readonly InFlight[],
    raised: RaisedCalls = new Map(),
  ): Promise<ReadonlyMap<InFlight, Proof>> {
    let gas = 0n;
    const calling = transactions.filter(({ kind, call }) => {
      if (kind === 'cancellation') return false;
      gas += call.gasLimit;
      return gas <= MOST_PROVED_GAS;
    });
    const proofs = await this.evidence.each.simulate(
      this.wallet.address,
      calling.map((transaction) => {
        const { to, data, gasLimit } = transaction.call;
        return raised.get(transaction) ?? { to, data, gasLimit };
      }),
    );
    return new Map(calling.map((transaction, index) => [transaction, proofs[index] ?? 'unknown']));
  }

  /** @returns whether it is to be handed over again. */
  private async takeUp(transaction: InFlight, look: Look, ahead: Ahead): Promise<boolean> {
    const { proof, isNext, raised } = ahead;
    if (transaction.kind === 'cancellation') return this.insist(transaction, look, isNext);
    if (isOver(transaction, look.head))
      return this.cancel(transaction, look, 'it was not mined before its deadline');
    switch (proof) {
      case 'succeeds':
        return raised ? this.bump(transaction, look, raised) : true;
      case 'fails':
        return this.giveUp(transaction, look, 'it would revert now');
      case 'disputed':
      case 'unknown':
        return false; // looked at again at the next head
    }
  }

  /** The same call at higher fees, if what is left of its profit pays for them. */
  private async bump(transaction: InFlight, look: Look, raised: TransactionCall): Promise<boolean> {
    const { call, versions, terms } = transaction;
    if (versions.filter(({ kind }) => kind === 'bump').length >= MOST_BUMPS)
      return this.cancel(transaction, look, `it was not mined after ${MOST_BUMPS} fee bumps`);
    const baseFeePerGas = await look.baseFeePerGas();
    const first = versions[0]?.call ?? call;
    const extraWei =
      expectedGasWei(terms.gasUsed, raised, baseFeePerGas) -
      expectedGasWei(terms.gasUsed, first, terms.baseFeePerGasWei);
    const netProfitUsd8 = terms.netProfitUsd8 - nativeUsd8(max(0n, extraWei), terms.nativePriceUsd8);
    const pays = netProfitUsd8 >= this.settings.minProfitUsd8;
    if (pays && !this.settings.versions.refusalOf(transaction, raised))
      return this.replace(transaction, 'bump', raised, 'it was not mined');
    // At its present fees it may still be mined, unless the base fee has risen above them.
    if (call.maxFeePerGas >= baseFeePerGas) return true;
    return this.cancel(
      transaction,
      look,
      pays
        ? 'the limits of fees do not allow what is mined now'
        : 'fees that are mined now would take its profit below the floor',
    );
  }

  /** A transaction that never left this process, and for which none waits, needs no cancellation. */
  private async giveUp(transaction: InFlight, look: Look, reason: string): Promise<boolean> {
    const { nonce, left } = transaction;
    const isLast = this.ledger.all.every((other) => other.nonce <= nonce);
    if (left || !isLast) return this.cancel(transaction, look, reason);
    await this.wallet.lane.take(async () => {
      await this.ledger.drop(transaction, 'failed', { outcome: 'stale', reason });
      this.wallet.lane.giveBack(nonce);
    });
    return false;
  }

  private async cancel(transaction: InFlight, look: Look, reason: string): Promise<boolean> {
    const baseFeePerGas = await look.baseFeePerGas();
    const { transferGas } = chainDescription(this.chain.chainId);
    const call = cancellationOf(transaction.call, baseFeePerGas, this.wallet.address, transferGas);
    return this.replace(transaction, 'cancellation', call, reason);
  }

  /** A cancellation that is not mined: at higher fees, or again. */
  private async insist(transaction: InFlight, look: Look, isNext: boolean): Promise<boolean> {
    const made = transaction.versions.filter(({ kind }) => kind === 'cancellation').length;
    const again = !isNext || transaction.sentAtBlock === undefined || !transaction.accepted;
    if (again || made >= MOST_CANCELLATIONS) return true;
    return this.cancel(transaction, look, transaction.reason ?? 'it was given up');
  }

  /**
   * Signs another version under the same nonce, and makes it durable.
   *
   * @returns whether it may be handed over.
   */
  private async replace(
    transaction: InFlight,
    kind: Exclude<Version['kind'], 'first'>,
    call: TransactionCall,
    reason: string,
  ): Promise<boolean> {
    const { executionId, nonce } = transaction;
    await this.wallet.lane.take(async () => {
      if (this.sender.isHalted || !this.wallet.lease.holds) return;
      const signed = this.wallet.signer.sign(call, nonce);
      await this.settings.versions.add(transaction, signed, { kind, call, reason });
      const { hash } = signed;
      this.events.emit({ event: 'transaction-replaced', executionId, nonce, hash, kind, reason });
    });
    return transaction.kind === kind;
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
  private async fillGaps(look: Look): Promise<readonly InFlight[]> {
    const { lane } = this.wallet;
    const gaps = lane.gapsBelow(this.ledger.all.map(({ nonce }) => nonce));
    for (const nonce of this.gapSinceMs.keys()) if (!gaps.includes(nonce)) this.gapSinceMs.delete(nonce);
    const nowMs = this.settings.clock.monotonicMs();
    const filled: InFlight[] = [];
    for (const nonce of gaps) {
      const sinceMs = this.gapSinceMs.get(nonce) ?? nowMs;
      this.gapSinceMs.set(nonce, sinceMs);
      if (nowMs - sinceMs < GAP_SECONDS * 1_000) continue;
      const transaction = await lane.take(() => this.settings.drops.reviveNonce(nonce));
      if (!transaction) continue;
      if (await this.cancel(transaction, look, 'later transactions wait for its nonce'))
        filled.push(transaction);
    }
    return filled;
  }

  private isDue(transaction: InFlight, head: SettlingHead, nextNonce: number): boolean {
    const { sentAtBlock, sentAtMs, resent, waitsForTurn, nonce } = transaction;
    if (waitsForTurn) return nonce === nextNonce;
    if (sentAtBlock === undefined || sentAtMs === undefined) return true;
    // A plan past its deadline is given up at once, but only once.
    if (isOver(transaction, head) && transaction.kind !== 'cancellation') return true;
    const times = 2 ** resent;
    const seconds = Math.min(AGAIN_AFTER_SECONDS * times, LONGEST_DISTANCE_SECONDS);
    const blocks = secondsInBlocks(seconds, this.chain.blockTime);
    const passedMs = this.settings.clock.monotonicMs() - sentAtMs;
    return head.number - sentAtBlock >= blocks && passedMs >= seconds * 1_000 * BY_CLOCK;
  }
}

function isOver({ terms }: InFlight, head: SettlingHead): boolean {
  return head.timestamp > terms.deadline;
}

function mayBeRaised(transaction: InFlight, head: SettlingHead): boolean {
  const { kind, sentAtBlock, accepted } = transaction;
  return kind !== 'cancellation' && sentAtBlock !== undefined && accepted && !isOver(transaction, head);
}
