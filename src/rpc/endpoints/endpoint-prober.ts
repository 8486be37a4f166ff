import type { Clock } from '../../domain/clock.js';
import type { EndpointRole } from '../../domain/endpoint-role.js';
import { messageOf } from '../../domain/errors.js';
import type { EndpointHealth } from './endpoint-health.js';
import type { JsonRpcEndpoint } from './json-rpc-endpoint.js';
import { extendsChainOf, headerCall, isPlausible, type HeaderPlace } from './head-claim.js';
import type { HeaderHashes } from '../header-hashes.js';
import { toNumber } from '../quantities.js';
import { valueOf } from './rpc-call.js';
import { RpcAnswerError, RpcError } from '../rpc-errors.js';
import type { RpcTimings } from './rpc-options.js';

/** An endpoint that cannot be used. */
export interface EndpointProblem {
  readonly role: EndpointRole;
  /** One sentence that begins with the configuration key of the endpoint. It never holds the address. */
  readonly problem: string;
  /** The endpoint answers, but for another chain: waiting will not help, the configuration is wrong. */
  readonly wrongChain: boolean;
}

/** An endpoint of the pool, with its health. */
export interface Member {
  readonly endpoint: JsonRpcEndpoint;
  readonly health: EndpointHealth;
  /** The probe in flight. There is never a second one. */
  probe?: Promise<EndpointProblem | undefined> | undefined;
  /** The header of its head, of the last probe that it answered. */
  head?: HeaderPlace;
  /** When the last probe began, in monotonic milliseconds. */
  probedAtMs?: number;
}

export interface ProberOptions {
  readonly chainId: number;
  /** The endpoints that are compared with each other; the primary first. */
  readonly live: readonly Member[];
  /** It is not compared with the others: many archives are a little behind by design. */
  readonly archive: Member | undefined;
  readonly timings: RpcTimings;
  /** Milliseconds from one block to the next, as the chain is meant to run. */
  readonly blockTimeMs: number;
  readonly headers: HeaderHashes;
  readonly clock: Clock;
}

/** A head that was seen elsewhere counts for 10 s. Later the heads of the probes are newer. */
const SEEN_HEAD_LASTS_MS = 10_000;
/** Heads seen elsewhere cause at most one probe of an endpoint in this time. */
const LEAST_PROBE_INTERVAL_MS = 1_000;

/**
 * Probes the endpoints: asks each for its chain id and the header of its head, in one request. An endpoint
 * may be used when it is on our chain, and not too far behind the best endpoint or a head that was seen
 * elsewhere. A head is believed only with headers that link.
 */
export class EndpointProber {
  readonly #options: ProberOptions;
  readonly #all: readonly Member[];
  #probedAtMs: number;
  #seenHead: { readonly number: number; readonly atMs: number } | undefined;

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#all = options.archive ? [...options.live, options.archive] : options.live;
    this.#probedAtMs = options.clock.monotonicMs();
  }

  /** Asks every endpoint, whatever its health. @returns the endpoints that cannot be used. */
  async check(): Promise<EndpointProblem[]> {
    const problems = await this.#probe(this.#all, this.#options.timings.checkDeadlineMs);
    return problems.filter((problem) => problem !== undefined);
  }

  /** Probes every endpoint that may be probed now. Never throws. */
  async probe(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    this.#probedAtMs = nowMs;
    await this.#probe(this.#all.filter(({ health }) => health.mayBeProbed(nowMs)));
  }

  /**
   * Starts the probes that are due, in the background: of all endpoints once the interval has passed, else of
   * those whose open circuit has rested.
   */
  probeIfDue(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#probedAtMs >= this.#options.timings.probeIntervalMs) void this.probe();
    else {
      const halfOpen = this.#all.filter((member) => !member.probe && member.health.halfOpen(nowMs));
      if (halfOpen.length > 0) void this.#probe(halfOpen);
    }
  }

  /**
   * A block of this number exists. Probes the endpoints that seem to be too far behind it, in the background.
   */
  sawHead(number: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (number >= this.#bestSeen(nowMs)) this.#seenHead = { number, atMs: nowMs };
    const behind = this.#options.live.filter(
      ({ health, probe, probedAtMs = Number.NEGATIVE_INFINITY }) =>
        health.isBehind(number) &&
        !probe &&
        health.mayBeProbed(nowMs) &&
        nowMs - probedAtMs >= LEAST_PROBE_INTERVAL_MS,
    );
    if (behind.length > 0) void this.#probe(behind);
  }

  /** Probes all endpoints, in the background, unless that was done within the last second. */
  doubted(): void {
    if (this.#nowMs - this.#probedAtMs >= LEAST_PROBE_INTERVAL_MS) void this.probe();
  }

  #bestSeen(nowMs: number): number {
    return this.#seenHead && nowMs - this.#seenHead.atMs < SEEN_HEAD_LASTS_MS ? this.#seenHead.number : 0;
  }

  async #probe(
    members: readonly Member[],
    deadlineMs = this.#options.timings.probeDeadlineMs,
  ): Promise<(EndpointProblem | undefined)[]> {
    const problems = await Promise.all(members.map((member) => this.#probeOnce(member, deadlineMs)));
    const { live, clock } = this.#options;
    const onChain = live.filter(({ health }) => health.otherChainId === undefined);
    const answered = members.filter(
      (member, index) => problems[index] === undefined && live.includes(member) && onChain.includes(member),
    );
    await this.#judgeClaims(answered, onChain);
    // An endpoint that is not believed may have shown that head as well, for example over its WebSocket.
    if (onChain.some(({ health }) => health.notBelieved)) this.#seenHead = undefined;
    const best = Math.max(
      this.#bestSeen(clock.monotonicMs()),
      ...onChain.filter(({ health }) => !health.notBelieved).map(({ health }) => health.head ?? 0),
    );
    // Only the endpoints of this probe: the older head of another one would look like a lag.
    for (const [index, member] of members.entries())
      if (problems[index] === undefined && live.includes(member)) member.health.judgeSync(best);
    for (const { health } of onChain) {
      const others = onChain.filter((other) => other.health !== health);
      const latencies = others.flatMap((other) => other.health.latencyMs ?? []);
      health.judgeLatency(latencies.length > 0 ? Math.min(...latencies) : undefined);
    }
    return problems;
  }

  /**
   * A head far above that of another endpoint counts only when its headers lead there from the other's chain,
   * in a time that fits (F41). Else whoever claims it is set aside, and the other one stays.
   */
  async #judgeClaims(answered: readonly Member[], onChain: readonly Member[]): Promise<void> {
    for (const claimer of answered) {
      const others = onChain.filter(
        (other) => other !== claimer && !other.health.notBelieved && other.health.mayBeProbed(this.#nowMs),
      );
      const verdicts = await Promise.all(others.map((other) => this.#believes(other, claimer)));
      claimer.health.judgeClaim(!verdicts.includes(false));
    }
  }

  async #believes(other: Member, claimer: Member): Promise<boolean> {
    const { timings, clock, blockTimeMs } = this.#options;
    const [lower, higher] = [other.head, claimer.head];
    if (!lower || !higher || higher.number - lower.number <= timings.maxHeadLagBlocks) return true;
    if (!isPlausible(lower, higher, blockTimeMs, clock.wallMs())) return false;
    try {
      const [known, claimed] = [
        { endpoint: other.endpoint, head: lower },
        { endpoint: claimer.endpoint, head: higher },
      ];
      return await extendsChainOf(known, claimed, timings.checkDeadlineMs, this.#options.headers);
    } catch {
      return true; // the other endpoint is down: there is nothing to compare with
    }
  }

  get #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  #probeOnce(member: Member, deadlineMs: number): Promise<EndpointProblem | undefined> {
    member.probedAtMs = this.#options.clock.monotonicMs();
    member.probe ??= this.#chainIdAndHead(member, deadlineMs).finally(() => {
      member.probe = undefined;
    });
    return member.probe;
  }

  async #chainIdAndHead(member: Member, deadlineMs: number): Promise<EndpointProblem | undefined> {
    const { endpoint, health } = member;
    const chainIdCall = { method: 'eth_chainId', params: [], parse: toNumber };
    const headCall = headerCall('latest', this.#options.headers);
    const { role } = endpoint;
    const problem = (what: string, wrongChain = false): EndpointProblem => ({
      role,
      problem: `rpc.${role} ${what}`,
      wrongChain,
    });
    const { chainId: expected, clock } = this.#options;
    const startedMs = clock.monotonicMs();
    try {
      const raw = await endpoint.batch([chainIdCall, headCall], deadlineMs);
      const latencyMs = clock.monotonicMs() - startedMs;
      const chainId = valueOf(role, chainIdCall, raw[0]);
      const head = valueOf(role, headCall, raw[1]);
      if (typeof chainId !== 'number') return problem(`does not answer eth_chainId: ${messageOf(chainId)}`);
      if (head instanceof RpcAnswerError)
        return problem(`does not answer eth_getBlockByNumber: ${messageOf(head)}`);
      member.head = head;
      health.probed({ chainId, head: head.number, latencyMs }, expected);
      return chainId === expected
        ? undefined
        : problem(`answers chain id ${chainId}, ${expected} was expected`, true);
    } catch (error) {
      if (!(error instanceof RpcError)) return problem(`cannot be used: ${messageOf(error)}`);
      health.failed(error, clock.monotonicMs());
      return problem(`cannot be used: ${error.detail}`);
    }
  }
}
