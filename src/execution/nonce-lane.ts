import { RetryError } from '../domain/errors.js';
import { SerialQueue } from '../domain/serial-queue.js';

/** The right to the next nonces, held while the lane runs one piece of work. */
export interface NonceLease {
  /** The lowest nonces that no durable row holds, ascending. They are not taken before {@link keep}. */
  next(count: number): readonly number[];
  /**
   * The signed intents are durable: from now on these nonces are their own. To be called right after their
   * rows are committed.
   */
  keep(nonces: readonly number[]): void;
  /**
   * The row says that the intent was dropped and never reached the chain: the nonce may serve another intent.
   */
  giveBack(nonce: number): void;
}

/**
 * The nonces of one (chain, sender). Work runs one after the other. It gets the lowest nonces that no durable
 * row holds. When it fails before {@link NonceLease.keep}, the next work gets the same nonces.
 */
export class NonceLane {
  readonly #queue = new SerialQueue();
  /** How many transactions the chain counts, as far as that is believed. Undefined before the start. */
  #count: number | undefined;
  /** The nonce after the highest that a row holds or held. */
  #afterRows = 0;
  /**
   * Nonces below those that rows hold which no row holds any more: ascending, used first, because all later
   * ones wait for them.
   */
  #free: number[] = [];
  #inQuestion = false;

  /**
   * @param chainCount the sender's transaction count at the latest block.
   * @param pending nonces of rows whose transaction may still be mined.
   * @param highestMined the highest nonce of a mined row; -1 when there is none.
   */
  start(chainCount: number, pending: readonly number[], highestMined = -1): void {
    const next = Math.max(chainCount, ...pending.map((nonce) => nonce + 1));
    const held = new Set(pending);
    this.#count = chainCount;
    this.#afterRows = Math.max(highestMined + 1, ...pending.map((nonce) => nonce + 1));
    this.#free = Array.from({ length: next - chainCount }, (_, index) => chainCount + index).filter(
      (nonce) => !held.has(nonce),
    );
  }

  /** Another process may have used nonces since: nothing is given out before the next {@link start}. */
  forget(): void {
    this.#count = undefined;
    this.#free = [];
    this.#inQuestion = false;
  }

  /**
   * Runs `work` when all earlier work has ended.
   *
   * @throws RetryError before {@link start}; else what `work` throws.
   */
  take<T>(work: (lease: NonceLease) => Promise<T>): Promise<T> {
    return this.#queue.run(() => work(this.#lease()));
  }

  /** Resolves when all work taken up so far has ended. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  /** A durable row holds this nonce. The nonces between it and those in use are free. */
  hold(nonce: number): void {
    for (let gap = this.#next ?? nonce; gap < nonce; gap++) this.giveBack(gap);
    this.#free = this.#free.filter((free) => free !== nonce);
    this.#afterRows = Math.max(this.#afterRows, nonce + 1);
  }

  /** The intent that held this nonce can no longer reach the chain, and its row says so. */
  giveBack(nonce: number): void {
    if (this.#free.includes(nonce)) return;
    this.#free = [...this.#free, nonce].sort((a, b) => a - b);
  }

  /** The nonces that no row holds and for which a nonce of this list waits. */
  gapsBelow(nonces: readonly number[]): readonly number[] {
    const highest = Math.max(-1, ...nonces);
    return this.#free.filter((nonce) => nonce < highest);
  }

  /** Whether our rows explain that the chain counts so many transactions. */
  explains(chainCount: number): boolean {
    const next = this.#next;
    if (next === undefined) return true;
    if (chainCount > next || this.#free.some((nonce) => nonce < chainCount)) return false;
    // Fewer than were counted before, and no row of ours was among those that are missing.
    return chainCount >= Math.min(this.#count ?? 0, next) || chainCount < this.#afterRows;
  }

  /**
   * Goes on from the chain's count, which is proved. So the operator has to do no more than resume after a
   * surprise.
   *
   * @returns how many transactions of this key no row of ours holds.
   */
  adopt(chainCount: number): number {
    const next = this.#next;
    if (next === undefined) return 0;
    const beyond = Math.max(0, chainCount - next);
    const inGaps = this.#free.filter((nonce) => nonce < chainCount).length;
    this.#count = chainCount;
    this.#free = this.#free.filter((nonce) => nonce >= chainCount);
    return beyond + inGaps;
  }

  /** Whether the chain's count is in question: until it is clear, no new nonce is used. */
  get inQuestion(): boolean {
    return this.#inQuestion;
  }

  question(open: boolean): void {
    this.#inQuestion = open;
  }

  /** The lowest nonce that neither the chain nor a row has used. */
  get #next(): number | undefined {
    return this.#count === undefined ? undefined : Math.max(this.#count, this.#afterRows);
  }

  #lease(): NonceLease {
    if (this.#next === undefined)
      throw new RetryError('the nonce is not known yet: execution has not started');
    return {
      next: (count) => this.#lowest(count),
      keep: (nonces) => nonces.forEach((nonce) => this.hold(nonce)),
      giveBack: (nonce) => this.giveBack(nonce),
    };
  }

  #lowest(count: number): readonly number[] {
    const free = this.#free.slice(0, count);
    const from = this.#next ?? 0;
    return [...free, ...Array.from({ length: count - free.length }, (_, index) => from + index)];
  }
}
