import type { Clock } from '../domain/clock.js';
import type { FeesBesideGas } from '../domain/costs.js';
import { RetryError } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import type { Hash } from '../domain/hex.js';
import type { TransactionCall } from '../domain/plan.js';
import type { Receipt } from '../rpc/chain/chain-answers.js';
import type { AccountView, ChainReads } from './chain-reads.js';
import { CountEvidence, type CountBelief } from './count-evidence.js';
import { EACH_DEADLINE_MS, type EachEndpoint } from './each-endpoint.js';
import type { InFlight, Version } from './in-flight.js';
import { LateAnswers } from './late-answers.js';
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
/** What every transaction uses at least. */
const LEAST_GAS = 21_000n;
/** At the start, endpoints may count differently for so long, as a late node does. */
const LATE_NODE_SECONDS = 10;

/**
 * What is believed of the wallet's transactions. Absence is no proof, and one answer is none: it is looked
 * again, at every endpoint, over seconds.
 */
export class Evidence {
  private readonly counts: CountEvidence;
  private readonly unheardSinceMs = new Map<string, number>();
  private readonly disputed = new Set<Hash>();
  /** What all endpoints say of a transaction, by its hash. */
  private readonly receipts: LateAnswers<readonly (Receipt | undefined)[]>;
  private readonly fees: LateAnswers<readonly FeesBesideGas[]>;
  private countsDifferSinceMs: number | undefined;

  constructor(
    private readonly reads: ChainReads,
    readonly each: EachEndpoint,
    private readonly wallet: Wallet,
    private readonly events: Events,
    private readonly clock: Clock,
  ) {
    this.counts = new CountEvidence(each, wallet, events, clock);
    this.receipts = new LateAnswers(clock);
    this.fees = new LateAnswers(clock);
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
   * Asks all endpoints about these receipts, at once. It waits for the answers, but not for long: one that is
   * late is heard at the next look. To be called before {@link confirms} and {@link feesPaid}. Never throws.
   */
  async hear(mined: readonly { readonly version: Version; readonly receipt: Receipt }[]): Promise<void> {
    if (this.each.configured < 2 || mined.length === 0) return;
    // By blocks: a receipt of a block that an endpoint does not have holds up only those of the same one.
    const byBlock = new Map<Hash, (typeof mined)[number][]>();
    for (const one of mined) {
      const { blockHash } = one.receipt;
      byBlock.set(blockHash, [...(byBlock.get(blockHash) ?? []), one]);
    }
    const answers = [...byBlock.values()].flatMap((group) => {
      const ofHash = new Map(
        group.map(({ version: { raw }, receipt }) => [receipt.transactionHash, { raw, receipt }]),
      );
      const hashes = [...ofHash.keys()];
      return [
        this.receipts.ask(hashes, (asked) => this.each.receipts(asked)),
        this.fees.ask(hashes, (asked) =>
          this.reads.feesPaidEverywhere(asked.flatMap((hash) => ofHash.get(hash) ?? [])),
        ),
      ];
    });
    let cancel = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = this.clock.after(EACH_DEADLINE_MS, resolve);
    });
    await Promise.race([Promise.all(answers), late]);
    cancel();
  }

  /**
   * Whether the books may take the receipt of one endpoint: where there are two, both must say the same. One
   * receipt could otherwise release volume, or book a profit, that the chain does not have.
   */
  confirms({ executionId }: InFlight, { call }: Version, receipt: Receipt): boolean {
    const hash = receipt.transactionHash;
    const heard = this.receipts.take(hash) ?? [];
    if (!isPossible(call, receipt)) {
      this.dispute(executionId, hash);
      return false;
    }
    if (this.each.configured < 2) return true;
    const given = heard.filter((other) => other !== undefined);
    const same = given.filter((other) => sameReceipt(other, receipt)).length;
    if (same < 2 && given.length > same) this.dispute(executionId, hash);
    // An endpoint that has no receipt yet is only late.
    return this.agreed(hash, same, heard.length);
  }

  /**
   * What a mined transaction paid beside its gas. Where there are two endpoints, both must say the same: one
   * could otherwise give back to a budget what was spent.
   *
   * @returns undefined while they do not.
   * @throws RetryError when the only endpoint could not be asked.
   */
  async feesPaid(
    { executionId }: InFlight,
    { raw }: Version,
    receipt: Receipt,
  ): Promise<FeesBesideGas | undefined> {
    if (this.each.configured < 2) return this.reads.feesPaid(receipt, raw);
    const hash = receipt.transactionHash;
    const heard = this.fees.take(hash) ?? [];
    const [first] = heard;
    if (!first) return undefined;
    const { l1Fee, operatorFee } = first;
    const same = heard.filter((other) => other.l1Fee === l1Fee && other.operatorFee === operatorFee);
    if (same.length < heard.length) this.dispute(executionId, hash);
    return this.agreed(`fees of ${hash}`, same.length, heard.length) ? first : undefined;
  }

  /**
   * Whether what was heard of something may be believed: two say the same, or one does, and the other one has
   * been silent for long.
   */
  private agreed(what: string, same: number, heard: number): boolean {
    if (same < 2) {
      if (heard > same) return false;
      const nowMs = this.clock.monotonicMs();
      const sinceMs = this.unheardSinceMs.get(what) ?? nowMs;
      this.unheardSinceMs.set(what, sinceMs);
      if (nowMs - sinceMs < SILENCE_SECONDS * 1_000) return false;
    }
    this.unheardSinceMs.delete(what);
    return true;
  }

  /** The books hold it now. */
  booked(hash: Hash): void {
    this.disputed.delete(hash);
  }

  private dispute(executionId: string, hash: Hash): void {
    if (this.disputed.has(hash)) return;
    this.disputed.add(hash);
    this.events.emit({ event: 'receipt-disputed', executionId, hash });
  }
}

/**
 * Whether the transaction that was signed can have such a receipt: it pays no more than its gas limit and fee
 * allow, its tip at least, and no transaction is free.
 */
function isPossible(
  { gasLimit, maxFeePerGas, maxPriorityFeePerGas }: TransactionCall,
  { gasUsed, effectiveGasPrice: price }: Receipt,
): boolean {
  const isGasPossible = gasUsed >= LEAST_GAS && gasUsed <= gasLimit;
  return isGasPossible && price > 0n && price >= maxPriorityFeePerGas && price <= maxFeePerGas;
}

/** Everything of a receipt that the books hold or decide by. Not every node tells the fee for L1 data. */
function sameReceipt(one: Receipt, other: Receipt): boolean {
  const l1FeesFit = one.l1Fee === undefined || other.l1Fee === undefined || one.l1Fee === other.l1Fee;
  return l1FeesFit && contentOf(one) === contentOf(other);
}

function contentOf(receipt: Receipt): string {
  const { status, blockNumber, blockHash, transactionIndex, gasUsed, effectiveGasPrice, logs } = receipt;
  const place = [blockNumber, blockHash, transactionIndex];
  const said = logs.map(({ address, topics, data }) => [address, topics, data]);
  return JSON.stringify([status, place, String(gasUsed), String(effectiveGasPrice), said]);
}
