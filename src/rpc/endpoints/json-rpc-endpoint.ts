import type { Clock } from '../../domain/clock.js';
import type { EndpointRole } from '../../domain/endpoint-role.js';
import type { Secret } from '../../domain/secret.js';
import { RpcAnswerError, RpcError } from '../rpc-errors.js';
import { classifyAnswer } from './classify-answer.js';
import { EndpointAddress } from './endpoint-address.js';
import { HttpTransport, type HttpReply } from './http-transport.js';

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
 * Calls per HTTP request: providers refuse larger batches (commonly 100 to 1,000). Larger ones travel as
 * several at once.
 */
const LARGEST_BATCH = 100;
const SEND = 'eth_sendRawTransaction';

/**
 * One JSON-RPC endpoint: sends calls, and checks that what comes back are the answers to them.
 * It does not retry and does not judge the health of the endpoint; RpcPool does.
 */
export class JsonRpcEndpoint {
  readonly #address: EndpointAddress;
  readonly #transport: HttpTransport;
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
  ) {
    this.#address = new EndpointAddress(role, url, ['http:', 'https:']);
    this.#transport = new HttpTransport(role, this.#address, clock, signal);
  }

  get stats(): EndpointStats {
    return { ok: this.#ok, failed: this.#failed, lastLatencyMs: this.#lastLatencyMs };
  }

  /** @throws RpcError when the endpoint did not serve the call within `deadlineMs`. */
  async call(request: RpcRequest, deadlineMs: number): Promise<RpcAnswer> {
    return this.#counted(async () => {
      const id = this.#nextId++;
      const reply = await this.#post([request], JSON.stringify(toWire(request, id)), deadlineMs);
      const answer = asObject(this.#json(reply)) ?? this.#unexpected('is not an object');
      return this.#answerOf(request, id, answer, reply);
    });
  }

  /**
   * Several calls in one round trip. The answers are in the order of the calls, whatever the order of the
   * node. A call that the endpoint did not serve fails the whole batch; a call that it answered with an error
   * does not.
   *
   * @throws RpcError when the endpoint did not serve every call within `deadlineMs`.
   */
  async batch(requests: readonly RpcRequest[], deadlineMs: number): Promise<RpcAnswer[]> {
    const parts: (readonly RpcRequest[])[] = [];
    for (let from = 0; from < requests.length; from += LARGEST_BATCH)
      parts.push(requests.slice(from, from + LARGEST_BATCH));
    const answers = await Promise.all(
      parts.map((part) => this.#counted(() => this.#batchOfOneRequest(part, deadlineMs))),
    );
    return answers.flat();
  }

  async #batchOfOneRequest(requests: readonly RpcRequest[], deadlineMs: number): Promise<RpcAnswer[]> {
    const firstId = this.#nextId;
    this.#nextId += requests.length;
    const body = JSON.stringify(requests.map((request, index) => toWire(request, firstId + index)));
    const reply = await this.#post(requests, body, deadlineMs);

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

    const answers = new Array<RpcAnswer | undefined>(requests.length);
    for (const item of items) {
      const answer = asObject(item) ?? this.#unexpected('holds something that is not an object');
      const index = typeof answer['id'] === 'number' ? answer['id'] - firstId : -1;
      const request = requests[index];
      if (!request) this.#unexpected('has an id that was not asked for');
      if (answers[index]) this.#unexpected('has the same id twice');
      answers[index] = this.#answerOf(request, firstId + index, answer, reply);
    }
    return answers.map((answer) => answer ?? this.#unexpected('lacks a result'));
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    const startedMs = this.clock.monotonicMs();
    try {
      const value = await work();
      this.#ok++;
      this.#lastLatencyMs = this.clock.monotonicMs() - startedMs;
      return value;
    } catch (error) {
      this.#failed++;
      throw error;
    }
  }

  #post(requests: readonly RpcRequest[], body: string, deadlineMs: number): Promise<HttpReply> {
    const repeatable = !requests.some(({ method }) => method === SEND);
    return this.#transport.post({ body, what: nameOf(requests), repeatable }, deadlineMs);
  }

  #json(reply: HttpReply): unknown {
    try {
      return JSON.parse(reply.text) as unknown;
    } catch {
      if (!isOk(reply)) throw this.#fault('provider', `HTTP ${reply.status}`);
      if (/^\s*</.test(reply.text)) throw this.#fault('provider', 'the answer is a web page');
      this.#unexpected(reply.text.trim() === '' ? 'is empty' : 'is not JSON, or was cut off');
    }
  }

  #answerOf(request: RpcRequest, id: number, answer: Record<string, unknown>, reply: HttpReply): RpcAnswer {
    const error = this.#errorOf(request.method, answer);
    if (error instanceof RpcError) throw error;
    // An error from before the id was read (a parse error, a gateway) has the id null. A result must have our
    // id.
    if (answer['id'] !== id && !(error && answer['id'] === null))
      this.#unexpected('has an id that was not asked for');
    const hasResult = 'result' in answer;
    if (error && hasResult && answer['result'] !== null) this.#unexpected('has both a result and an error');
    if (error) return { error };
    if (!hasResult) this.#unexpected('has neither a result nor an error');
    if (!isOk(reply)) throw this.#fault('provider', `HTTP ${reply.status}`);
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

  #fault(kind: RpcError['kind'], detail: string): RpcError {
    return new RpcError(kind, this.role, detail);
  }

  #unexpected(what: string): never {
    throw this.#fault('bad-answer', `the answer ${what}`);
  }
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
