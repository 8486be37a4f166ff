import type { Clock } from '../domain/clock.js';
import { RetryError } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import type { Hash } from '../domain/hex.js';
import type { Receipt } from '../rpc/chain/chain-answers.js';
import type { AccountView, ChainReads } from './chain-reads.js';
import { CountEvidence, type CountBelief } from './count-evidence.js';
import type { EachEndpoint } from './each-endpoint.js';
import type { InFlight } from './in-flight.js';
import type { Wallet } from './wallet.js';

/**
 * A nonce that is used and a receipt that is missing prove nothing before this time: receipts come later than
 * the count at some providers, and behind one address there are many nodes.
 */
const ABSENCE_SECONDS = 12;
/**
 * For so long a receipt of one endpoint waits for another endpoint that does not answer at all. One that
 * contradicts is waited for without a limit.
 */
const SILENCE_SECONDS = 60;
/** At the start, endpoints may count differently for so long, as a late node does. */
const LATE_NODE_SECONDS = 10;

/**
 * What is believed of the wallet's transactions. Absence is no proof, and one answer is none: it is looked
 * again, at every endpoint, over seconds.
 */
export class Evidence {
  private readonly counts: CountEvidence;
  private readonly unheardSinceMs = new Map<Hash, number>();
  private readonly disputed = new Set<Hash>();
  private countsDifferSinceMs: number | undefined;

  constructor(
    private readonly reads: ChainReads,
    readonly each: EachEndpoint,
    private readonly wallet: Wallet,
    private readonly events: Events,
    private readonly clock: Clock,
  ) {
    this.counts = new CountEvidence(each, wallet, events, clock);
  }

  /** The account at the latest block, with these receipts, from one endpoint. @throws RetryError */
  async look(hashes: readonly Hash[]): Promise<AccountView> {
    const view = await this.reads.account(this.wallet.address, hashes);
    this.wallet.balanceWei = view.balanceWei;
    return view;
  }

  /** An account whose code is gone may have many transactions in flight again. */
  async lookForCode(): Promise<void> {
    if (!this.wallet.oneAtATime) return;
    const codes = await this.each.codes(this.wallet.address);
    if (codes.length > 0 && codes.every((code) => code === '0x')) this.wallet.oneAtATime = false;
  }

  /** As {@link CountEvidence.weigh}. */
  weigh(count: number, contradicts: boolean): Promise<CountBelief> {
    return this.counts.weigh(count, contradicts);
  }

  /**
   * The count to start from. Every endpoint is asked, or the only one once more.
   *
   * @param explained the count up to which rows explain a difference.
   * @throws RetryError while they differ, for some seconds. After that the lowest counts, because a nonce
   *   that is too low is refused, and one that is too high waits for ever.
   */
  async countAtStart(count: number, explained: number): Promise<CountBelief> {
    const counts = [count, ...(await this.each.counts(this.wallet.address))];
    const belief = { lowest: Math.min(...counts), highest: Math.max(...counts), foreign: 0 };
    const { lowest, highest } = belief;
    if (lowest === highest || highest <= explained) {
      this.countsDifferSinceMs = undefined;
      return belief;
    }
    const nowMs = this.clock.monotonicMs();
    this.countsDifferSinceMs ??= nowMs;
    if (nowMs - this.countsDifferSinceMs >= LATE_NODE_SECONDS * 1_000) return belief;
    throw new RetryError(
      `the endpoints count ${lowest} and ${highest} transactions of ${this.wallet.address}: asking again`,
    );
  }

  /** It has a receipt, or its nonce is not used any more. */
  present(transaction: InFlight): void {
    transaction.absentSinceMs = undefined;
  }

  /**
   * Its nonce is used, and the endpoint that was asked has no receipt of any of its versions.
   *
   * @returns whether that is proved: for some seconds no endpoint has had a receipt, or knew the transaction.
   */
  async isOvertaken(transaction: InFlight): Promise<boolean> {
    const nowMs = this.clock.monotonicMs();
    transaction.absentSinceMs ??= nowMs;
    const hashes = transaction.versions.map(({ hash }) => hash);
    const heard = await Promise.all(hashes.map((hash) => this.each.known(hash)));
    if (heard.some((known) => known.includes(true))) transaction.absentSinceMs = nowMs;
    const asked = heard.every((known) => known.length > 0);
    return asked && nowMs - transaction.absentSinceMs >= ABSENCE_SECONDS * 1_000;
  }

  /**
   * Whether no node has had any version of the transaction for some seconds. To be asked at each look; a look
   * that is left out begins anew.
   */
  isLost(transaction: InFlight, known: boolean): boolean {
    if (known) {
      transaction.lostSinceMs = undefined;
      return false;
    }
    const nowMs = this.clock.monotonicMs();
    transaction.lostSinceMs ??= nowMs;
    return nowMs - transaction.lostSinceMs >= ABSENCE_SECONDS * 1_000;
  }

  /**
   * Whether the books may take the receipt of one endpoint: where there are two, both must say the same. One
   * receipt could otherwise release volume, or book a profit, that the chain does not have.
   */
  async confirms({ executionId }: InFlight, receipt: Receipt): Promise<boolean> {
    if (this.each.configured < 2) return true;
    const hash = receipt.transactionHash;
    const heard = await this.each.receipts(hash);
    const same = heard.filter((other) => other && sameReceipt(other, receipt)).length;
    if (same >= 2) {
      this.forget(hash);
      return true;
    }
    if (heard.length > same) {
      // An endpoint that has no receipt yet is only late.
      if (heard.some((other) => other && !sameReceipt(other, receipt))) this.dispute(executionId, hash);
      return false;
    }
    const nowMs = this.clock.monotonicMs();
    const sinceMs = this.unheardSinceMs.get(hash) ?? nowMs;
    this.unheardSinceMs.set(hash, sinceMs);
    if (nowMs - sinceMs < SILENCE_SECONDS * 1_000) return false;
    this.forget(hash);
    return true;
  }

  private dispute(executionId: string, hash: Hash): void {
    if (this.disputed.has(hash)) return;
    this.disputed.add(hash);
    this.events.emit({ event: 'receipt-disputed', executionId, hash });
  }

  private forget(hash: Hash): void {
    this.disputed.delete(hash);
    this.unheardSinceMs.delete(hash);
  }
}

/** Everything of a receipt that the books hold or decide by. */
function sameReceipt(one: Receipt, other: Receipt): boolean {
  return contentOf(one) === contentOf(other);
}

function contentOf({ status, blockHash, gasUsed, effectiveGasPrice, l1Fee, logs }: Receipt): string {
  const said = logs.map(({ address, topics, data }) => [address, topics, data]);
  return JSON.stringify([status, blockHash, gasUsed, effectiveGasPrice, l1Fee ?? null, said], (_, value) =>
    typeof value === 'bigint' ? String(value) : (value as unknown),
  );
}
