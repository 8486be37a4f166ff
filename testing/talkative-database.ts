import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What the database says in place of an answer. */
export interface DatabaseWords {
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
}

/**
 * A PostgreSQL that can be made to answer everything with an error in words of one's choice, as poolers and
 * hosted servers do. While it is silent, the real server behind it answers.
 */
export class TalkativeDatabase {
  private says: DatabaseWords | undefined;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly upstream: { readonly host: string; readonly port: number },
    private readonly server: Server,
  ) {}

  static async start(upstream: { readonly host: string; readonly port: number }): Promise<TalkativeDatabase> {
    const server = createServer((client) => database.accept(client));
    const database = new TalkativeDatabase(upstream, server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return database;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on every statement and every new connection gets this error, and is cut. */
  say(words: DatabaseWords): void {
    this.says = words;
  }

  beSilent(): void {
    this.says = undefined;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private accept(client: Socket): void {
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
    client.on('data', (bytes) => {
      if (this.says) client.end(errorResponse(this.says));
      else real.write(bytes);
    });
    real.on('data', (bytes) => client.write(bytes));
  }
}

/** ErrorResponse of the protocol: its fields are a letter and a text each, and a zero byte ends them. */
function errorResponse({ code, message }: DatabaseWords): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0D${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
