import { WebSocket } from 'ws';

import type { Head } from '../../domain/block.js';
import type { Clock } from '../../domain/clock.js';
import type { EndpointRole } from '../../domain/endpoint-role.js';
import { messageOf } from '../../domain/errors.js';
import type { Address } from '../../domain/hex.js';
import type { Secret } from '../../domain/secret.js';
import { parseBlock } from '../chain/chain-answers.js';
import { refusalOf } from '../endpoints/answer-limits.js';
import { EndpointAddress } from '../endpoints/endpoint-address.js';
import { USER_AGENT } from '../endpoints/user-agent.js';
import type { HeaderHashes } from '../header-hashes.js';
import { toNumber, toObject } from '../quantities.js';
import { OncePerMinute } from './once-per-minute.js';
import { WsLogSubscription, type WsLogSubscriptionOptions } from './ws-log-subscription.js';

export interface WsTimings {
  /** From the first attempt to the confirmed subscription, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** The wait before the first reconnection, in milliseconds. It doubles after each failure. */
  readonly reconnectMinMs: number;
  /** The longest wait, in milliseconds. */
  readonly reconnectMaxMs: number;
}

export interface WsHeadSourceOptions extends WsLogSubscriptionOptions {
  readonly url: Secret;
  readonly chainId: number;
  readonly timings: WsTimings;
  readonly headers: HeaderHashes;
  readonly clock: Clock;
  readonly onHead: (head: Head) => void;
}

/** A header is smaller than 3 kB, and so is nearly every log. The rest is room for what a node may add. */
const LARGEST_FRAME_BYTES = 1024 * 1024;

/** A chain of five blocks a second, and the logs of our contracts, are far fewer. */
const MOST_FRAMES_A_SECOND = 2_000;

/**
 * The heads and logs of one endpoint over one WebSocket. It connects, checks the chain id and subscribes.
 * When the connection is lost, it connects again, and waits longer after each failure. It gives heads and
 * logs in the order in which they come. It does not notice silence: HeadStream does, and calls
 * {@link reconnect}.
 */
export class WsHeadSource {
  readonly #options: WsHeadSourceOptions;
  readonly #address: EndpointAddress;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #running = false;
  #nextId = 1; // no id is used twice, so an answer over an earlier connection matches no request
  #chainIdRequest: number | undefined;
  #headsRequest: number | undefined;
  #rightChain = false;
  #headsSubscription: string | undefined;
  readonly #logs: WsLogSubscription;

  /** The frames of the present second. */
  #second = { sinceMs: 0, frames: 0 };
  readonly #reported = new OncePerMinute();
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

  /** Asks for the logs of these addresses from now on. No address means no logs. */
  listenTo(addresses: readonly Address[]): void {
    this.#logs.listenTo(addresses);
  }

  /** This head came from elsewhere. @param atMs when, in monotonic milliseconds. */
  headSeenElsewhere(number: number, atMs: number): void {
    if (number > this.#lastNumber) this.#missed ??= { number, atMs };
  }

  /**
   * How long ago a head was seen elsewhere that this endpoint has not given; 0 while connecting.
   * Milliseconds.
   */
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

  /** Closes the connection and opens a new one after a wait. */
  reconnect(reason: string): void {
    if (!this.#running) return;
    this.#drop();
    const { reconnectMinMs, reconnectMaxMs } = this.#options.timings;
    const waitMs = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** this.#failures);
    // Only the first of a series: a node that is down for an hour causes one event.
    if (this.#failures === 0 && this.#reported.isDue(reason, this.#options.clock.monotonicMs()))
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
      perMessageDeflate: false, // a header is small, and to inflate it would delay every head
      followRedirects: false,
      headers: { 'user-agent': USER_AGENT },
    });
    this.#socket = socket;
    this.#second = { sinceMs: 0, frames: 0 };
    this.#timer = setTimeout(
      () => this.reconnect(`there was no subscription within ${connectTimeoutMs} ms`),
      connectTimeoutMs,
    );

    socket.on('message', (frame: Buffer) => {
      const receivedAtMs = this.#options.clock.monotonicMs(); // before any work: latencies count from here
      this.#read(frame, receivedAtMs);
    });
    socket.on('open', () => {
      this.#chainIdRequest = this.#send('eth_chainId', []);
      this.#headsRequest = this.#send('eth_subscribe', ['newHeads']);
    });
    // The messages of these errors hold the host name. A close follows every error.
    socket.on('error', () => undefined);
    socket.on('close', (code) => this.reconnect(`the connection was closed (${code})`));
  }

  #send(method: string, params: readonly unknown[]): number {
    const id = this.#nextId++;
    this.#socket?.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return id;
  }

  #ignored(message: 'frame' | 'head', reason: string): void {
    const { role, events, clock } = this.#options;
    if (this.#reported.isDue(`${message} ${reason}`, clock.monotonicMs()))
      events.emit({ event: 'websocket-message-ignored', endpoint: role, message, reason });
  }

  #read(frame: Buffer, receivedAtMs: number): void {
    if (this.#floods(receivedAtMs)) {
      this.reconnect(`it sent more than ${MOST_FRAMES_A_SECOND} frames in a second`);
      return;
    }
    let message: Record<string, unknown>;
    const refused = refusalOf(frame);
    if (refused !== undefined) {
      this.#ignored('frame', `it ${refused}`);
      return;
    }
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

  #floods(nowMs: number): boolean {
    if (nowMs - this.#second.sinceMs >= 1_000) this.#second = { sinceMs: nowMs, frames: 0 };
    return ++this.#second.frames > MOST_FRAMES_A_SECOND;
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
    this.#missed = undefined; // heads from before the subscription are not missed
    clearTimeout(this.#timer);
    this.#logs.opened(); // last: a node that fails on this still gives heads
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
      const head: Head = { ...parseBlock(result, this.#options.headers), receivedAtMs };
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
