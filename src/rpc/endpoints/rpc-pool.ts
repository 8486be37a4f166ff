import { setTimeout as sleep } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';

import { Clock } from '../../domain/clock.js';
import type { EndpointRole } from '../../domain/endpoint-role.js';
import { EndpointHealth, type HealthState } from './endpoint-health.js';
import { EndpointProber, type EndpointProblem, type Member } from './endpoint-prober.js';
import { JsonRpcEndpoint, type EndpointStats } from './json-rpc-endpoint.js';
import {
  checked,
  valueOf,
  type BatchAnswers,
  type BatchOptions,
  type CallOptions,
  type EndpointAnswer,
  type RpcCall,
} from './rpc-call.js';
import { RpcAnswerError, RpcError } from '../rpc-errors.js';
import { timingsOf, type RpcOptions, type RpcTimings } from './rpc-options.js';

export type { EndpointProblem } from './endpoint-prober.js';
export type { BatchAnswers, BatchOptions, CallOptions, EndpointAnswer, RpcCall } from './rpc-call.js';

export interface EndpointStatus extends EndpointStats {
  readonly role: EndpointRole;
  readonly state: HealthState;
  /** Another endpoint that may be used is asked first: this one fails often, or is far slower. */
  readonly struggling: boolean;
  /** Block number at the last health question. */
  readonly head: number | undefined;
}

/**
 * All calls to the chain. Asks the primary; when it does not serve, the backup, within the one deadline of the call; and the
 * primary again as soon as a probe finds it well. An endpoint that fails often, or is far slower than the other, is asked second.
 * An answer of a node, a revert for instance, is final and is not asked for twice.
 *
 * Health questions (chain id and head, in one request) are started by calls once an interval has passed, in the background:
 * an idle pool sends nothing, and no call waits for one.
 */
@Injectable()
export class RpcPool {
  readonly #options: RpcOptions;
  readonly #timings: RpcTimings;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  /** Primary first. */
  readonly #live: readonly Member[];
  readonly #archive: Member | undefined;
  readonly #prober: EndpointProber;

  /**
   * @throws TypeError when a URL is not one of http or https.
   */
  constructor(options: RpcOptions, clock: Clock = new Clock()) {
    this.#options = options;
    this.#timings = timingsOf(options);
    this.#clock = clock;
    const primary = this.#member('primary', options.primary);
    this.#live = options.backup ? [primary, this.#member('backup', options.backup)] : [primary];
    this.#archive = options.archive && this.#member('archive', options.archive);
    const { chainId } = options;
    this.#prober = new EndpointProber({
      chainId,
      live: this.#live,
      archive: this.#archive,
      timings: this.#timings,
      clock,
    });
  }

  get chainId(): number {
    return this.#options.chainId;
  }

  /**
   * @throws RpcAnswerError (CallReverted and so on) when the node understood the call and said no.
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
   * Calls of any kind in one round trip to one endpoint. A refusal of one call is that call's value; a call that was not served,
   * or whose result does not parse, sends the whole batch to the next endpoint.
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
   * Like {@link batch}, for calls whose answers must fit together.
   *
   * @param combine makes one value of the answers; when it throws (a TypeError), the whole batch goes to the next endpoint.
   */
  batchAs<const Calls extends readonly RpcCall<unknown>[], T>(
    calls: Calls,
    combine: (answers: BatchAnswers<Calls>) => T,
    options?: BatchOptions,
  ): Promise<T> {
    const members = options?.archive === true && this.#archive ? [this.#archive] : this.#live;
    return this.#failOver(members, options, async ({ endpoint }, deadlineMs) => {
      const raw = await endpoint.batch(calls, deadlineMs);
      const answers: unknown = calls.map((call, index) => valueOf(endpoint.role, call, raw[index]));
      // The array was made from `calls`, one by one.
      return checked(endpoint.role, 'a batch', () => combine(answers as BatchAnswers<Calls>));
    });
  }

  /**
   * The same call to every live endpoint that may be used, at once. For transactions: each node that has one is another way
   * into a block. Each promise settles by itself, within the deadline.
   *
   * @throws RpcError when no endpoint may be used: then nothing was sent.
   */
  broadcast<T>(call: RpcCall<T>, options?: CallOptions): Promise<T>[] {
    const members = this.#usable(this.#live);
    if (members.length === 0) throw this.#noneUsable(this.#live);
    const deadlineMs = options?.deadlineMs ?? this.#timings.deadlineMs;
    return members.map((member) => this.#served(member, () => this.#askOne(member, call, deadlineMs)));
  }

  /**
   * What each live endpoint that may be used says to the same call, asked at once. One that does not know the block yet is asked
   * again as long as there is time. Throws nothing that an endpoint does.
   */
  askEach<T>(call: RpcCall<T>, options?: CallOptions): Promise<EndpointAnswer<T>[]> {
    const deadlineMs = options?.deadlineMs ?? this.#timings.deadlineMs;
    return Promise.all(
      this.#usable(this.#live).map(async (member): Promise<EndpointAnswer<T>> => {
        const { role } = member.endpoint;
        try {
          return { role, value: await this.#patiently(member, call, deadlineMs) };
        } catch (error) {
          if (error instanceof RpcError || error instanceof RpcAnswerError) return { role, error };
          throw error;
        }
      }),
    );
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

  /** Asks every endpoint for its chain id and head, and judges by that which may be used. Never throws. */
  probe(): Promise<void> {
    return this.#prober.probe();
  }

  /** A block of this number was seen elsewhere. An endpoint that seems to lag too far behind it is asked for its own head at once. */
  sawHead(number: number): void {
    if (!this.#closing.signal.aborted) this.#prober.sawHead(number);
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
    return {
      endpoint: new JsonRpcEndpoint(role, urls.http, this.#clock, this.#closing.signal),
      health: new EndpointHealth(this.#timings),
    };
  }

  #ask<T>(members: readonly Member[], call: RpcCall<T>, options: CallOptions | undefined): Promise<T> {
    return this.#failOver(members, options, (member, deadlineMs) => this.#askOne(member, call, deadlineMs));
  }

  async #patiently<T>(member: Member, call: RpcCall<T>, deadlineMs: number): Promise<T> {
    const endMs = this.#clock.monotonicMs() + deadlineMs;
    for (;;) {
      try {
        return await this.#ask([member], call, { deadlineMs: endMs - this.#clock.monotonicMs() });
      } catch (error) {
        const mayWait =
          error instanceof RpcError && error.kind === 'out-of-sync' && this.#timeForAnother(endMs);
        if (!mayWait) throw error;
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
   * Each endpoint in turn gets its share of the time that is left, so that a black hole in the first leaves enough for the second.
   * When all that is wrong is that none knows the block yet, they are asked once more a moment later.
   */
  async #failOver<T>(
    members: readonly Member[],
    options: CallOptions | undefined,
    work: (member: Member, deadlineMs: number) => Promise<T>,
  ): Promise<T> {
    const endMs = this.#clock.monotonicMs() + (options?.deadlineMs ?? this.#timings.deadlineMs);
    let failures: RpcError[] = [];
    for (let round = 1; round <= 2; round++) {
      failures = [];
      const candidates = this.#usable(members);
      for (const [index, member] of candidates.entries()) {
        const leftMs = endMs - this.#clock.monotonicMs();
        if (leftMs <= 0) break;
        try {
          return await this.#served(member, () => work(member, leftMs / (candidates.length - index)));
        } catch (error) {
          if (!(error instanceof RpcError)) throw error;
          failures.push(error);
        }
      }
      const outOfSync = failures.length > 0 && failures.every(({ kind }) => kind === 'out-of-sync');
      if (round === 2 || !outOfSync || !this.#timeForAnother(endMs)) break;
      await sleep(this.#timings.outOfSyncPauseMs);
    }
    throw combined(failures) ?? this.#noneUsable(members);
  }

  /** After the pause there must be time for an answer too, or a sound endpoint would fail by its deadline. */
  #timeForAnother(endMs: number): boolean {
    return endMs - this.#clock.monotonicMs() > 2 * this.#timings.outOfSyncPauseMs;
  }

  async #served<T>(member: Member, work: () => Promise<T>): Promise<T> {
    try {
      const value = await work();
      member.health.succeeded();
      return value;
    } catch (error) {
      if (error instanceof RpcError) member.health.failed(error, this.#clock.monotonicMs());
      else if (error instanceof RpcAnswerError) member.health.succeeded();
      throw error;
    }
  }

  /**
   * The endpoints that may be used, best first: the primary before the backup, unless it is struggling and the backup is not.
   * When none is well, those that merely failed lately are better than nothing; one that is out of sync, on another chain or asked
   * for a pause is not.
   */
  #usable(members: readonly Member[]): Member[] {
    if (!this.#closing.signal.aborted) this.#prober.probeWhatIsDue();
    const nowMs = this.#clock.monotonicMs();
    const inState = (state: HealthState): Member[] =>
      members.filter(({ health }) => health.state(nowMs) === state);
    const well = inState('ok');
    if (well.length === 0) return inState('circuit-open');
    return well.sort((a, b) => Number(a.health.struggling) - Number(b.health.struggling));
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

function combined(failures: readonly RpcError[]): RpcError | undefined {
  const [first, ...others] = failures;
  if (!first || others.length === 0) return first;
  const pauses = failures.map(({ retryAfterMs }) => retryAfterMs).filter((ms) => ms !== undefined);
  const pause = pauses.length === failures.length ? Math.min(...pauses) : undefined;
  return new RpcError(first.kind, 'rpc', failures.map(({ message }) => message).join('; '), pause);
}
