import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { chainDescription } from '../../domain/chain-description.js';
import { Clock } from '../../domain/clock.js';
import type { EndpointRole } from '../../domain/endpoint-role.js';
import { AssumingEndpoint, type AssumedContract } from './assumed-contract.js';
import { broadcastTo } from './broadcast.js';
import { combined } from './combined-failure.js';
import { EndpointHealth, type HealthState } from './endpoint-health.js';
import { EndpointProber, type EndpointProblem, type Member } from './endpoint-prober.js';
import { JsonRpcEndpoint, type EndpointStats } from './json-rpc-endpoint.js';
import {
  checked,
  valueOf,
  type BatchAnswers,
  type BatchOptions,
  type CallOptions,
  type EachOptions,
  type EndpointAnswer,
  type RpcCall,
} from './rpc-call.js';
import { HeaderHashes } from '../header-hashes.js';
import { RpcAnswerError, RpcError } from '../rpc-errors.js';
import { timingsOf, type RpcOptions, type RpcTimings } from './rpc-options.js';

export type { EndpointProblem } from './endpoint-prober.js';
export type { BatchAnswers, BatchOptions, CallOptions, EndpointAnswer, RpcCall } from './rpc-call.js';

export interface EndpointStatus extends EndpointStats {
  readonly role: EndpointRole;
  readonly state: HealthState;
  /** It may be used, but another endpoint is asked first: it fails often, or it is far slower. */
  readonly struggling: boolean;
  /** The block number at the last probe. */
  readonly head: number | undefined;
}

/** What is asked of one endpoint, within a deadline. */
type Work<T> = (member: Member, deadlineMs: number) => Promise<T>;

/**
 * All calls to the chain. The pool asks the primary, and when that does not serve, the backup, within one
 * deadline for the call. It asks the primary first again as soon as a probe finds it healthy. An endpoint
 * that fails often, or is far slower than the other one, is asked second. A revert, and what a node answers
 * about a transaction, is final: no other node is asked. Another refusal goes to the next endpoint.
 *
 * Calls start the probes of the endpoints (chain id and head, in one request) in the background, once an
 * interval has passed. So an idle pool sends nothing, and no call waits for a probe.
 */
@Injectable()
export class RpcPool {
  readonly #options: RpcOptions;
  readonly #timings: RpcTimings;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  /** The primary first. */
  readonly #live: readonly Member[];
  readonly #archive: Member | undefined;
  readonly #prober: EndpointProber;
  /** Checks the hash of each header of the chain. */
  readonly headers: HeaderHashes;

  /**
   * @param assumed every endpoint is asked as if it were on the chain
   * @throws TypeError when a URL is not one of http or https.
   */
  constructor(
    options: RpcOptions,
    clock: Clock = new Clock(),
    private readonly assumed?: AssumedContract,
  ) {
    this.#options = options;
    this.#timings = timingsOf(options);
    this.#clock = clock;
    this.headers = new HeaderHashes(clock);
    const primary = this.#member('primary', options.primary);
    this.#live = options.backup ? [primary, this.#member('backup', options.backup)] : [primary];
    this.#archive = options.archive && this.#member('archive', options.archive);
    const { chainId } = options;
    this.#prober = new EndpointProber({
      chainId,
      live: this.#live,
      archive: this.#archive,
      timings: this.#timings,
      blockTimeMs: chainDescription(chainId).blockTimeMs,
      headers: this.headers,
      clock,
    });
  }

  get chainId(): number {
    return this.#options.chainId;
  }

  /**
   * @throws RpcAnswerError (CallReverted and so on) when the answer is final.
   * @throws RpcError when no endpoint served the call within the deadline.
   */
  call<T>(
    method: string,
    params: readonly unknown[],
    parse: (raw: unknown) => T,
    options?: CallOptions,
  ): Promise<T> {
    return this.#ask(this.#live, { method, params, parse }, options);
  }

  /**
   * Calls of any kind in one round trip to one endpoint. When the node refuses one call, the refusal is the
   * value of that call. When one call is not served, or its result does not parse, the whole batch goes to
   * the next endpoint.
   *
   * @throws RpcError when no endpoint served the batch within the deadline.
   */
  async batch<const Calls extends readonly RpcCall<unknown>[]>(
    calls: Calls,
    options?: CallOptions,
  ): Promise<BatchAnswers<Calls>> {
    if (calls.length === 0) return [] as unknown as BatchAnswers<Calls>;
    return this.batchAs(calls, (answers) => answers, options);
  }

  /**
   * As {@link batch}, for calls whose answers must fit together.
   *
   * @param combine makes one value of the answers. When it throws a TypeError, the whole batch goes to the
   * next endpoint.
   */
  batchAs<const Calls extends readonly RpcCall<unknown>[], T>(
    calls: Calls,
    combine: (answers: BatchAnswers<Calls>) => T,
    options?: BatchOptions,
  ): Promise<T> {
    return this.#failOver(this.#membersFor(options), options, (member, deadlineMs) =>
      batchOf(member, calls, combine, deadlineMs),
    );
  }

  /** The endpoint that would be asked first now. */
  firstFor(options?: BatchOptions): EndpointRole {
    const members = this.#membersFor(options);
    return (this.#usable(members)[0] ?? members[0])?.endpoint.role ?? 'primary';
  }

  #membersFor(options: BatchOptions | undefined): readonly Member[] {
    return options?.archive === true && this.#archive ? [this.#archive] : this.#live;
  }

  /**
   * Sends the same calls to every live endpoint that may be used, at once and in this order: transactions,
   * which every node may bring into a block. Each endpoint's answers come within the deadline.
   *
   * @throws RpcError when no endpoint may be used. Then nothing was sent.
   */
  broadcast<T>(calls: readonly RpcCall<T>[], options?: CallOptions): Promise<EndpointAnswer<T>[]>[] {
    const members = this.#usable(this.#live);
    if (members.length === 0) throw this.#noneUsable(this.#live);
    const deadlineMs = options?.deadlineMs ?? this.#timings.deadlineMs;
    return members.map((member) => broadcastTo(member, calls, deadlineMs, this.#clock));
  }

  /**
   * The answer of each live endpoint that may be used to the same call. They are asked at once. An endpoint
   * that does not have the block yet is asked again until the deadline. An error of an endpoint is its answer
   * and is not thrown.
   */
  askEach<T>(call: RpcCall<T>, options?: EachOptions): Promise<EndpointAnswer<T>[]> {
    return this.#each((member, deadlineMs) => this.#askOne(member, call, deadlineMs), options);
  }

  /** As {@link askEach}, for calls whose answers must fit together. As {@link batchAs} otherwise. */
  batchEach<const Calls extends readonly RpcCall<unknown>[], T>(
    calls: Calls,
    combine: (answers: BatchAnswers<Calls>) => T,
    options?: EachOptions,
  ): Promise<EndpointAnswer<T>[]> {
    return this.#each((member, deadlineMs) => batchOf(member, calls, combine, deadlineMs), options);
  }

  /**
   * The start-up check: asks every endpoint for its chain id and head, and stops using one of another chain.
   * It does not check that the head moves.
   *
   * @returns the endpoints that cannot be used.
   */
  checkEndpoints(): Promise<EndpointProblem[]> {
    return this.#prober.check();
  }

  /** Probes every endpoint, and decides by the answers which may be used. Never throws. */
  probe(): Promise<void> {
    return this.#prober.probe();
  }

  /**
   * A block of this number was seen elsewhere. Probes at once the endpoints that seem to be too far behind
   * it.
   */
  sawHead(number: number): void {
    if (!this.#closing.signal.aborted) this.#prober.sawHead(number);
  }

  /** An endpoint claimed a block that is not believed: compares the endpoints at once. */
  doubted(): void {
    if (!this.#closing.signal.aborted) this.#prober.doubted();
  }

  status(): EndpointStatus[] {
    const nowMs = this.#clock.monotonicMs();
    const all = this.#archive ? [...this.#live, this.#archive] : this.#live;
    return all.map(({ endpoint, health }) => ({
      role: endpoint.role,
      state: health.state(nowMs),
      struggling: health.struggling,
      head: health.head,
      ...endpoint.stats,
    }));
  }

  /** Ends everything in flight with an RpcError and closes the connections. */
  close(): void {
    this.#closing.abort();
  }

  #member(role: EndpointRole, urls: RpcOptions['primary']): Member {
    const { onRequest } = this.#options;
    const settings = [role, urls.http, this.#clock, this.#closing.signal, onRequest] as const;
    return {
      endpoint: this.assumed
        ? new AssumingEndpoint(this.assumed, ...settings)
        : new JsonRpcEndpoint(...settings),
      health: new EndpointHealth(this.#timings),
    };
  }

  #ask<T>(members: readonly Member[], call: RpcCall<T>, options: CallOptions | undefined): Promise<T> {
    return this.#failOver(members, options, (member, deadlineMs) => this.#askOne(member, call, deadlineMs));
  }

  #each<T>(work: Work<T>, options: EachOptions | undefined): Promise<EndpointAnswer<T>[]> {
    const deadlineMs = options?.deadlineMs ?? this.#timings.deadlineMs;
    const usable = this.#usable(this.#live).filter(
      ({ endpoint }) => (options?.only ?? endpoint.role) === endpoint.role,
    );
    const others = usable.filter(({ endpoint }) => endpoint.role !== options?.except);
    return Promise.all(
      (others.length > 0 ? others : usable).map(async (member): Promise<EndpointAnswer<T>> => {
        const { role } = member.endpoint;
        try {
          return { role, value: await this.#untilInSync(member, work, deadlineMs) };
        } catch (error) {
          if (error instanceof RpcError || error instanceof RpcAnswerError) return { role, error };
          throw error;
        }
      }),
    );
  }

  async #untilInSync<T>(member: Member, work: Work<T>, deadlineMs: number): Promise<T> {
    const endMs = this.#clock.monotonicMs() + deadlineMs;
    let last: RpcError | undefined;
    for (;;) {
      const leftMs = endMs - this.#clock.monotonicMs();
      // The pause took longer than it should have, on a busy machine.
      if (last && leftMs <= 0) throw last;
      try {
        return await this.#failOver([member], { deadlineMs: leftMs }, work);
      } catch (error) {
        const mayWait =
          error instanceof RpcError && error.kind === 'out-of-sync' && this.#hasTimeForAnotherTry(endMs);
        if (!mayWait) throw error;
        last = error;
        await sleep(this.#timings.outOfSyncPauseMs);
      }
    }
  }

  async #askOne<T>({ endpoint }: Member, call: RpcCall<T>, deadlineMs: number): Promise<T> {
    const value = valueOf(endpoint.role, call, await endpoint.call(call, deadlineMs));
    if (value instanceof RpcAnswerError) throw value;
    return value;
  }

  /**
   * Asks the endpoints one after the other. Each gets its share of the time that is left, so that a first
   * endpoint that never answers leaves enough time for the second. When all of them only lack the block, they
   * are asked once more after a pause. When none may be asked because they limit our rate, the pause is
   * waited for, where the time allows it.
   */
  async #failOver<T>(
    members: readonly Member[],
    options: BatchOptions | undefined,
    work: Work<T>,
  ): Promise<T> {
    const large = options?.large === true;
    const endMs = this.#clock.monotonicMs() + (options?.deadlineMs ?? this.#timings.deadlineMs);
    let failures: RpcError[] = [];
    for (let round = 1; ; round++) {
      const failed: RpcError[] = [];
      const candidates = this.#usable(members);
      for (const [index, member] of candidates.entries()) {
        const leftMs = endMs - this.#clock.monotonicMs();
        if (leftMs <= 0) break;
        try {
          const shareMs = leftMs / (candidates.length - index);
          return await this.#recorded(member, () => work(member, shareMs), large);
        } catch (error) {
          if (!(error instanceof RpcError)) throw error;
          failed.push(error);
        }
      }
      // Where no time was left for another round, the round before says why.
      if (failed.length > 0) failures = failed;
      const outOfSync = failed.length > 0 && failed.every(({ kind }) => kind === 'out-of-sync');
      const pauseMs = this.#pauseMs(members);
      if (pauseMs !== undefined && this.#hasTimeForAnotherTry(endMs - pauseMs)) await this.#wait(pauseMs);
      else if (round === 1 && outOfSync && this.#hasTimeForAnotherTry(endMs))
        await sleep(this.#timings.outOfSyncPauseMs);
      else break;
    }
    throw combined(failures) ?? this.#noneUsable(members);
  }

  /** While none may be used: until the first that limits our rate may be asked again. */
  #pauseMs(members: readonly Member[]): number | undefined {
    if (this.#closing.signal.aborted || this.#usable(members).length > 0) return undefined;
    const nowMs = this.#clock.monotonicMs();
    const pausesMs = members.map(({ health }) => health.pauseLeftMs(nowMs)).filter((ms) => ms > 0);
    return pausesMs.length > 0 ? Math.min(...pausesMs) : undefined;
  }

  async #wait(ms: number): Promise<void> {
    const { signal } = this.#closing;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.#clock.after(ms, end);
      signal.addEventListener('abort', end);
    });
  }

  /** There must be time for an answer after the pause, or a healthy endpoint would fail by its deadline. */
  #hasTimeForAnotherTry(endMs: number): boolean {
    return endMs - this.#clock.monotonicMs() > 2 * this.#timings.outOfSyncPauseMs;
  }

  async #recorded<T>(member: Member, work: () => Promise<T>, large = false): Promise<T> {
    try {
      const value = await work();
      member.health.succeeded();
      return value;
    } catch (error) {
      if (error instanceof RpcError) {
        if (!(large && error.tooMuch)) member.health.failed(error, this.#clock.monotonicMs());
      } else if (error instanceof RpcAnswerError) member.health.succeeded();
      throw error;
    }
  }

  /**
   * The endpoints that may be used, the best first: the primary before the backup, unless the primary is
   * struggling and the backup is not. When none is `ok`, those with an open circuit are used. An endpoint
   * that is out of sync, on another chain or paused is never used.
   */
  #usable(members: readonly Member[]): Member[] {
    if (!this.#closing.signal.aborted) this.#prober.probeIfDue();
    const nowMs = this.#clock.monotonicMs();
    const inState = (state: HealthState): Member[] =>
      members.filter(({ health }) => health.state(nowMs) === state);
    const healthy = inState('ok');
    if (healthy.length === 0) return inState('circuit-open');
    return healthy.sort((a, b) => Number(a.health.struggling) - Number(b.health.struggling));
  }

  #noneUsable(members: readonly Member[]): RpcError {
    const nowMs = this.#clock.monotonicMs();
    const states = members.map(({ endpoint, health }) => `${endpoint.role} is ${health.state(nowMs)}`);
    const pauses = members.map(({ health }) => health.pauseLeftMs(nowMs)).filter((ms) => ms > 0);
    const detail = `no endpoint may be used now: ${states.join(', ')}`;
    return pauses.length > 0
      ? new RpcError('rate-limit', 'rpc', detail, Math.min(...pauses))
      : new RpcError('provider', 'rpc', detail);
  }
}

/** @throws RpcError; what `combine` throws counts as a bad answer. */
async function batchOf<const Calls extends readonly RpcCall<unknown>[], T>(
  { endpoint }: Member,
  calls: Calls,
  combine: (answers: BatchAnswers<Calls>) => T,
  deadlineMs: number,
): Promise<T> {
  const raw = await endpoint.batch(calls, deadlineMs);
  const answers: unknown = calls.map((call, index) => valueOf(endpoint.role, call, raw[index]));
  // Each answer was parsed by the call of the same index.
  return checked(endpoint.role, 'a batch', () => combine(answers as BatchAnswers<Calls>));
}
