import type { RpcError } from '../rpc-errors.js';
import type { RpcTimings } from './rpc-options.js';

/**
 * - `ok`: may be used;
 * - `circuit-open`: failed several times in a row; left alone, then probed in the background, never by a call that matters;
 * - `paused`: asked us to wait (Retry-After); nothing at all is sent to it;
 * - `out-of-sync`: healthy, but too many blocks behind;
 * - `wrong-chain`: answered another chain id; not used until it answers ours.
 */
export type HealthState = 'ok' | 'circuit-open' | 'paused' | 'out-of-sync' | 'wrong-chain';

/** What a health question learned. */
export interface ProbeAnswer {
  readonly chainId: number;
  /** The number of the latest block. */
  readonly head: number;
  /** How long the answer took, in milliseconds. */
  readonly latencyMs: number;
}

/** The weight of one answer in the running rate of failures: it looks back over ten answers or so. */
const ANSWER_WEIGHT = 0.1;
// Above the first an endpoint counts as failing, until it is below the second; what lies in between changes nothing, so that two
// endpoints do not take turns. One that fails every third call is worse than another way around it.
const FAILING_ABOVE = 0.3;
const NOT_FAILING_BELOW = 0.15;
/** The weight of one probe in the running latency: it looks back over five or so, 25 s. */
const PROBE_WEIGHT = 0.2;
// The same for latency, against the fastest of the others: by a factor, and by as much as matters in blocks of 200 ms.
const SLOW = { factor: 3, byMs: 100 } as const;
const NOT_SLOW = { factor: 2, byMs: 50 } as const;

/**
 * Whether one endpoint may be used now, and whether another one is to be preferred. Pure: the time is passed in (milliseconds of
 * any monotonic clock).
 */
export class EndpointHealth {
  #failuresInRow = 0;
  /** Of the calls and probes lately, 0 to 1. */
  #failureRate = 0;
  #failing = false;
  /** Of the probes, because only they ask every endpoint the same. Undefined before the second. */
  #latencyMs: number | undefined;
  #probes = 0;
  #slow = false;
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

  /** Of the probes lately, in milliseconds. */
  get latencyMs(): number | undefined {
    return this.#latencyMs;
  }

  /** It may be used, but another one should be asked first: it fails often, or is far slower. */
  get struggling(): boolean {
    return this.#failing || this.#slow;
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
    this.#count(0);
  }

  failed(error: RpcError, nowMs: number): void {
    if (error.retryAfterMs !== undefined)
      this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + error.retryAfterMs);
    // A pause is its own remedy, and not to know a block is no fault: neither opens the circuit.
    if (error.kind === 'rate-limit' || error.kind === 'out-of-sync') return;
    this.#failuresInRow++;
    const halfOpenProbeFailed = this.#openUntilMs !== undefined;
    // An outage is one failure, however long it lasts: after the first the primary is back with its first answer, after a
    // relapse only when it has answered for a while.
    if (!halfOpenProbeFailed) this.#count(1);
    if (halfOpenProbeFailed || this.#failuresInRow >= this.timings.failuresToOpen)
      this.#openUntilMs = nowMs + this.timings.openMs;
  }

  probed({ chainId, head, latencyMs }: ProbeAnswer, expectedChainId: number): void {
    this.succeeded();
    this.#head = head;
    this.#foreignChainId = chainId === expectedChainId ? undefined : chainId;
    if (this.#probes++ === 0) return; // its time holds name look-up, TCP and TLS
    this.#latencyMs =
      this.#latencyMs === undefined
        ? latencyMs
        : this.#latencyMs + PROBE_WEIGHT * (latencyMs - this.#latencyMs);
  }

  /** @param fastestOtherMs the running latency of the fastest other endpoint; undefined when there is none to compare with. */
  judgeLatency(fastestOtherMs: number | undefined): void {
    if (this.#latencyMs === undefined || fastestOtherMs === undefined) this.#slow = false;
    else {
      const { factor, byMs } = this.#slow ? NOT_SLOW : SLOW;
      this.#slow = this.#latencyMs > fastestOtherMs * factor && this.#latencyMs > fastestOtherMs + byMs;
    }
  }

  /** @param bestHead the highest head among the endpoints of this chain at the time of the probe. */
  judgeSync(bestHead: number): void {
    this.#outOfSync = this.isBehind(bestHead);
  }

  /** Whether the head of its last probe is too far behind this one. */
  isBehind(head: number): boolean {
    return this.#head !== undefined && this.#head < head - this.timings.maxHeadLagBlocks;
  }

  #count(failure: 0 | 1): void {
    this.#failureRate += ANSWER_WEIGHT * (failure - this.#failureRate);
    this.#failing = this.#failureRate > (this.#failing ? NOT_FAILING_BELOW : FAILING_ABOVE);
  }
}
