import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * - open: bytes pass.
 * - slow: bytes pass late, in both directions.
 * - away: no connection is accepted, and those that were are cut.
 * - silent: connections stay, and no byte passes until it is open again.
 * - answering: whatever a client sends is answered by these bytes, and the connection ends.
 */
export type ProxyState =
  | { readonly kind: 'open' }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'away' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'answering'; readonly answer: Buffer };

export const OPEN: ProxyState = { kind: 'open' };

/** Stands between the bot and a server of any protocol, and can be made to behave as a bad network does. */
export class TcpProxy {
  private current: ProxyState = OPEN;
  private readonly sockets = new Set<Socket>();
  /** What waits while the proxy is silent. */
  private held: (() => void)[] = [];

  private constructor(
    private readonly upstream: { readonly host: string; readonly port: number },
    private readonly server: Server,
  ) {}

  static async start(upstream: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
    const server = createServer((client) => proxy.accept(client));
    const proxy = new TcpProxy(upstream, server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get state(): ProxyState {
    return this.current;
  }

  become(state: ProxyState): void {
    this.current = state;
    if (state.kind === 'away') this.cut();
    if (state.kind === 'silent') return;
    const held = this.held;
    this.held = [];
    for (const pass of held) pass();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private cut(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  private accept(client: Socket): void {
    if (this.current.kind === 'away') {
      client.resetAndDestroy();
      return;
    }
    const real = connect(this.upstream.port, this.upstream.host);
    for (const socket of [client, real]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        client.destroy();
        real.destroy();
      });
    }
    const pass = this.passTo(real);
    client.on('data', (bytes) => {
      if (this.current.kind === 'answering') client.end(this.current.answer);
      else pass(bytes);
    });
    real.on('data', this.passTo(client));
  }

  /** Bytes of one direction stay in their order, whatever the proxy becomes in the meantime. */
  private passTo(target: Socket): (bytes: Buffer) => void {
    let turn = Promise.resolve();
    return (bytes) => {
      const dueMs = performance.now() + (this.current.kind === 'slow' ? this.current.ms : 0);
      turn = turn.then(async () => {
        while (performance.now() < dueMs) await sleep(dueMs - performance.now());
        if (this.current.kind === 'silent') await new Promise<void>((resolve) => this.held.push(resolve));
        if (!target.destroyed) target.write(bytes);
      });
    };
  }
}
