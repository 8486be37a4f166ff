import { readFileSync } from 'node:fs';
import {
  createServer as createHttp,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { sharedCertificates } from '../certificates.js';
import { reply, replyWith, type TransportFault } from './transport-fault.js';

/** A request that arrived in full. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ServerAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Record<string, string>;
}

/** Judges a request as the real service does. */
export type Judge = (request: Received) => ServerAnswer;

/** Judges every request, and then answers as the fault has it. */
export class ReceivingServer {
  /** Every request that arrived in full, in order. */
  readonly received: Received[] = [];
  fault: TransportFault | undefined;
  #server!: Server;
  #authorityFile: string | undefined;

  private constructor() {}

  /** @param over `https`: with a certificate of an authority of its own. */
  static async start(judge: Judge, over: 'http' | 'https' = 'https', port = 0): Promise<ReceivingServer> {
    const server = new ReceivingServer();
    const handle = (request: IncomingMessage, response: Parameters<typeof reply>[0]): void => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url: path = '', headers } = request;
        const received = { method, path, headers, body: Buffer.concat(chunks).toString() };
        server.received.push(received);
        const isRefusedOnTheWay = server.fault?.kind === 'status' || server.fault?.kind === 'body';
        const answer = isRefusedOnTheWay ? { status: 200, body: '' } : judge(received);
        // A connection that is encrypted cannot be reset: it is cut.
        if (server.fault?.kind === 'reset') response.socket?.destroy();
        else if (server.fault) replyWith(response, server.fault, answer.body);
        else reply(response, answer.status, answer.body, answer.headers);
      });
    };
    if (over === 'http') server.#server = createHttp(handle);
    else {
      const { ca, certificate, key } = sharedCertificates();
      server.#authorityFile = ca;
      server.#server = createHttps({ cert: certificate, key }, handle);
    }
    await new Promise<void>((resolve) => server.#server.listen(port, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    const scheme = this.#authorityFile === undefined ? 'http' : 'https';
    return `${scheme}://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** A file: the authority that signed its certificate, for NODE_EXTRA_CA_CERTS. */
  get authorityFile(): string {
    if (this.#authorityFile === undefined) throw new Error('a server without encryption has no authority');
    return this.#authorityFile;
  }

  get authority(): string {
    return readFileSync(this.authorityFile, 'utf8');
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** A service of another side: it judges every request as the real one does, behind a server that can fail. */
export abstract class ReceivingService {
  #server!: ReceivingServer;

  protected abstract judge(request: Received): ServerAnswer;

  protected async listen(over?: 'http' | 'https', port?: number): Promise<this> {
    this.#server = await ReceivingServer.start((request) => this.judge(request), over, port);
    return this;
  }

  get server(): ReceivingServer {
    return this.#server;
  }

  set fault(fault: TransportFault | undefined) {
    this.#server.fault = fault;
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

export function jsonAnswer(status: number, body: object, headers: Record<string, string> = {}): ServerAnswer {
  return { status, body: JSON.stringify(body), headers };
}

/** An object of a JSON text; undefined for anything else. */
export function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
