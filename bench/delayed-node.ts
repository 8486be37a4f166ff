/** A node that is some way off: each request takes a round trip more, however many are on their way. */
import {
  Agent,
  createServer,
  request,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One HTTP request that the bot made. Times are those of `performance.now()` in this process. */
export interface Exchange {
  readonly atMs: number;
  readonly doneMs: number;
  /** The methods of its JSON-RPC calls. */
  readonly methods: readonly string[];
}

interface Recorded {
  readonly atMs: number;
  doneMs: number;
  readonly body: Buffer;
}

/** Stands before a node, delays what passes, and keeps what was asked, to be read later. */
export class DelayedNode {
  private recorded: Recorded[] = [];
  private readonly agent = new Agent({ keepAlive: true });

  private constructor(
    private readonly upstream: URL,
    private readonly roundTripMs: number,
    private readonly server: Server,
  ) {}

  static async start(upstream: string, roundTripMs: number): Promise<DelayedNode> {
    const server = createServer((asked, answer) => {
      node.pass(asked, answer).catch(() => answer.destroy());
    });
    server.keepAliveTimeout = 60_000;
    const node = new DelayedNode(new URL(upstream), roundTripMs, server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What was asked since the last call, and was answered. */
  take(): readonly Exchange[] {
    return this.recorded.splice(0).map(({ atMs, doneMs, body }) => {
      const calls = JSON.parse(body.toString()) as { method: string } | { method: string }[];
      return { atMs, doneMs, methods: (Array.isArray(calls) ? calls : [calls]).map(({ method }) => method) };
    });
  }

  async stop(): Promise<void> {
    this.agent.destroy();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const atMs = performance.now();
    const body = await bytesOf(asked);
    const recorded: Recorded = { atMs, doneMs: Infinity, body };
    this.recorded.push(recorded);
    await delay(this.roundTripMs / 2);
    const reply = await this.forward(body);
    const text = await bytesOf(reply);
    await delay(this.roundTripMs / 2);
    answer.writeHead(reply.statusCode ?? 502, { 'content-type': 'application/json' }).end(text);
    recorded.doneMs = performance.now();
  }

  private forward(body: Buffer): Promise<IncomingMessage> {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    return new Promise((resolve, reject) => {
      request(this.upstream, { method: 'POST', headers, agent: this.agent }, resolve)
        .once('error', reject)
        .end(body);
    });
  }
}

async function delay(ms: number): Promise<void> {
  if (ms > 0) await sleep(ms);
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
