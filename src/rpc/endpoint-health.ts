import type { RpcError } from './rpc-errors.js';
import type { RpcTimings } from './rpc-options.js';

/**
 * - `ok`: may be used;
 * - `circuit-open`: failed several times in a row; left alone, then probed in the background, never by a call that matters;
 * - `paused`: asked us to wait (Retry-After); nothing at all is sent to it;
 * - `out-of-sync`: healthy, but too many blocks behind;
 * - `wrong-chain`: answered another chain id; not used until it answers ours.
 */
export type HealthState = 'ok' | 'circuit-open' | 'paused' | 'out-of-sync' | 'wrong-chain';

/** Whether one endpoint may be used now. Pure: the time is passed in (milliseconds of any monotonic clock). */
export class EndpointHealth {
  #failuresInRow = 0;
  #openUntilMs: number | undefined;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #foreignChainId: number | undefined;
  #outOfSync = false;
  #head: number | undefined;

  constructor(private readonly timings: RpcTimings) {}

  /** The block number of the last probe. */
  get head(): number | undefined {
    return this.#head;
  }

  get foreignChainId(): number | undefined {
    return this.#foreignChainId;
  }

  state(nowMs: number): HealthState {
    if (this.#foreignChainId !== undefined) return 'wrong-chain';
    if (this.pauseLeftMs(nowMs) > 0) return 'paused';
    if (this.#openUntilMs !== undefined) return 'circuit-open';
    return this.#outOfSync ? 'out-of-sync' : 'ok';
  }

  pauseLeftMs(nowMs: number): number {
    return Math.max(0, this.#pausedUntilMs - nowMs);
  }

  /** Whether a background probe may go out: not in a pause, and not while an open circuit rests. */
  mayBeProbed(nowMs: number): boolean {
    return this.pauseLeftMs(nowMs) === 0 && (this.#openUntilMs === undefined || nowMs >= this.#openUntilMs);
  }

  /** An open circuit has rested for long enough: half open, one probe decides. */
  halfOpen(nowMs: number): boolean {
    return this.#openUntilMs !== undefined && this.mayBeProbed(nowMs);
  }

  succeeded(): void {
    this.#failuresInRow = 0;
    this.#openUntilMs = undefined;
  }

  failed(error: RpcError, nowMs: number): void {
    if (error.retryAfterMs !== undefined)
      this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + error.retryAfterMs);
    // A pause is its own remedy, and not to know a block is no fault: neither opens the circuit.
    if (error.kind === 'rate-limit' || error.kind === 'out-of-sync') return;
    this.#failuresInRow++;
    const halfOpenProbeFailed = this.#openUntilMs !== undefined;
    if (halfOpenProbeFailed || this.#failuresInRow >= this.timings.failuresToOpen)
      this.#openUntilMs = nowMs + this.timings.openMs;
  }

  /** What a probe learned: whether it is our chain, and how far it has got. */
  probed(chainId: number, head: number, expectedChainId: number): void {
    this.succeeded();
    this.#head = head;
    this.#foreignChainId = chainId === expectedChainId ? undefined : chainId;
  }

  /** @param bestHead the highest head among the endpoints of this chain at the time of the probe. */
  judgeSync(bestHead: number): void {
    this.#outOfSync = this.#head !== undefined && this.#head < bestHead - this.timings.maxHeadLagBlocks;
  }
}
