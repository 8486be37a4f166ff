import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Call {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** A node over HTTP that answers as the node behind it does, but with an earlier latest block. */
export class LaggingNode {
  /** How many blocks its latest block is behind. */
  lagBlocks = 0;

  private constructor(
    private readonly upstream: string,
    private readonly server: Server,
  ) {}

  static async start(upstream: string): Promise<LaggingNode> {
    const server = createServer((request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const calls = JSON.parse(Buffer.concat(chunks).toString()) as Call | Call[];
        const answer = await node.answer(calls).catch(() => ({}));
        response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
      })();
    });
    const node = new LaggingNode(upstream, server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async answer(calls: Call | Call[]): Promise<unknown> {
    const head = (await this.ask({ id: 1, method: 'eth_blockNumber', params: [] })) as { result: string };
    const latest = `0x${Math.max(0, Number(head.result) - this.lagBlocks).toString(16)}`;
    const one = (call: Call): unknown => {
      if (call.method === 'eth_blockNumber') return { jsonrpc: '2.0', id: call.id, result: latest };
      return this.ask({ ...call, params: call.params.map((param) => (param === 'latest' ? latest : param)) });
    };
    return Array.isArray(calls) ? Promise.all(calls.map(one)) : one(calls);
  }

  private async ask(call: Call): Promise<unknown> {
    const response = await fetch(this.upstream, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', ...call }),
    });
    return response.json();
  }
}
