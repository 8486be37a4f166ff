import type { Clock } from '../../domain/clock.js';
import type { EndpointRole } from '../../domain/endpoint-role.js';
import type { RpcResult } from '../../domain/events/rpc.js';
import type { Secret } from '../../domain/secret.js';
import { LogRangeTooLarge, RpcAnswerError, RpcError, TooLarge } from '../rpc-errors.js';
import { AdaptiveSize } from './adaptive-size.js';
import { mostBytesOf } from './answer-limits.js';
import { batchRefusal, BatchRefused } from './batch-refusal.js';
import { classifyAnswer, DEFAULT_PAUSE_MS } from './classify-answer.js';
import { EndpointAddress } from './endpoint-address.js';
import { HttpTransport, type HttpReply, type RequestHeader } from './http-transport.js';
import type { RequestObserver } from './rpc-options.js';
import { isSending } from './sending.js';

export interface RpcRequest {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** The answer to one call. `result` is as the node sent it: parse it before use. */
export type RpcAnswer = { readonly result: unknown } | { readonly error: RpcAnswerError };

export interface EndpointStats {
  readonly ok: number;
  readonly failed: number;
  /** Milliseconds of the last request that was served; undefined before the first. */
  readonly lastLatencyMs: number | undefined;
}

/**
 * Calls per HTTP request. Providers take 1,000, 100, 50, 10, 3 or one: what an endpoint takes is learned from
 * its refusals, and tried again after many batches. Larger ones travel as several at once.
 */
const BATCH_SIZE = { first: 100, largest: 100, patience: 64 } as const;
/** Requests of one batch that are on their way at once. */
const PARTS_AT_ONCE = 8;
/** A shorter question may pass where a gateway gave up, or answered in the place of the node. */
const GATEWAY = new Set([408, 413, 500, 502, 503, 504, 520, 521, 522, 523, 524]);

/**
 * One JSON-RPC endpoint: sends calls, and checks that what comes back are the answers to them.
 * It does not retry and does not judge the health of the endpoint; RpcPool does.
 */
export class JsonRpcEndpoint {
  readonly #address: EndpointAddress;
  readonly #transport: HttpTransport;
  readonly #batchSize = new AdaptiveSize(BATCH_SIZE);
  #nextId = 1;
  #ok = 0;
  #failed = 0;
  #lastLatencyMs: number | undefined;

  /**
   * @param signal aborts everything in flight and closes the connections: for the shut-down.
   * @throws TypeError when the URL is not one of http or https.
   */
  constructor(
    readonly role: EndpointRole,
    url: Secret,
    private readonly clock: Clock,
    signal?: AbortSignal,
    /** Is told of each request that came to its end. It must not throw. */
    private readonly onRequest?: RequestObserver,
    /** Sent with each request. */
    headers: readonly RequestHeader[] = [],
  ) {
    this.#address = new EndpointAddress(
      role,
      url,
      ['http:', 'https:'],
      headers.map(({ value }) => value),
    );
    this.#transport = new HttpTransport(role, this.#address, clock, signal, headers);
  }

  get stats(): EndpointStats {
    return { ok: this.#ok, failed: this.#failed, lastLatencyMs: this.#lastLatencyMs };
  }

  /** @throws RpcError when the endpoint did not serve the call within `deadlineMs`. */
  async call(request: RpcRequest, deadlineMs: number): Promise<RpcAnswer> {
    return this.#counted([request], async () => {
      const id = this.#nextId++;
      const reply = await this.#post([request], JSON.stringify(toWire(request, id)), deadlineMs);
      if (reply.status === 413) return { error: tooLong(request.method) };
      const answer = asObject(this.#json(reply)) ?? this.#unexpected('is not an object');
      return this.#answerOf(request, id, answer, reply);
    });
  }

  /**
   * Several calls in one round trip, or in as many as the endpoint needs. The answers are in the order of the
   * calls, whatever the order of the node. A call that the endpoint did not serve fails the whole batch; a
   * call that it answered with an error does not.
   *
   * @throws RpcError when the endpoint did not serve every call within `deadlineMs`.
   */
  async batch(requests: readonly RpcRequest[], deadlineMs: number): Promise<RpcAnswer[]> {
    return this.#inParts(requests, this.clock.monotonicMs() + deadlineMs);
  }

  /**
   * Calls that do not depend on each other's answers, in this order: in one request where the endpoint
   * takes such a batch, else in several that are on their way at once. They may be asked again when a batch
   * is refused: only calls that may be repeated. Never fails as a whole: a call that was not served has its
   * fault.
   */
  async each(requests: readonly RpcRequest[], deadlineMs: number): Promise<(RpcAnswer | RpcError)[]> {
    const endMs = this.clock.monotonicMs() + deadlineMs;
    const parts: Promise<(RpcAnswer | RpcError)[]>[] = [];
    for (let from = 0; from < requests.length;) {
      const part = requests.slice(from, from + this.#batchSize.next(requests.length - from));
      parts.push(this.#eachOf(part, endMs));
      from += part.length;
    }
    return (await Promise.all(parts)).flat();
  }

  async #eachOf(requests: readonly RpcRequest[], endMs: number): Promise<(RpcAnswer | RpcError)[]> {
    const [first, ...others] = requests;
    try {
      if (!first) return [];
      if (others.length === 0) return [await this.call(first, this.#leftMs(endMs))];
      const answers = await this.#counted(requests, () =>
        this.#batchOfOneRequest(requests, this.#leftMs(endMs), (...read) => this.#answersOrFaults(...read)),
      );
      this.#batchSize.served(requests.length);
      return answers;
    } catch (error) {
      if (error instanceof BatchRefused) return this.#eachAfter(error, requests, endMs);
      if (error instanceof RpcError) return requests.map(() => error);
      throw error;
    }
  }

  /** In smaller batches of a size that was named; otherwise one by one, which is sure to be right. */
  async #eachAfter(
    { certain, suggested }: BatchRefused,
    requests: readonly RpcRequest[],
    endMs: number,
  ): Promise<(RpcAnswer | RpcError)[]> {
    if (certain) this.#batchSize.refused(requests.length, suggested);
    if (certain && suggested !== undefined) return this.each(requests, endMs - this.clock.monotonicMs());
    const answers = (await Promise.all(requests.map((request) => this.#eachOf([request], endMs)))).flat();
    const isServed = answers.some((answer) => !(answer instanceof RpcError));
    if (!certain && isServed) this.#batchSize.refused(requests.length);
    return answers;
  }

  /** @param learning a size was refused just now: one part finds the size that is served, for the others. */
  async #inParts(requests: readonly RpcRequest[], endMs: number, learning = false): Promise<RpcAnswer[]> {
    const answers: RpcAnswer[][] = [];
    let from = 0;
    let failed = false;
    const work = async (atMost = Infinity): Promise<void> => {
      for (let done = 0; done < atMost && from < requests.length && !failed; done++) {
        const part = requests.slice(from, from + this.#batchSize.next(requests.length - from));
        const index = from;
        from += part.length;
        try {
          answers[index] = await this.#part(part, endMs);
        } catch (error) {
          failed = true;
          throw error;
        }
      }
    };
    if (learning) await work(1);
    const workers = Math.min(PARTS_AT_ONCE, Math.ceil((requests.length - from) / this.#batchSize.size));
    await Promise.all(Array.from({ length: workers }, () => work()));
    return answers.flat();
  }

  /** One request, or several smaller ones when the endpoint does not take it. */
  async #part(requests: readonly RpcRequest[], endMs: number): Promise<RpcAnswer[]> {
    const [first, ...others] = requests;
    if (!first) return [];
    if (others.length === 0) return [await this.call(first, this.#leftMs(endMs))];
    const refused = await this.#counted(requests, () =>
      this.#batchOfOneRequest(requests, this.#leftMs(endMs), (...read) => this.#batchAnswers(...read)),
    ).catch((error: unknown) => {
      if (error instanceof BatchRefused) return error;
      throw error;
    });
    if (!(refused instanceof BatchRefused)) {
      this.#batchSize.served(requests.length);
      return refused;
    }
    if (requests.some(({ method }) => isSending(method))) throw refused.fault; // it may have arrived
    // Anything may be wrong with a batch that is refused without a word about it. If the batch is the reason,
    // a single call is served.
    const alone = refused.certain ? [] : [await this.#aloneAfter(refused, first, endMs)];
    this.#batchSize.refused(requests.length, refused.suggested);
    return [...alone, ...(await this.#inParts(requests.slice(alone.length), endMs, true))];
  }

  async #aloneAfter({ fault }: BatchRefused, request: RpcRequest, endMs: number): Promise<RpcAnswer> {
    const leftMs = endMs - this.clock.monotonicMs();
    if (leftMs <= 0) throw fault;
    return this.call(request, leftMs).catch((error: unknown) => {
      throw error instanceof RpcError ? fault : error;
    });
  }

  #leftMs(endMs: number): number {
    const leftMs = endMs - this.clock.monotonicMs();
    if (leftMs <= 0) throw this.#fault('timeout', 'no time was left for the rest of a batch');
    return leftMs;
  }

  /** @param read makes the answers of a reply; it throws when the reply is none. */
  async #batchOfOneRequest<Answer extends RpcAnswer | RpcError>(
    requests: readonly RpcRequest[],
    deadlineMs: number,
    read: (requests: readonly RpcRequest[], firstId: number, reply: HttpReply) => Answer[],
  ): Promise<Answer[]> {
    const firstId = this.#nextId;
    this.#nextId += requests.length;
    const body = JSON.stringify(requests.map((request, index) => toWire(request, firstId + index)));
    const reply = await this.#post(requests, body, deadlineMs).catch((error: unknown) => {
      // Some nodes cut the connection when a batch is too large.
      const cut = error instanceof RpcError && error.tooMuch && error.kind === 'provider';
      throw cut ? new BatchRefused(error, false) : error;
    });
    const refusal = batchRefusal(reply, requests.length);
    if (!refusal) return read(requests, firstId, reply);
    try {
      read(requests, firstId, reply);
    } catch (error) {
      if (error instanceof RpcError) throw new BatchRefused(error, refusal.certain, refusal.suggested);
      throw error;
    }
    throw new BatchRefused(
      this.#fault('provider', 'a batch was refused'),
      refusal.certain,
      refusal.suggested,
    );
  }

  /** @throws RpcError when a call was not served. */
  #batchAnswers(requests: readonly RpcRequest[], firstId: number, reply: HttpReply): RpcAnswer[] {
    return this.#answersOrFaults(requests, firstId, reply).map((answer) => {
      if (answer instanceof RpcError) throw answer;
      return answer;
    });
  }

  /** @throws RpcError when the reply is no list of answers to these calls. */
  #answersOrFaults(
    requests: readonly RpcRequest[],
    firstId: number,
    reply: HttpReply,
  ): (RpcAnswer | RpcError)[] {
    const items = this.#json(reply);
    if (!Array.isArray(items)) {
      // One error object for the whole batch: too large for the provider, a rate limit, an outage.
      const whole = asObject(items) ?? this.#unexpected('to a batch is neither a list nor an error');
      const error = this.#errorOf('a batch', whole) ?? this.#unexpected('to a batch is a single result');
      throw error instanceof RpcError
        ? error
        : this.#fault('provider', `the batch was refused with ${error.code}`);
    }
    if (items.length !== requests.length)
      this.#unexpected(`holds ${items.length} results for ${requests.length} calls`);

    const answers = new Array<RpcAnswer | RpcError | undefined>(requests.length);
    for (const item of items) {
      const answer = asObject(item) ?? this.#unexpected('holds something that is not an object');
      const index = typeof answer['id'] === 'number' ? answer['id'] - firstId : -1;
      const request = requests[index];
      if (!request) this.#unexpected('has an id that was not asked for');
      if (answers[index]) this.#unexpected('has the same id twice');
      answers[index] = answerOrFault(() => this.#answerOf(request, firstId + index, answer, reply));
    }
    return answers.map((answer) => answer ?? this.#unexpected('lacks a result'));
  }

  async #counted<T>(requests: readonly RpcRequest[], work: () => Promise<T>): Promise<T> {
    const startedMs = this.clock.monotonicMs();
    let result: RpcResult = 'ok';
    try {
      const value = await work();
      this.#ok++;
      this.#lastLatencyMs = this.clock.monotonicMs() - startedMs;
      return value;
    } catch (error) {
      if (!(error instanceof BatchRefused)) this.#failed++;
      result = resultOf(error);
      throw error;
    } finally {
      this.onRequest?.({
        endpoint: this.role,
        methods: requests.map(({ method }) => method),
        result,
        tookMs: this.clock.monotonicMs() - startedMs,
      });
    }
  }

  #post(requests: readonly RpcRequest[], body: string, deadlineMs: number): Promise<HttpReply> {
    const repeatable = !requests.some(({ method }) => isSending(method));
    const mostBytes = mostBytesOf(requests.map(({ method }) => method));
    return this.#transport.post({ body, what: nameOf(requests), repeatable, mostBytes }, deadlineMs);
  }

  #json(reply: HttpReply): unknown {
    const { status, text, json, pauseMs } = reply;
    if (status === 429) throw this.#fault('rate-limit', 'HTTP 429', pauseMs ?? DEFAULT_PAUSE_MS);
    // An overloaded gateway may say how long to wait. The rest of its answer is for people.
    if (status === 503) throw this.#fault('provider', 'HTTP 503', pauseMs, true);
    if (status === 401 || status === 403)
      throw this.#fault('provider', `HTTP ${status}: it does not let us in`);
    if (json !== undefined) return json;
    if (!isOk(reply)) throw this.#fault('provider', `HTTP ${status}`, undefined, GATEWAY.has(status));
    if (/^\s*</.test(text)) throw this.#fault('provider', 'the answer is a web page', undefined, true);
    this.#unexpected(text.trim() === '' ? 'is empty' : 'is not JSON, or was cut off');
  }

  #answerOf(request: RpcRequest, id: number, answer: Record<string, unknown>, reply: HttpReply): RpcAnswer {
    const error = this.#errorOf(request.method, answer);
    const hasResult = 'result' in answer;
    if (error && hasResult && answer['result'] !== null) this.#unexpected('has both a result and an error');
    if (error instanceof RpcError) throw error;
    // An error from before the id was read (a parse error, a gateway) has the id null. A result must have our
    // id.
    if (answer['id'] !== id && !(error && answer['id'] === null))
      this.#unexpected('has an id that was not asked for');
    if (error) return { error };
    if (!hasResult) this.#unexpected('has neither a result nor an error');
    if (!isOk(reply))
      throw this.#fault('provider', `HTTP ${reply.status}`, undefined, GATEWAY.has(reply.status));
    return { result: answer['result'] };
  }

  #errorOf(method: string, answer: Record<string, unknown>): RpcError | RpcAnswerError | undefined {
    const raw = answer['error'];
    if (raw === undefined || raw === null) return undefined;
    const error = asObject(raw);
    // Some gateways in front of a node send { "error": "text" }.
    if (!error)
      return this.#fault(
        'provider',
        `${method} was answered with ${this.#address.scrub(JSON.stringify(raw))}`,
      );
    const code = typeof error['code'] === 'number' ? error['code'] : 0;
    const message = typeof error['message'] === 'string' ? error['message'] : '';
    const reason = this.#address.scrub(message);
    return classifyAnswer(this.role, method, { code, message, data: error['data'] }, reason);
  }

  #fault(kind: RpcError['kind'], detail: string, pauseMs?: number, tooMuch?: boolean): RpcError {
    return new RpcError(kind, this.role, detail, pauseMs, tooMuch);
  }

  #unexpected(what: string): never {
    throw this.#fault('bad-answer', `the answer ${what}`);
  }
}

function answerOrFault(answer: () => RpcAnswer): RpcAnswer | RpcError {
  try {
    return answer();
  } catch (error) {
    if (error instanceof RpcError) return error;
    throw error;
  }
}

function resultOf(error: unknown): RpcResult {
  if (error instanceof BatchRefused) return 'batch-refused';
  return error instanceof RpcError ? error.kind : 'provider';
}

function tooLong(method: string): TooLarge {
  const reason = 'HTTP 413: the request is too large';
  return method === 'eth_getLogs' ? new LogRangeTooLarge(413, reason) : new TooLarge(413, reason);
}

function isOk({ status }: HttpReply): boolean {
  return status >= 200 && status < 300;
}

function toWire(request: RpcRequest, id: number): object {
  return { jsonrpc: '2.0', id, method: request.method, params: request.params };
}

function nameOf(requests: readonly RpcRequest[]): string {
  const [first] = requests;
  return requests.length === 1 && first ? first.method : `a batch of ${requests.length} calls`;
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
