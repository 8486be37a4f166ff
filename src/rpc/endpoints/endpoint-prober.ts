import type { Clock } from '../../domain/clock.js';
import type { EndpointRole } from '../../domain/endpoint-role.js';
import { messageOf } from '../../domain/errors.js';
import type { EndpointHealth } from './endpoint-health.js';
import type { JsonRpcEndpoint } from './json-rpc-endpoint.js';
import { toNumber } from '../quantities.js';
import { valueOf } from './rpc-call.js';
import { RpcError } from '../rpc-errors.js';
import type { RpcTimings } from './rpc-options.js';

/** An endpoint that cannot be used. */
export interface EndpointProblem {
  readonly role: EndpointRole;
  /** One sentence that begins with the configuration key of the endpoint. It never holds the address. */
  readonly problem: string;
  /** The endpoint answers, but for another chain: waiting will not help, the configuration is wrong. */
  readonly wrongChain: boolean;
}

export interface Member {
  readonly endpoint: JsonRpcEndpoint;
  readonly health: EndpointHealth;
  /** The health question in flight, so that there is never a second one. */
  probe?: Promise<EndpointProblem | undefined> | undefined;
  /** When the last health question was asked, in monotonic milliseconds. */
  probedAtMs?: number;
}

export interface ProberOptions {
  readonly chainId: number;
  /** Those that are held against each other; primary first. */
  readonly live: readonly Member[];
  /** Archives often trail a little by design, so that this one is only asked for its chain. */
  readonly archive: Member | undefined;
  readonly timings: RpcTimings;
  readonly clock: Clock;
}

/** A head that was seen elsewhere counts for this long: then it is older than what the endpoints say themselves. */
const SEEN_HEAD_LASTS_MS = 10_000;
/** A stale endpoint is not asked more often than this because of heads seen elsewhere. */
const LEAST_PROBE_INTERVAL_MS = 1_000;

/**
 * Asks the endpoints for chain id and head, in one request, and judges by the answers which may be used: those of our chain that
 * are not too far behind the best of them, or behind a head that was seen elsewhere.
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

  /** Asks every endpoint that may be asked now. Never throws. */
  async probe(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    this.#probedAtMs = nowMs;
    await this.#probe(this.#all.filter(({ health }) => health.mayBeProbed(nowMs)));
  }

  /** Starts in the background what is due: all once the interval has passed, else those whose circuit is half open. */
  probeWhatIsDue(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#probedAtMs >= this.#options.timings.probeIntervalMs) void this.probe();
    else {
      const halfOpen = this.#all.filter((member) => !member.probe && member.health.halfOpen(nowMs));
      if (halfOpen.length > 0) void this.#probe(halfOpen);
    }
  }

  /** A block of this number exists: endpoints that seem to be too far behind it are asked at once, in the background. */
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

  #bestSeen(nowMs: number): number {
    return this.#seenHead && nowMs - this.#seenHead.atMs < SEEN_HEAD_LASTS_MS ? this.#seenHead.number : 0;
  }

  async #probe(
    members: readonly Member[],
    deadlineMs = this.#options.timings.probeDeadlineMs,
  ): Promise<(EndpointProblem | undefined)[]> {
    const problems = await Promise.all(members.map((member) => this.#probeOnce(member, deadlineMs)));
    const { live, clock } = this.#options;
    const onChain = live.filter(({ health }) => health.foreignChainId === undefined);
    const best = Math.max(
      this.#bestSeen(clock.monotonicMs()),
      ...onChain.map(({ health }) => health.head ?? 0),
    );
    // Only those asked just now: an older head of another would look like a lag.
    for (const [index, member] of members.entries())
      if (problems[index] === undefined && live.includes(member)) member.health.judgeSync(best);
    for (const { health } of onChain) {
      const others = onChain.filter((other) => other.health !== health);
      const latencies = others.flatMap((other) => other.health.latencyMs ?? []);
      health.judgeLatency(latencies.length > 0 ? Math.min(...latencies) : undefined);
    }
    return problems;
  }

  #probeOnce(member: Member, deadlineMs: number): Promise<EndpointProblem | undefined> {
    member.probedAtMs = this.#options.clock.monotonicMs();
    member.probe ??= this.#chainIdAndHead(member, deadlineMs).finally(() => {
      member.probe = undefined;
    });
    return member.probe;
  }

  /** @returns what is wrong with the endpoint, if anything. */
  async #chainIdAndHead(
    { endpoint, health }: Member,
    deadlineMs: number,
  ): Promise<EndpointProblem | undefined> {
    const calls = [
      { method: 'eth_chainId', params: [], parse: toNumber },
      { method: 'eth_blockNumber', params: [], parse: toNumber },
    ];
    const { role } = endpoint;
    const problem = (what: string, wrongChain = false): EndpointProblem => ({
      role,
      problem: `rpc.${role} ${what}`,
      wrongChain,
    });
    const { chainId: expected, clock } = this.#options;
    const startedMs = clock.monotonicMs();
    try {
      const raw = await endpoint.batch(calls, deadlineMs);
      const latencyMs = clock.monotonicMs() - startedMs;
      const [chainId, head] = calls.map((call, index) => valueOf(role, call, raw[index]));
      if (typeof chainId !== 'number') return problem(`does not answer eth_chainId: ${messageOf(chainId)}`);
      if (typeof head !== 'number') return problem(`does not answer eth_blockNumber: ${messageOf(head)}`);
      health.probed({ chainId, head, latencyMs }, expected);
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
