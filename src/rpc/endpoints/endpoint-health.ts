import type { RpcError } from '../rpc-errors.js';
import type { RpcTimings } from './rpc-options.js';

/**
 * - `ok`: may be used.
 * - `circuit-open`: it failed several times in a row. It rests, and then a probe in the background tries it
 *   again.
 * - `paused`: it asked us to wait (Retry-After). Nothing is sent to it meanwhile.
 * - `out-of-sync`: it is healthy but too many blocks behind.
 * - `not-believed`: it claims a far higher block than another endpoint, without headers that lead there.
 * - `wrong-chain`: it answered another chain id. It is not used until it answers ours.
 */
export type HealthState = 'ok' | 'circuit-open' | 'paused' | 'out-of-sync' | 'not-believed' | 'wrong-chain';

/** The answer to a probe. */
export interface ProbeAnswer {
  readonly chainId: number;
  /** The number of the latest block. */
  readonly head: number;
  /** How long the answer took, in milliseconds. */
  readonly latencyMs: number;
}

/** The weight of one answer in the running failure rate. The rate covers about the last ten answers. */
const ANSWER_WEIGHT = 0.1;
// An endpoint counts as failing above the first rate, and until the rate is below the second. The gap between
// the two keeps two endpoints from taking turns. An endpoint that fails every third call is worse than a
// detour over another one.
const FAILING_ABOVE = 0.3;
const NOT_FAILING_BELOW = 0.15;
/** The weight of one probe in the running latency. The latency covers about the last five probes, 25 s. */
const PROBE_WEIGHT = 0.2;
// The same for latency, compared with the fastest other endpoint: by a factor, and by a time that matters
// when a block takes 200 ms.
const SLOW = { factor: 3, byMs: 100 } as const;
const NOT_SLOW = { factor: 2, byMs: 50 } as const;

/**
 * Whether one endpoint may be used now, and whether another endpoint is to be preferred. It reads no clock:
 * the time is passed in, in monotonic milliseconds.
 */
export class EndpointHealth {
  #failuresInRow = 0;
  /** Of the latest calls and probes, from 0 to 1. */
  #failureRate = 0;
  #failing = false;
  /** Of probes only, because a probe asks every endpoint the same. Undefined before the second probe. */
  #latencyMs: number | undefined;
  #probes = 0;
  #slow = false;
  #openUntilMs: number | undefined;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #otherChainId: number | undefined;
  #outOfSync = false;
  #notBelieved = false;
  #head: number | undefined;

  constructor(private readonly timings: RpcTimings) {}

  /** The block number of the last probe. */
  get head(): number | undefined {
    return this.#head;
  }

  /** Of the latest probes, in milliseconds. */
  get latencyMs(): number | undefined {
    return this.#latencyMs;
  }

  /** It may be used, but another endpoint should be asked first: it fails often, or it is far slower. */
  get struggling(): boolean {
    return this.#failing || this.#slow;
  }

  get otherChainId(): number | undefined {
    return this.#otherChainId;
  }

  state(nowMs: number): HealthState {
    if (this.#otherChainId !== undefined) return 'wrong-chain';
    if (this.pauseLeftMs(nowMs) > 0) return 'paused';
    if (this.#openUntilMs !== undefined) return 'circuit-open';
    if (this.#notBelieved) return 'not-believed';
    return this.#outOfSync ? 'out-of-sync' : 'ok';
  }

  pauseLeftMs(nowMs: number): number {
    return Math.max(0, this.#pausedUntilMs - nowMs);
  }

  /** Whether it may be probed: not during a pause, and not while its open circuit rests. */
  mayBeProbed(nowMs: number): boolean {
    return this.pauseLeftMs(nowMs) === 0 && (this.#openUntilMs === undefined || nowMs >= this.#openUntilMs);
  }

  /** Its open circuit has rested for long enough. The next probe decides whether it closes. */
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
    // Waiting solves a rate limit; a block that is not known yet, and a question that is not served here, are
    // no faults. None of them opens the circuit.
    if (error.kind === 'rate-limit' || error.kind === 'out-of-sync' || error.kind === 'refused') return;
    this.#failuresInRow++;
    const halfOpenProbeFailed = this.#openUntilMs !== undefined;
    // A whole outage counts as one failure. So the primary is preferred again with its first answer after one
    // outage, but after two outages in a row only when it has answered for a while.
    if (!halfOpenProbeFailed) this.#count(1);
    if (halfOpenProbeFailed || this.#failuresInRow >= this.timings.failuresToOpen)
      this.#openUntilMs = nowMs + this.timings.openMs;
  }

  probed({ chainId, head, latencyMs }: ProbeAnswer, expectedChainId: number): void {
    this.succeeded();
    this.#head = head;
    this.#otherChainId = chainId === expectedChainId ? undefined : chainId;
    if (this.#probes++ === 0) return; // the first one includes name look-up, TCP and TLS
    this.#latencyMs =
      this.#latencyMs === undefined
        ? latencyMs
        : this.#latencyMs + PROBE_WEIGHT * (latencyMs - this.#latencyMs);
  }

  /**
   * @param fastestOtherMs the running latency of the fastest other endpoint; undefined without another one.
   */
  judgeLatency(fastestOtherMs: number | undefined): void {
    if (this.#latencyMs === undefined || fastestOtherMs === undefined) this.#slow = false;
    else {
      const { factor, byMs } = this.#slow ? NOT_SLOW : SLOW;
      this.#slow = this.#latencyMs > fastestOtherMs * factor && this.#latencyMs > fastestOtherMs + byMs;
    }
  }

  /** @param believed whether what it said in its last probe fits what other endpoints show. */
  judgeClaim(believed: boolean): void {
    this.#notBelieved = !believed;
  }

  /** Whether its last claim was refused. */
  get notBelieved(): boolean {
    return this.#notBelieved;
  }

  /** @param bestHead the highest head among the endpoints of this chain at the time of the probe. */
  judgeSync(bestHead: number): void {
    this.#outOfSync = this.isBehind(bestHead);
  }

  /** Whether the head of its last probe is too far behind this block number. */
  isBehind(head: number): boolean {
    return this.#head !== undefined && this.#head < head - this.timings.maxHeadLagBlocks;
  }

  #count(failure: 0 | 1): void {
    this.#failureRate += ANSWER_WEIGHT * (failure - this.#failureRate);
    this.#failing = this.#failureRate > (this.#failing ? NOT_FAILING_BELOW : FAILING_ABOVE);
  }
}
