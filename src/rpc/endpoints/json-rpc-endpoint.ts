import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';

import type { Clock } from '../../domain/clock.js';
import type { EndpointRole } from '../../domain/endpoint-role.js';
import type { Secret } from '../../domain/secret.js';
import { classifyAnswer, DEFAULT_PAUSE_MS } from './classify-answer.js';
import { EndpointAddress, safeDecode } from './endpoint-address.js';
import { RpcAnswerError, RpcError } from '../rpc-errors.js';

export interface RpcRequest {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What one call came to. `result` is as the node sent it: parse it before use. */
export type RpcAnswer = { readonly result: unknown } | { readonly error: RpcAnswerError };

export interface EndpointStats {
  readonly ok: number;
  readonly failed: number;
  /** Milliseconds of the last request that was served; undefined before the first. */
  readonly lastLatencyMs: number | undefined;
}

interface Reply {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

/** Beyond this an answer is an attack or a mistake: 64 MiB. */
const LARGEST_ANSWER_BYTES = 64 * 1024 * 1024;
/** Open connections per endpoint. A pass makes a few batches, a backfill a few more. */
const CONNECTIONS = 32;
/** An idle connection is closed by us after this, before a gateway on the way drops it without a word: 30 s. */
const LONGEST_IDLE_MS = 30_000;
/** Calls per HTTP request: providers refuse larger batches (commonly 100 to 1,000). Larger ones are sent as several, at once. */
const LARGEST_BATCH = 100;
/** A Retry-After longer than this is taken as this: one hour. */
const LONGEST_PAUSE_MS = 3_600_000;
const SEND = 'eth_sendRawTransaction';

/**
 * One JSON-RPC endpoint over HTTP(S): what goes out, and whether what comes back is an answer to it.
 * No retries, no judgement of its health; see RpcPool.
 *
 * On node:http with a keep-alive agent rather than fetch: on a local server a call took 0.12 ms (p50; p99 1.4 ms) against
 * 0.33 ms (p99 4.6 ms) with fetch, at a fifth of the processor time (Node 20).
 */
export class JsonRpcEndpoint {
  readonly #address: EndpointAddress;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #requestOptions: RequestOptions;
  readonly #signal: AbortSignal | undefined;
  #nextId = 1;
  #ok = 0;
  #failed = 0;
  #lastLatencyMs: number | undefined;

  /**
   * @param role how the endpoint is called in errors and metrics: "primary".
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
    const agentOptions = { keepAlive: true, maxSockets: CONNECTIONS, timeout: LONGEST_IDLE_MS };
    this.#agent = this.#address.secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
    this.#requestOptions = requestOptionsOf(this.#address.reveal(), this.#agent);
    this.#signal = signal;
    signal?.addEventListener('abort', () => this.#agent.destroy(), { once: true });
  }

  get stats(): EndpointStats {
    return { ok: this.#ok, failed: this.#failed, lastLatencyMs: this.#lastLatencyMs };
  }

  /** @throws RpcError when the endpoint did not serve the call within `deadlineMs`. */
  async call(request: RpcRequest, deadlineMs: number): Promise<RpcAnswer> {
    return this.#counted(async () => {
      const id = this.#nextId++;
      const reply = await this.#post([request], JSON.stringify(toWire(request, id)), deadlineMs);
      return this.#answerOf(
        request,
        id,
        asObject(this.#json(reply)) ?? this.#unexpected('is not an object'),
        reply,
      );
    });
  }

  /**
   * Several calls in one round trip; the answers are in the order of the calls, whatever order the node gave them in.
   * One call that the endpoint did not serve fails the whole batch; one that it served with an error does not.
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

  #json(reply: Reply): unknown {
    const { status, text } = reply;
    const ok = status >= 200 && status < 300;
    if (status === 429)
      throw this.#fault(
        'rate-limit',
        'HTTP 429',
        pauseOf(reply.retryAfter, this.clock.wallMs()) ?? DEFAULT_PAUSE_MS,
      );
    // A gateway that is overloaded may say for how long; everything else in its answer is for people.
    if (status === 503)
      throw this.#fault('provider', 'HTTP 503', pauseOf(reply.retryAfter, this.clock.wallMs()));
    if (status === 401 || status === 403)
      throw this.#fault('provider', `HTTP ${status}: it does not let us in`);
    try {
      return JSON.parse(text) as unknown;
    } catch {
      if (!ok) throw this.#fault('provider', `HTTP ${status}`);
      if (/^\s*</.test(text)) throw this.#fault('provider', 'the answer is a web page');
      this.#unexpected(text.trim() === '' ? 'is empty' : 'is not JSON, or was cut off');
    }
  }

  #answerOf(request: RpcRequest, id: number, answer: Record<string, unknown>, reply: Reply): RpcAnswer {
    const error = this.#errorOf(request.method, answer);
    if (error instanceof RpcError) throw error;
    // An error before the id was read (a parse error, a gateway) has the id null. A result must have ours.
    if (answer['id'] !== id && !(error && answer['id'] === null))
      this.#unexpected('has an id that was not asked for');
    const hasResult = 'result' in answer;
    if (error && hasResult && answer['result'] !== null) this.#unexpected('has both a result and an error');
    if (error) return { error };
    if (!hasResult) this.#unexpected('has neither a result nor an error');
    if (reply.status < 200 || reply.status >= 300) throw this.#fault('provider', `HTTP ${reply.status}`);
    return { result: answer['result'] };
  }

  #errorOf(method: string, answer: Record<string, unknown>): RpcError | RpcAnswerError | undefined {
    const raw = answer['error'];
    if (raw === undefined || raw === null) return undefined;
    const error = asObject(raw);
    // Gateways in front of a node like to send { "error": "text" }.
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

  #fault(kind: RpcError['kind'], detail: string, retryAfterMs?: number): RpcError {
    return new RpcError(kind, this.role, detail, retryAfterMs);
  }

  #unexpected(what: string): never {
    throw this.#fault('bad-answer', `the answer ${what}`);
  }

  /**
   * A server may close an idle connection in the very moment we use it. That call never arrived, so it is sent once more on
   * a fresh connection; but never a transaction, whose fate is settled by its hash.
   */
  async #post(requests: readonly RpcRequest[], body: string, deadlineMs: number): Promise<Reply> {
    const endMs = this.clock.monotonicMs() + deadlineMs;
    try {
      return await this.#exchange(requests, body, deadlineMs);
    } catch (error) {
      const leftMs = endMs - this.clock.monotonicMs();
      if (!(error instanceof StaleConnection)) throw error;
      if (leftMs <= 0 || requests.some(({ method }) => method === SEND)) throw error.fault;
      return await this.#exchange(requests, body, leftMs).catch((again: unknown) => {
        throw again instanceof StaleConnection ? again.fault : again;
      });
    }
  }

  #exchange(requests: readonly RpcRequest[], body: string, deadlineMs: number): Promise<Reply> {
    if (this.#signal?.aborted) return Promise.reject(this.#fault('provider', 'closed'));
    return new Promise<Reply>((resolve, reject) => {
      let response: IncomingMessage | undefined;
      let fault: RpcError | undefined; // why we cut the connection ourselves

      const send = this.#address.secure ? httpsRequest : httpRequest;
      const request = send({
        ...this.#requestOptions,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      });
      const cut = (why: RpcError): void => {
        fault ??= why;
        request.destroy();
      };
      const timer = setTimeout(() => {
        cut(this.#fault('timeout', `no answer to ${nameOf(requests)} within ${Math.round(deadlineMs)} ms`));
      }, deadlineMs);
      const fail = (error: NodeJS.ErrnoException): void => {
        clearTimeout(timer);
        if (this.#signal?.aborted) fault = this.#fault('provider', 'closed');
        const why = fault ?? this.#fault('provider', describeTransport(error, response !== undefined));
        const cutByServer = error.code === 'ECONNRESET' || error.code === 'EPIPE';
        const stale = !fault && !response && request.reusedSocket && cutByServer;
        reject(stale ? new StaleConnection(why) : why);
      };

      request.on('error', fail);
      request.on('response', (incoming) => {
        response = incoming;
        const chunks: Buffer[] = [];
        let bytes = 0;
        incoming.on('error', fail);
        incoming.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > LARGEST_ANSWER_BYTES)
            cut(this.#fault('bad-answer', 'the answer is larger than 64 MiB'));
          else chunks.push(chunk);
        });
        incoming.on('end', () => {
          clearTimeout(timer);
          resolve({
            status: incoming.statusCode ?? 0,
            retryAfter: incoming.headers['retry-after'],
            text: Buffer.concat(chunks).toString('utf8'),
          });
        });
      });
      request.end(body);
    });
  }
}

/** The connection broke before a byte came back, and it had been idle before: see #post. Never leaves this file. */
class StaleConnection extends Error {
  constructor(readonly fault: RpcError) {
    super('stale connection');
  }
}

function requestOptionsOf(url: URL, agent: HttpAgent | HttpsAgent): RequestOptions {
  const options: RequestOptions = {
    method: 'POST',
    agent,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: `${url.pathname}${url.search}`,
  };
  if (url.username !== '' || url.password !== '')
    options.auth = `${safeDecode(url.username)}:${safeDecode(url.password)}`;
  return options;
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

/**
 * Retry-After is a number of seconds or an HTTP date.
 *
 * @param nowMs milliseconds since the epoch.
 * @returns milliseconds, at least 0 and at most an hour.
 */
function pauseOf(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_PAUSE_MS);
}

const TRANSPORT_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  ETIMEDOUT: 'connection timed out',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name not found',
};

/** Only Node's error code is used: its messages carry host names and addresses. */
function describeTransport(error: NodeJS.ErrnoException, answering: boolean): string {
  const code = error.code !== undefined && /^[A-Z0-9_]+$/.test(error.code) ? error.code : 'no code';
  const words =
    TRANSPORT_WORDS[code] ?? (/CERT|TLS|SSL/.test(code) ? 'TLS connection not trusted' : 'connection failed');
  return `${words}${answering ? ' in the middle of the answer' : ''} (${code})`;
}
