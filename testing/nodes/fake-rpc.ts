import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { WebSocketServer, type WebSocket } from 'ws';

import { HTML, reply, replyWith, type TransportFault } from './transport-fault.js';

/** What a node answers instead of a result. */
export class NodeRefusal {
  constructor(
    readonly code: number,
    readonly message: string,
    readonly data?: unknown,
  ) {}
}

/** What goes wrong with every HTTP request, or with the requests that hold a certain method. */
export type Fault =
  | TransportFault
  /** The answers are changed before they are sent: other ids, another order, one missing … */
  | { readonly kind: 'tampered'; readonly tamper: (answers: Answer[]) => unknown };

/** What a handler answers so that the whole HTTP request that holds its call meets a fault. */
export class GatewayFault {
  constructor(readonly fault: Fault) {}
}

/** How a node refuses a batch of more calls than it takes. */
export interface BatchLimit {
  readonly most: number;
  /** `cut`: the connection ends without an answer. `partial`: only the first answers are given. */
  readonly refusal: 'cut' | 'partial' | { readonly status: number; readonly body: unknown };
}

export interface Answer {
  jsonrpc: '2.0';
  id: unknown;
  result?: unknown;
  error?: { code: number; message: string; data?: unknown };
}

export interface SeenRequest {
  readonly method: string;
  readonly params: readonly unknown[];
}

interface Subscription {
  readonly kind: unknown;
  readonly filter: unknown;
}

/** Returns the result, or a promise of it; a {@link NodeRefusal}, or over HTTP a {@link GatewayFault}. */
type Handler = (params: readonly unknown[]) => unknown;

/**
 * A JSON-RPC node over HTTP and WebSocket on 127.0.0.1 that does what a test tells it to. By default it is a
 * healthy node of chain `chainId` whose head is `head`.
 */
export class FakeRpc {
  chainId = 31337;
  head = 100;
  /** Applies to every HTTP request while it is set. */
  fault: Fault | undefined;
  batchLimit: BatchLimit | undefined;
  /** Batches that were refused because of {@link batchLimit}. */
  refusedBatches = 0;
  /** The headers of the last HTTP request, and of the last WebSocket. */
  lastHeaders: IncomingMessage['headers'] = {};
  /** Called with each request that meets a black hole: a test clock can then end its deadline. */
  onSwallowed: (() => void) | undefined;
  /** Every call that arrived over HTTP, in order. */
  readonly seen: SeenRequest[] = [];
  /** HTTP requests that arrived, batches counted once. */
  requests = 0;
  /** While set, subscribers get no heads. */
  wsSilent = false;
  /** While set, no request over a WebSocket is answered. */
  wsIgnoresRequests = false;
  wsConnections = 0;
  /** While set, eth_subscribe for logs is refused. */
  wsRefusesLogs = false;
  /** Every eth_subscribe and eth_unsubscribe that arrived, in order. */
  readonly wsSubscribing: SeenRequest[] = [];

  #port = 0;
  #upstream: string | undefined;
  readonly #handlers = new Map<string, Handler>();
  readonly #methodFaults = new Map<string, Fault>();
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  /** The subscriptions of each connection, by their id. */
  readonly #subscriptions = new Map<WebSocket, Map<string, Subscription>>();
  #nextSubscription = 1;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#sockets = new WebSocketServer({ server: this.#server });
    this.#sockets.on('connection', (socket, request) => {
      this.lastHeaders = request.headers;
      this.#accept(socket);
    });
    this.on('eth_chainId', () => hex(this.chainId));
    this.on('eth_blockNumber', () => hex(this.head));
    this.on('eth_getBlockByNumber', ([tag]) => {
      const number = typeof tag === 'string' && tag.startsWith('0x') ? Number(tag) : this.head;
      return number <= this.head ? blockOf(number) : null;
    });
    this.on('eth_getBlockByHash', ([hash]) => {
      const number = Number(BigInt(hash as string) >> 128n);
      return number <= this.head ? blockOf(number) : null;
    });
  }

  static async start(): Promise<FakeRpc> {
    const fake = new FakeRpc();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    fake.#port = (fake.#server.address() as AddressInfo).port;
    return fake;
  }

  /** The key in the path stands for an API key, which must never be shown. */
  url(scheme: 'http' | 'ws', path = '/v2/s3cr3tApiKey'): string {
    return `${scheme}://127.0.0.1:${this.#port}${path}`;
  }

  /** @param handler returns the result. A NodeRefusal is answered as an error, a GatewayFault as a fault. */
  on(method: string, handler: Handler): void {
    this.#handlers.set(method, handler);
  }

  /** Removes all handlers. What no later handler answers is answered by a real node. */
  forwardTo(url: string): void {
    this.#handlers.clear();
    this.#upstream = url;
  }

  failMethod(method: string, fault: Fault | undefined): void {
    if (fault) this.#methodFaults.set(method, fault);
    else this.#methodFaults.delete(method);
  }

  seenOf(method: string): SeenRequest[] {
    return this.seen.filter((request) => request.method === method);
  }

  /** Moves the head and sends it to the subscribers. */
  mine(number = this.head + 1): void {
    this.head = number;
    this.push(blockOf(number));
  }

  /** Sends anything to the subscribers of heads. */
  push(head: unknown): void {
    if (!this.wsSilent) this.#pushTo(({ kind }) => kind === 'newHeads', head);
  }

  /** Sends anything to the subscribers of logs, even if their filter does not match. */
  pushLog(log: unknown): void {
    this.#pushTo(({ kind }) => kind === 'logs', log);
  }

  pushFrame(frame: string): void {
    for (const socket of this.#subscriptions.keys()) socket.send(frame);
  }

  /** The number of subscriptions to heads. */
  get subscribers(): number {
    return this.#subscribed().filter(({ kind }) => kind === 'newHeads').length;
  }

  /** The filter of each subscription to logs. */
  get logFilters(): unknown[] {
    return this.#subscribed()
      .filter(({ kind }) => kind === 'logs')
      .map(({ filter }) => filter);
  }

  #subscribed(): Subscription[] {
    return [...this.#subscriptions.values()].flatMap((subscriptions) => [...subscriptions.values()]);
  }

  #pushTo(which: (subscription: Subscription) => boolean, result: unknown): void {
    for (const [socket, subscriptions] of this.#subscriptions)
      for (const [subscription, described] of subscriptions) {
        if (!which(described)) continue;
        const params = { subscription, result };
        socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params }));
      }
  }

  /** Cuts the HTTP connections and the WebSockets, as a gateway that restarts does. */
  dropConnections(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.dropConnections();
    await new Promise<void>((resolve) => this.#sockets.close(() => resolve()));
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const parsed = JSON.parse(Buffer.concat(chunks).toString()) as {
      id: unknown;
      method: string;
      params: unknown[];
    }[];
    const batch = Array.isArray(parsed);
    const calls = batch ? parsed : [parsed];
    this.requests++;
    this.lastHeaders = request.headers;
    for (const { method, params } of calls) this.seen.push({ method, params });

    const limit = batch && calls.length > (this.batchLimit?.most ?? Infinity) ? this.batchLimit : undefined;
    if (limit) this.refusedBatches++;
    if (limit?.refusal === 'cut') {
      response.socket?.resetAndDestroy();
      return;
    }
    if (limit && typeof limit.refusal === 'object') {
      const { status, body } = limit.refusal;
      reply(response, status, typeof body === 'string' ? body : JSON.stringify(body));
      return;
    }
    const served = limit ? calls.slice(0, limit.most) : calls;
    const answers = await Promise.all(served.map((call) => this.#answer(call.id, call.method, call.params)));
    const methodFault = calls.map(({ method }) => this.#methodFaults.get(method)).find((fault) => fault);
    const gateway = answers.map(({ result }) => result).find((result) => result instanceof GatewayFault);
    const fault = this.fault ?? methodFault ?? gateway?.fault;
    const correct = JSON.stringify(batch ? answers : answers[0]);
    if (fault?.kind === 'black-hole') this.onSwallowed?.();
    else if (fault?.kind === 'tampered') reply(response, 200, JSON.stringify(fault.tamper(answers)));
    else replyWith(response, fault, correct);
  }

  async #answer(id: unknown, method: string, params: readonly unknown[]): Promise<Answer> {
    const handler = this.#handlers.get(method);
    if (!handler && this.#upstream !== undefined) return forwarded(this.#upstream, { id, method, params });
    const result = handler
      ? await handler(params)
      : new NodeRefusal(-32601, `the method ${method} does not exist`);
    if (!(result instanceof NodeRefusal)) return { jsonrpc: '2.0', id, result };
    const { code, message, data } = result;
    return { jsonrpc: '2.0', id, error: { code, message, ...(data !== undefined && { data }) } };
  }

  #accept(socket: WebSocket): void {
    this.wsConnections++;
    socket.on('close', () => this.#subscriptions.delete(socket));
    let turn = Promise.resolve(); // frames are answered in their order
    socket.on('message', (frame: Buffer) => {
      if (!this.wsIgnoresRequests) turn = turn.then(() => this.#answerFrame(socket, frame));
    });
  }

  async #answerFrame(socket: WebSocket, frame: Buffer): Promise<void> {
    const { id, method, params } = JSON.parse(frame.toString()) as {
      id: unknown;
      method: string;
      params: unknown[];
    };
    const answer =
      method === 'eth_subscribe' || method === 'eth_unsubscribe'
        ? { jsonrpc: '2.0', id, ...this.#subscribing(socket, method, params) }
        : await this.#answer(id, method, params);
    socket.send(JSON.stringify(answer));
  }

  #subscribing(socket: WebSocket, method: string, params: unknown[]): Pick<Answer, 'result' | 'error'> {
    this.wsSubscribing.push({ method, params });
    const subscriptions = this.#subscriptions.get(socket) ?? new Map<string, Subscription>();
    this.#subscriptions.set(socket, subscriptions);
    if (method === 'eth_unsubscribe') return { result: subscriptions.delete(params[0] as string) };
    const [kind, filter] = params;
    if (kind === 'logs' && this.wsRefusesLogs)
      return { error: { code: -32601, message: 'no such subscription: logs' } };
    const id = hex(this.#nextSubscription++);
    subscriptions.set(id, { kind, filter });
    return { result: id };
  }
}

export const html200: Fault = { kind: 'body', body: HTML, contentType: 'text/html' };
export const html502: Fault = { kind: 'status', status: 502 };

/** A block. Its hash holds its number and its fork, which differs between siblings. */
export function blockOf(number: number, fork = 0): Record<string, string> {
  return {
    number: hex(number),
    hash: hashOf(number, fork),
    parentHash: hashOf(number - 1, fork),
    timestamp: hex(1_700_000_000 + number * 2),
    baseFeePerGas: hex(5_000_000),
  };
}

/** The contract and the transaction of the logs of {@link logOf}. */
export const EMITTER = `0x${'11'.repeat(20)}` as const;
export const TX = `0x${'ab'.repeat(32)}` as const;

/** The first log of a block, as a node gives it. */
export function logOf(number: number, fields: object = {}): object {
  return {
    address: EMITTER,
    topics: [TX],
    data: '0x01',
    blockNumber: hex(number),
    blockHash: hashOf(number),
    transactionHash: TX,
    logIndex: '0x0',
    removed: false,
    ...fields,
  };
}

export function hashOf(number: number, fork = 0): `0x${string}` {
  return `0x${((BigInt(number) << 128n) + BigInt(fork) + 1n).toString(16).padStart(64, '0')}`;
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** Waits until the condition holds, and fails when it does not within `withinMs`. */
export async function eventually(condition: () => boolean, withinMs = 2_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function forwarded(
  url: string,
  call: { readonly id: unknown; readonly method: string; readonly params: readonly unknown[] },
): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, {
    method: 'POST',
    headers,
    body: JSON.stringify({ jsonrpc: '2.0', ...call }),
  });
  return (await answer.json()) as Answer;
}
