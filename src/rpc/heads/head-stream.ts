import type { Block, Head } from '../../domain/block.js';
import { chainDescription, windowBlocks } from '../../domain/chain-description.js';
import type { Clock } from '../../domain/clock.js';
import type { EndpointRole } from '../../domain/endpoint-role.js';
import { messageOf } from '../../domain/errors.js';
import type { Events } from '../../domain/events/events.js';
import type { Address, Hash } from '../../domain/hex.js';
import type { Secret } from '../../domain/secret.js';
import type { RawLog } from '../chain/chain-answers.js';
import { HeardLogs } from './heard-logs.js';
import { WsHeadSource, type WsTimings } from './ws-head-source.js';

export interface HeadStreamTimings extends WsTimings {
  /** Between two questions for the head while no WebSocket gives any, in milliseconds. */
  readonly pollIntervalMs: number;
  /** Silence of the WebSockets after which the head is asked for over HTTP: this many blocks, at the pace seen lately … */
  readonly silenceBlocks: number;
  /** … or this many milliseconds, whichever is shorter. */
  readonly silenceMs: number;
  /** For how long lower heads are taken for late ones, while no higher one comes. Milliseconds. */
  readonly disbeliefMs: number;
  /** How often silence is looked for, in milliseconds. */
  readonly watchIntervalMs: number;
}

export const HEAD_STREAM_TIMINGS: HeadStreamTimings = {
  pollIntervalMs: 500,
  silenceBlocks: 3,
  silenceMs: 3_000,
  disbeliefMs: 30_000,
  watchIntervalMs: 50,
  connectTimeoutMs: 5_000,
  reconnectMinMs: 250,
  reconnectMaxMs: 10_000,
};

export interface HeadStreamOptions {
  readonly chainId: number;
  /** The WebSockets to listen to, all at once; none means polling only. */
  readonly sources: readonly { readonly role: EndpointRole; readonly url: Secret }[];
  readonly timings?: Partial<HeadStreamTimings> | undefined;
  /** Told the number of each head: a stale endpoint is noticed by it. */
  readonly sawHead?: ((number: number) => void) | undefined;
}

export interface HeadStreamStatus {
  readonly via: 'websocket' | 'polling';
  readonly head: Head | undefined;
}

/** A window shorter than this would take jitter of a fast chain for silence. Milliseconds. */
const SHORTEST_WINDOW_MS = 250;
/** The weight of the latest interval in the running mean of block intervals. */
const PACE_WEIGHT = 0.2;

/**
 * The heads of the chain, each once and never an older one, from all WebSockets at once, and by HTTP polling while those are
 * silent. A sibling (the same number, another hash) is given: that is how a reorg shows. Heads may be missing in between; the
 * parent hash tells. Beside them the logs that the WebSockets tell, for whoever asks for those of a block.
 */
export class HeadStream {
  readonly #timings: HeadStreamTimings;
  readonly #sources: readonly WsHeadSource[];
  readonly #pollHead: () => Promise<Block>;
  readonly #clock: Clock;
  readonly #sawHead: ((number: number) => void) | undefined;
  readonly #events: Events;
  /** Hashes of the latest heads, to tell a repeated head from a new one. */
  readonly #seen = new Set<Hash>();
  /** How many blocks are remembered: their hashes and their logs. */
  readonly #rememberedBlocks: number;
  readonly #heard: HeardLogs;
  #onHead: ((head: Head) => unknown) | undefined;
  #watch: NodeJS.Timeout | undefined;
  #last: Head | undefined;
  #wsHeadAtMs = 0; // of the last head over WebSocket, or of the start
  #pace: { number: number; atMs: number; blockMs: number | undefined } | undefined;
  #polling = false;
  #pollInFlight = false;
  #pollFailing = false;
  #polledAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param pollHead the latest block over HTTP, from whichever endpoint serves.
   * @throws TypeError when the URL of a source is not one of ws or wss.
   */
  constructor(options: HeadStreamOptions, pollHead: () => Promise<Block>, clock: Clock, events: Events) {
    this.#timings = { ...HEAD_STREAM_TIMINGS, ...options.timings };
    this.#pollHead = pollHead;
    this.#clock = clock;
    this.#sawHead = options.sawHead;
    this.#events = events;
    this.#rememberedBlocks = windowBlocks('reorg', chainDescription(options.chainId));
    this.#heard = new HeardLogs(this.#rememberedBlocks);
    this.#sources = options.sources.map(
      ({ role, url }) =>
        new WsHeadSource({
          role,
          url,
          chainId: options.chainId,
          timings: this.#timings,
          clock,
          events,
          onHead: (head) => this.#fromWebSocket(head),
          onLog: (heard) => this.#heard.add(heard),
          onRemovedLog: (removed) => this.#heard.remove(removed),
        }),
    );
  }

  /** @param onHead called with each head, in order. What it throws or rejects with becomes an event and goes no further. */
  start(onHead: (head: Head) => unknown): void {
    if (this.#onHead) throw new TypeError('the head stream was started already');
    this.#onHead = onHead;
    this.#wsHeadAtMs = this.#clock.monotonicMs();
    this.#polling = this.#sources.length === 0;
    for (const source of this.#sources) source.start();
    this.#watch = setInterval(() => this.watch(), this.#timings.watchIntervalMs);
    void this.#poll(); // the head of now, not only the next one
  }

  stop(): void {
    clearInterval(this.#watch);
    for (const source of this.#sources) source.stop();
    this.#onHead = undefined;
  }

  /** Whose logs are listened to from now on, before or after the start; none means no logs. */
  listenTo(addresses: readonly Address[]): void {
    for (const source of this.#sources) source.listenTo(addresses);
  }

  /**
   * The logs of the block that the WebSockets have told so far, each once, in the order of the block. Some may be missing, even
   * all: logs may come after their head, and not at all. For the blocks of the `reorg` window.
   */
  heard(blockHash: Hash): readonly RawLog[] {
    return this.#heard.of(blockHash);
  }

  get status(): HeadStreamStatus {
    return { via: this.#polling ? 'polling' : 'websocket', head: this.#last };
  }

  /** One look at the clock: starts polling when the WebSockets are silent, and renews those that fell behind. */
  watch(): void {
    const nowMs = this.#clock.monotonicMs();
    const windowMs = this.#silenceWindowMs();
    if (!this.#polling && nowMs - this.#wsHeadAtMs > windowMs) {
      this.#polling = true;
      this.#events.emit({ event: 'heads-silent', silentMs: Math.round(nowMs - this.#wsHeadAtMs) });
    }
    if (this.#polling && nowMs - this.#polledAtMs >= this.#timings.pollIntervalMs) void this.#poll();
    for (const source of this.#sources) {
      // Silence alone proves nothing, the chain may rest. To miss a head that others have does.
      if (source.behindForMs(nowMs) > windowMs) source.reconnect('it missed heads that were seen elsewhere');
    }
  }

  #silenceWindowMs(): number {
    const { silenceBlocks, silenceMs } = this.#timings;
    const blockMs = this.#pace?.blockMs;
    if (blockMs === undefined) return silenceMs;
    return Math.min(silenceMs, Math.max(SHORTEST_WINDOW_MS, silenceBlocks * blockMs));
  }

  #fromWebSocket(head: Head): void {
    if (this.#isOlder(head)) return;
    // A head that polling or the other WebSocket had first proves this one alive all the same.
    this.#wsHeadAtMs = head.receivedAtMs;
    if (this.#polling) {
      this.#polling = false;
      this.#pace = undefined; // the pause is no block interval
      this.#events.emit({ event: 'heads-resumed' });
    }
    this.#keepPace(head);
    if (!this.#seen.has(head.hash)) this.#emit(head);
  }

  #keepPace(head: Head): void {
    const before = this.#pace;
    const blocks = before ? head.number - before.number : 0;
    if (before && blocks <= 0) return; // a sibling, or the same head from another endpoint
    const seenMs = before && (head.receivedAtMs - before.atMs) / blocks;
    const blockMs =
      before?.blockMs !== undefined && seenMs !== undefined
        ? before.blockMs + PACE_WEIGHT * (seenMs - before.blockMs)
        : seenMs;
    this.#pace = { number: head.number, atMs: head.receivedAtMs, blockMs };
  }

  async #poll(): Promise<void> {
    if (this.#pollInFlight) return;
    this.#pollInFlight = true;
    this.#polledAtMs = this.#clock.monotonicMs();
    try {
      const block = await this.#pollHead();
      const head: Head = { ...block, receivedAtMs: this.#clock.monotonicMs() };
      this.#pollFailing = false;
      if (this.#onHead && !this.#isOlder(head) && !this.#seen.has(head.hash)) this.#emit(head);
    } catch (error) {
      // One line per outage, not one per half second.
      if (!this.#pollFailing && this.#onHead)
        this.#events.emit({ event: 'head-poll-failed', reason: messageOf(error) });
      this.#pollFailing = true;
    } finally {
      this.#pollInFlight = false;
    }
  }

  /** A head far ahead of all others is a node's nonsense: after a while without another one, lower ones count again. */
  #isOlder(head: Head): boolean {
    if (this.#last === undefined || head.number >= this.#last.number) return false;
    return head.receivedAtMs - this.#last.receivedAtMs <= this.#timings.disbeliefMs;
  }

  #emit(head: Head): void {
    this.#last = head;
    for (const source of this.#sources) source.othersHave(head.number, head.receivedAtMs);
    this.#sawHead?.(head.number);
    this.#seen.add(head.hash);
    const [oldest] = this.#seen;
    if (this.#seen.size > this.#rememberedBlocks && oldest !== undefined) this.#seen.delete(oldest);
    const failed = (error: unknown): void => {
      this.#events.emit({ event: 'head-handler-failed', block: head.number, reason: messageOf(error) });
    };
    try {
      void Promise.resolve(this.#onHead?.(head)).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
