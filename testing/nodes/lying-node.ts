import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { replyWith, type TransportFault } from './transport-fault.js';

/** A call as it arrives. What a subscription brings counts as a call of `eth_subscription` without params. */
export interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
}

export interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** What the node answers instead of the truth; undefined: the truth. */
export type Lie = (call: Call, truth: Answer) => Answer | undefined;

interface Message extends Call {
  readonly id: unknown;
}

/**
 * A node over HTTP and WebSocket that answers as the honest node behind it does, but for the lie of the
 * moment. What it is asked to send is really sent, unless the lie swallows it.
 */
export class LyingNode {
  lie: Lie | undefined;
  /** Calls that were answered before they reached the honest node, by a lie of {@link swallow}. */
  swallow: ((call: Call) => Answer | undefined) | undefined;
  /** What the honest node is asked instead: for lies about blocks that it does not have. */
  rewrite: ((call: Call) => Call) | undefined;
  /** What goes wrong with every HTTP request. A node that answers with a status does not see the request. */
  fault: TransportFault | undefined;
  /** While set, no subscription brings anything. */
  quiet = false;
  /** Told the calls of each HTTP request before anything else happens. The request waits for it. */
  onRequest: ((calls: readonly Call[]) => Promise<void>) | undefined;
  /** How many answers were lies. */
  lies = 0;

  private constructor(
    private readonly upstream: { readonly http: string; readonly ws: string },
    private readonly server: Server,
    private readonly sockets: WebSocketServer,
  ) {}

  static async start(upstream: { readonly http: string; readonly ws: string }): Promise<LyingNode> {
    const server = createServer((request, response) => void node.serve(request, response));
    const node = new LyingNode(upstream, server, new WebSocketServer({ server }));
    node.sockets.on('connection', (socket) => node.accept(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return node;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** It tells the truth from now on, and nothing goes wrong any more. */
  repent(): void {
    this.fault = undefined;
    this.quiet = false;
    this.lie = undefined;
    this.swallow = undefined;
    this.rewrite = undefined;
  }

  /** As a gateway that takes back its leave. */
  closeSockets(code: number, reason: string): void {
    for (const socket of this.sockets.clients) socket.close(code, reason);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const asked = JSON.parse(Buffer.concat(chunks).toString()) as Message | Message[];
      const calls = Array.isArray(asked) ? asked : [asked];
      await this.onRequest?.(calls);
      const { fault } = this;
      const answers = fault?.kind === 'status' ? [] : await this.answers(calls);
      replyWith(response, fault, JSON.stringify(Array.isArray(asked) ? answers : answers[0]));
    } catch {
      // The honest node is gone, as at the end of a test.
      response.statusCode = 502;
      response.end();
    }
  }

  /** The calls travel in one request, as they came. */
  private async answers(calls: readonly Message[]): Promise<object[]> {
    const swallowed = new Map(calls.map((call) => [call.id, this.swallow?.(call)]));
    const asked = calls.filter(({ id }) => swallowed.get(id) === undefined);
    const truths = asked.length === 0 ? [] : await this.ask(asked);
    const byId = new Map(truths.map((truth) => [truth.id, truth]));
    return calls.map((call) => {
      const invented = swallowed.get(call.id);
      if (invented) this.lies++;
      return this.told(call.id, invented ?? this.altered(call, byId.get(call.id) ?? {}));
    });
  }

  private altered(call: Call, truth: Answer): Answer {
    const lie = this.lie?.(call, truth);
    if (lie) this.lies++;
    return lie ?? truth;
  }

  private told(id: unknown, { result, error }: Answer): object {
    return { jsonrpc: '2.0', id, ...(error ? { error } : { result }) };
  }

  private async ask(calls: readonly Message[]): Promise<(Answer & { readonly id: unknown })[]> {
    const response = await fetch(this.upstream.http, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(calls.map((call) => ({ jsonrpc: '2.0', ...call, ...this.rewrite?.(call) }))),
    });
    return (await response.json()) as (Answer & { readonly id: unknown })[];
  }

  private accept(client: WebSocket): void {
    if (this.fault?.kind === 'status') {
      client.terminate();
      return;
    }
    const honest = new WebSocket(this.upstream.ws);
    const asked = new Map<unknown, Call>();
    const waiting: string[] = [];
    client.on('message', (frame: Buffer) => {
      const text = frame.toString();
      const call = JSON.parse(text) as Message;
      asked.set(call.id, call);
      if (honest.readyState === WebSocket.OPEN) honest.send(text);
      else waiting.push(text);
    });
    honest.on('open', () => waiting.forEach((text) => honest.send(text)));
    honest.on('message', (frame: Buffer) => {
      const told = this.alteredFrame(frame.toString(), asked);
      if (told !== undefined) client.send(told);
    });
    honest.on('error', () => client.terminate());
    honest.on('close', () => client.terminate());
    client.on('close', () => honest.terminate());
  }

  private alteredFrame(text: string, asked: ReadonlyMap<unknown, Call>): string | undefined {
    const message = JSON.parse(text) as Answer & {
      readonly id?: unknown;
      readonly params?: { readonly subscription: unknown; readonly result: unknown };
    };
    if (message.params) {
      if (this.quiet) return undefined;
      const { result } = this.altered({ method: 'eth_subscription', params: [] }, message.params);
      return JSON.stringify({ ...message, params: { ...message.params, result } });
    }
    const call = asked.get(message.id);
    return call ? JSON.stringify(this.told(message.id, this.altered(call, message))) : text;
  }
}
