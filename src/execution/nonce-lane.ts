import { RetryError } from '../domain/errors.js';
import { SerialQueue } from '../domain/serial-queue.js';

/** The right to one nonce, held while the lane runs one intent. */
export interface NonceLease {
  /** Chosen when it is first read, because the work may {@link NonceLane.hold} nonces before that. */
  readonly nonce: number;
  /**
   * The signed intent is durable: from now on the nonce is its own. To be called right after its row is
   * committed.
   */
  keep(): void;
  /**
   * The row says that the intent was dropped and never reached the chain: the nonce may serve another intent.
   */
  giveBack(): void;
}

/**
 * The nonces of one (chain, sender). Intents run one after the other. Each gets the lowest nonce that no
 * durable row holds. When its work fails before {@link NonceLease.keep}, the next intent gets the same nonce.
 */
export class NonceLane {
  readonly #queue = new SerialQueue();
  /** The lowest nonce that neither the chain nor a row has used. */
  #next: number | undefined;
  /**
   * Nonces below #next that no row holds any more: ascending, used first, because all later ones wait for
   * them.
   */
  #free: number[] = [];

  /**
   * @param chainCount the sender's transaction count at the latest block.
   * @param pending nonces of rows whose transaction may still be mined.
   */
  start(chainCount: number, pending: readonly number[]): void {
    const next = Math.max(chainCount, ...pending.map((nonce) => nonce + 1));
    const held = new Set(pending);
    this.#next = next;
    this.#free = Array.from({ length: next - chainCount }, (_, index) => chainCount + index).filter(
      (nonce) => !held.has(nonce),
    );
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
    const next = this.#next ?? nonce;
    for (let gap = next; gap < nonce; gap++) this.giveBack(gap);
    this.#free = this.#free.filter((free) => free !== nonce);
    this.#next = Math.max(next, nonce + 1);
  }

  /** The intent that held this nonce can no longer reach the chain, and its row says so. */
  giveBack(nonce: number): void {
    if (this.#free.includes(nonce)) return;
    this.#free = [...this.#free, nonce].sort((a, b) => a - b);
  }

  /**
   * Compares the chain's count with ours. After a surprise the lane goes on from the chain's count, so that
   * the operator has to do no more than resume.
   *
   * @returns how many transactions of this key no row of ours holds: 0 when all is well.
   */
  foreignTransactions(chainCount: number): number {
    if (this.#next === undefined) return 0;
    const beyond = Math.max(0, chainCount - this.#next);
    const inGaps = this.#free.filter((nonce) => nonce < chainCount).length;
    this.#next += beyond;
    this.#free = this.#free.filter((nonce) => nonce >= chainCount);
    return beyond + inGaps;
  }

  #lease(): NonceLease {
    const next = this.#next;
    if (next === undefined) throw new RetryError('the nonce is not known yet: execution has not started');
    let chosen: number | undefined;
    const nonce = (): number => (chosen ??= this.#free[0] ?? this.#next ?? next);
    return {
      get nonce() {
        return nonce();
      },
      keep: () => this.hold(nonce()),
      giveBack: () => this.giveBack(nonce()),
    };
  }
}
