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
  /** From the request to the node behind until its whole answer. */
  readonly atNodeMs: number;
  readonly leftNodeMs: number;
  /** The methods of its JSON-RPC calls. */
  readonly methods: readonly string[];
}

interface Recorded extends Omit<Exchange, 'methods'> {
  doneMs: number;
  atNodeMs: number;
  leftNodeMs: number;
  readonly body: string;
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

const SIMULATION = 'eth_simulateV1';
/** The id of a JSON-RPC call. In such a request, and in the answer to it, nothing else has this name. */
const ID = /"id":(\d+)/g;

/**
 * Two nodes that are one process behind. It makes two equal simulations one after the other, where two nodes
 * make them at the same time. While this is on, the second one of two equal questions that are under way gets
 * the answer to the first.
 */
export class SharedSimulations {
  isOn = false;
  private readonly underWay = new Map<string, Promise<Reply>>();

  async answer(body: string, ask: () => Promise<Reply>): Promise<Reply> {
    if (!this.isOn || !body.includes(SIMULATION)) return ask();
    const question = body.replace(ID, '"id":0');
    const asked = this.underWay.get(question);
    if (asked) return withIdsOf(body, await asked);
    // The ids are those of the first one's: its own question gets them as they are.
    const answer = ask().finally(() => this.underWay.delete(question));
    this.underWay.set(question, answer);
    return answer;
  }
}

/** Calls of a batch have ascending ids, and its answers may come in any order. */
function withIdsOf(body: string, { status, text }: Reply): Reply {
  const first = (of: string): number => Math.min(...[...of.matchAll(ID)].map(([, id]) => Number(id)));
  const shift = first(body) - first(text);
  return { status, text: text.replace(ID, (_, id: string) => `"id":${Number(id) + shift}`) };
}

/** Stands before a node, delays what passes, and keeps what was asked, to be read later. */
export class DelayedNode {
  private recorded: Recorded[] = [];
  private readonly agent = new Agent({ keepAlive: true });

  private constructor(
    private readonly upstream: URL,
    private readonly roundTripMs: number,
    private readonly server: Server,
    private readonly shared: SharedSimulations,
  ) {}

  static async start(
    upstream: string,
    roundTripMs: number,
    shared = new SharedSimulations(),
  ): Promise<DelayedNode> {
    const server = createServer((asked, answer) => {
      node.pass(asked, answer).catch(() => answer.destroy());
    });
    server.keepAliveTimeout = 60_000;
    const node = new DelayedNode(new URL(upstream), roundTripMs, server, shared);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What was asked since the last call. What was not answered yet ends at infinity. */
  take(): readonly Exchange[] {
    return this.recorded.splice(0).map(({ body, ...times }) => {
      const calls = JSON.parse(body) as { method: string } | { method: string }[];
      return { ...times, methods: (Array.isArray(calls) ? calls : [calls]).map(({ method }) => method) };
    });
  }

  async stop(): Promise<void> {
    this.agent.destroy();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const atMs = performance.now();
    const body = await textOf(asked);
    const recorded: Recorded = { atMs, doneMs: Infinity, atNodeMs: Infinity, leftNodeMs: Infinity, body };
    this.recorded.push(recorded);
    await delay(this.roundTripMs / 2);
    recorded.atNodeMs = performance.now();
    const { status, text } = await this.shared.answer(body, () => this.forward(body));
    recorded.leftNodeMs = performance.now();
    await delay(this.roundTripMs / 2);
    answer.writeHead(status, { 'content-type': 'application/json' }).end(text);
    recorded.doneMs = performance.now();
  }

  private async forward(body: string): Promise<Reply> {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const reply = await new Promise<IncomingMessage>((resolve, reject) => {
      request(this.upstream, { method: 'POST', headers, agent: this.agent }, resolve)
        .once('error', reject)
        .end(body);
    });
    return { status: reply.statusCode ?? 502, text: await textOf(reply) };
  }
}

async function delay(ms: number): Promise<void> {
  if (ms > 0) await sleep(ms);
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
