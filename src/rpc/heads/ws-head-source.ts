import { WebSocket } from 'ws';

import type { Head } from '../../domain/block.js';
import type { Clock } from '../../domain/clock.js';
import type { EndpointRole } from '../../domain/endpoint-role.js';
import { messageOf } from '../../domain/errors.js';
import type { Address } from '../../domain/hex.js';
import type { Secret } from '../../domain/secret.js';
import { parseBlock } from '../chain/chain-answers.js';
import { EndpointAddress } from '../endpoints/endpoint-address.js';
import { toNumber, toObject } from '../quantities.js';
import { WsLogSubscription, type WsLogSubscriptionOptions } from './ws-log-subscription.js';

export interface WsTimings {
  /** From the first attempt to the confirmed subscription, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** The wait before the first reconnection; doubled after each failure. */
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
}

export interface WsHeadSourceOptions extends WsLogSubscriptionOptions {
  readonly url: Secret;
  readonly chainId: number;
  readonly timings: WsTimings;
  readonly clock: Clock;
  readonly onHead: (head: Head) => void;
}

/** A header is below 3 kB, and so is nearly every log; this leaves room for anything a node may add. */
const LARGEST_FRAME_BYTES = 1024 * 1024;

/**
 * newHeads and logs of one endpoint over one WebSocket: connects, makes sure that it is our chain, subscribes, and connects
 * again whenever the connection is lost, waiting longer each time. Gives heads and logs as they come, in whatever order.
 * It does not know that it has fallen silent: see {@link HeadStream}, which calls {@link reconnect}.
 */
export class WsHeadSource {
  readonly #options: WsHeadSourceOptions;
  readonly #address: EndpointAddress;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #running = false;
  #nextId = 1; // never used twice: an answer of a former connection answers nothing
  #chainIdRequest: number | undefined;
  #headsRequest: number | undefined;
  #rightChain = false;
  #headsSubscription: string | undefined;
  readonly #logs: WsLogSubscription;

  #lastNumber = -1;
  #missed: { readonly number: number; readonly atMs: number } | undefined;

  /** @throws TypeError when the URL is not one of ws or wss. */
  constructor(options: WsHeadSourceOptions) {
    this.#options = options;
    this.#address = new EndpointAddress(options.role, options.url, ['ws:', 'wss:']);
    this.#logs = new WsLogSubscription((method, params) => this.#send(method, params), options);
  }

  get role(): EndpointRole {
    return this.#options.role;
  }

  /** @param addresses whose logs are to be given from now on; none means no logs. */
  listenTo(addresses: readonly Address[]): void {
    this.#logs.listenTo(addresses);
  }

  /** Somebody else gave this head. @param atMs when, in monotonic milliseconds. */
  othersHave(number: number, atMs: number): void {
    if (number > this.#lastNumber) this.#missed ??= { number, atMs };
  }

  /** For how long others have had a head that this one has not given; 0 while connecting. Milliseconds. */
  behindForMs(nowMs: number): number {
    return this.#headsSubscription !== undefined && this.#missed ? nowMs - this.#missed.atMs : 0;
  }

  start(): void {
    this.#running = true;
    this.#connect();
  }

  stop(): void {
    this.#running = false;
    this.#drop();
  }

  /** Gives the present connection up and makes a new one. */
  reconnect(reason: string): void {
    if (!this.#running) return;
    this.#drop();
    const { reconnectMinMs, reconnectMaxMs } = this.#options.timings;
    const waitMs = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** this.#failures);
    // Only the first of a series: a node that is down for an hour is one line.
    if (this.#failures === 0)
      this.#options.events.emit({ event: 'websocket-lost', endpoint: this.role, reason });
    this.#failures++;
    this.#timer = setTimeout(() => this.#connect(), waitMs);
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#rightChain = false;
    this.#headsSubscription = undefined;
    this.#logs.closed();
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.removeAllListeners();
    socket.on('error', () => undefined); // terminate() before the handshake is over emits one
    socket.terminate();
  }

  #connect(): void {
    const { connectTimeoutMs } = this.#options.timings;
    const socket = new WebSocket(this.#address.reveal(), {
      handshakeTimeout: connectTimeoutMs,
      maxPayload: LARGEST_FRAME_BYTES,
      perMessageDeflate: false, // a header is small, and inflating it costs time on the way of every head
      followRedirects: false,
    });
    this.#socket = socket;
    this.#timer = setTimeout(
      () => this.reconnect(`there was no subscription within ${connectTimeoutMs} ms`),
      connectTimeoutMs,
    );

    socket.on('message', (frame: Buffer) => {
      const receivedAtMs = this.#options.clock.monotonicMs(); // first of all: latencies count from here
      this.#read(frame, receivedAtMs);
    });
    socket.on('open', () => {
      this.#chainIdRequest = this.#send('eth_chainId', []);
      this.#headsRequest = this.#send('eth_subscribe', ['newHeads']);
    });
    // The messages of these errors name the host. An error is always followed by a close.
    socket.on('error', () => undefined);
    socket.on('close', (code) => this.reconnect(`the connection was closed (${code})`));
  }

  #send(method: string, params: readonly unknown[]): number {
    const id = this.#nextId++;
    this.#socket?.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return id;
  }

  #ignored(message: 'frame' | 'head', reason: string): void {
    const { role, events } = this.#options;
    events.emit({ event: 'websocket-message-ignored', endpoint: role, message, reason });
  }

  #read(frame: Buffer, receivedAtMs: number): void {
    let message: Record<string, unknown>;
    try {
      message = toObject(JSON.parse(frame.toString('utf8')));
    } catch {
      this.#ignored('frame', 'it is not JSON-RPC');
      return;
    }
    const { id, method, params, result } = message;
    if (method === 'eth_subscription') this.#readPushed(params, receivedAtMs);
    else if (id === this.#chainIdRequest) this.#readChainId(result);
    else if (id === this.#headsRequest) this.#readSubscription(result);
    else this.#logs.answered(id, result);
  }

  #readChainId(result: unknown): void {
    try {
      const answered = toNumber(result);
      if (answered === this.#options.chainId) this.#rightChain = true;
      else this.reconnect(`it answers chain id ${answered}, ${this.#options.chainId} was expected`);
    } catch {
      this.reconnect('it does not answer eth_chainId');
    }
  }

  #readSubscription(result: unknown): void {
    if (typeof result !== 'string') {
      this.reconnect('it refuses eth_subscribe newHeads');
      return;
    }
    this.#headsSubscription = result;
    this.#missed = undefined; // what came before the subscription was not to be had
    clearTimeout(this.#timer);
    this.#logs.opened(); // last, so that whatever a node makes of it, heads are subscribed to
  }

  #readPushed(params: unknown, receivedAtMs: number): void {
    if (!this.#rightChain || typeof params !== 'object' || params === null || Array.isArray(params)) return;
    const { subscription, result } = toObject(params);
    if (typeof subscription !== 'string') return;
    if (subscription === this.#headsSubscription) this.#readHead(result, receivedAtMs);
    else this.#logs.pushed(subscription, result);
  }

  #readHead(result: unknown, receivedAtMs: number): void {
    try {
      const head: Head = { ...parseBlock(result), receivedAtMs };
      if (this.#failures > 0) this.#options.events.emit({ event: 'websocket-restored', endpoint: this.role });
      this.#failures = 0;
      this.#lastNumber = head.number;
      if (this.#missed && head.number >= this.#missed.number) this.#missed = undefined;
      this.#options.onHead(head);
    } catch (error) {
      this.#ignored('head', messageOf(error));
    }
  }
}
