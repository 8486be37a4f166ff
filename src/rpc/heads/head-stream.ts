import type { Block, Head } from '../../domain/block.js';
import { chainDescription, windowBlocks } from '../../domain/chain-description.js';
import type { Clock } from '../../domain/clock.js';
import type { EndpointRole } from '../../domain/endpoint-role.js';
import { messageOf } from '../../domain/errors.js';
import type { Events } from '../../domain/events/events.js';
import type { Address, Hash } from '../../domain/hex.js';
import type { Secret } from '../../domain/secret.js';
import type { RawLog } from '../chain/chain-answers.js';
import { HeaderHashes } from '../header-hashes.js';
import type { HeadLinks } from './head-links.js';
import { HeardLogs } from './heard-logs.js';
import { OncePerMinute } from './once-per-minute.js';
import { WsHeadSource, type WsTimings } from './ws-head-source.js';

export interface HeadStreamTimings extends WsTimings {
  /** From one poll to the next while no WebSocket gives heads, in milliseconds. */
  readonly pollIntervalMs: number;
  /** Polling starts when no WebSocket gave a head for the time of so many blocks, at the latest pace, … */
  readonly silenceBlocks: number;
  /** … or for so many milliseconds, whichever is shorter. */
  readonly silenceMs: number;
  /** Lower heads are ignored for so long after the highest one came, in milliseconds. */
  readonly ignoreLowerMs: number;
  /** From one check for silence to the next, in milliseconds. */
  readonly watchIntervalMs: number;
}

export const HEAD_STREAM_TIMINGS: HeadStreamTimings = {
  pollIntervalMs: 500,
  silenceBlocks: 3,
  silenceMs: 3_000,
  ignoreLowerMs: 30_000,
  watchIntervalMs: 50,
  connectTimeoutMs: 5_000,
  reconnectMinMs: 250,
  reconnectMaxMs: 10_000,
};

export interface HeadStreamOptions {
  readonly chainId: number;
  /** The WebSockets to listen to, all at once. Without any, heads are polled. */
  readonly sources: readonly { readonly role: EndpointRole; readonly url: Secret }[];
  readonly timings?: Partial<HeadStreamTimings> | undefined;
  /** Checks the hash of each header, together with those that are asked for. */
  readonly headers?: HeaderHashes | undefined;
  /** Called with each head: an endpoint that is behind is noticed by it, and the block time is measured. */
  readonly sawHead?: ((head: Head) => void) | undefined;
  /**
   * Whether a head whose parent is not known belongs to the chain. It throws when that cannot be read.
   * Without it, every head is believed.
   */
  readonly links?: Pick<HeadLinks, 'lead'> | undefined;
  /** Called when a head was not believed, so that the endpoints are compared at once. */
  readonly doubted?: (() => void) | undefined;
}

export interface HeadStreamStatus {
  readonly via: 'websocket' | 'polling';
  readonly head: Head | undefined;
}

/** A shorter silence is jitter on a chain of fast blocks. Milliseconds. */
const SHORTEST_SILENCE_MS = 250;
/** How long the logs of an endpoint do not count after it invented one: ten minutes. */
const DEAF_MS = 600_000;
/** Heads whose links are asked for at once. */
const MOST_QUESTIONS = 4;
/** The weight of the latest block interval in the running mean. */
const PACE_WEIGHT = 0.2;

/**
 * The heads of the chain, from all WebSockets at once. While the WebSockets are silent, the latest block is
 * polled over HTTP. A head is believed when its parent is known, or when headers lead there (F41). Each head
 * is given once, and never one with a lower number than before. A sibling (the
 * same number, another hash) is given, because a reorg shows by it. Heads may be missing in between: compare
 * the parent hashes. The stream also keeps the logs that the WebSockets send, see {@link heard}.
 */
export class HeadStream {
  readonly #timings: HeadStreamTimings;
  readonly #sources: readonly WsHeadSource[];
  readonly #pollHead: () => Promise<Block>;
  readonly #clock: Clock;
  readonly #sawHead: ((head: Head) => void) | undefined;
  readonly #events: Events;
  readonly #links: HeadStreamOptions['links'];
  readonly #doubted: (() => void) | undefined;
  readonly #reported = new OncePerMinute();
  /** Heads whose links are being read. */
  readonly #asking = new Map<Hash, Promise<boolean>>();
  /** Hashes and numbers of the latest heads, to tell a repeated head from a new one, and to know parents. */
  readonly #seen = new Map<Hash, number>();
  /** How many blocks are remembered: their hashes and their logs. */
  readonly #rememberedBlocks: number;
  readonly #heard: HeardLogs;
  /** Until when the logs of an endpoint that invented one do not count, in monotonic milliseconds. */
  readonly #deafUntilMs = new Map<EndpointRole, number>();
  #onHead: ((head: Head) => unknown) | undefined;
  #watch: NodeJS.Timeout | undefined;
  /** The first head that was asked for or came. Later ones must link to it. */
  #first: Block | undefined;
  #last: Head | undefined;
  #wsHeadAtMs = 0; // when the last head came over WebSocket, or the start
  #pace: { number: number; atMs: number; blockMs: number | undefined } | undefined;
  #polling = false;
  #pollInFlight = false;
  #pollFailing = false;
  #polledAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param pollHead reads the latest block over HTTP.
   * @throws TypeError when the URL of a source is not one of ws or wss.
   */
  constructor(options: HeadStreamOptions, pollHead: () => Promise<Block>, clock: Clock, events: Events) {
    this.#timings = { ...HEAD_STREAM_TIMINGS, ...options.timings };
    this.#pollHead = pollHead;
    this.#clock = clock;
    this.#sawHead = options.sawHead;
    this.#links = options.links;
    this.#doubted = options.doubted;
    this.#events = events;
    this.#rememberedBlocks = windowBlocks('reorg', chainDescription(options.chainId));
    this.#heard = new HeardLogs(this.#rememberedBlocks);
    const headers = options.headers ?? new HeaderHashes(clock);
    this.#sources = options.sources.map(
      ({ role, url }) =>
        new WsHeadSource({
          role,
          url,
          chainId: options.chainId,
          timings: this.#timings,
          headers,
          clock,
          events,
          onHead: (head) => void this.#fromWebSocket(head, role),
          onLog: (heard) => this.#hear(heard, role),
          onRemovedLog: (removed) => this.#heard.remove(removed),
        }),
    );
  }

  /**
   * @param onHead is called with each head, in order. An error of it becomes an event and does not stop the
   * stream.
   */
  start(onHead: (head: Head) => unknown): void {
    if (this.#onHead) throw new TypeError('the head stream was started already');
    this.#onHead = onHead;
    this.#wsHeadAtMs = this.#clock.monotonicMs();
    this.#polling = this.#sources.length === 0;
    for (const source of this.#sources) source.start();
    this.#watch = setInterval(() => this.watch(), this.#timings.watchIntervalMs);
    void this.#poll(); // the present head, before the next one comes
  }

  stop(): void {
    clearInterval(this.#watch);
    for (const source of this.#sources) source.stop();
    this.#onHead = undefined;
  }

  /**
   * Asks for the logs of these addresses from now on. No address means no logs. May be called before the
   * start and after.
   */
  listenTo(addresses: readonly Address[]): void {
    for (const source of this.#sources) source.listenTo(addresses);
  }

  /**
   * The logs of a block that came over the WebSockets so far, each once, in the order of the block. Logs may
   * be missing, even all of them: a log may come after its head, or not at all. The blocks of the `reorg`
   * window are kept.
   */
  heard(blockHash: Hash): readonly RawLog[] {
    return this.#heard.of(blockHash);
  }

  /**
   * The block does not hold this log, which a WebSocket delivered. From now on no log counts that only the
   * endpoints behind it deliver, for some minutes.
   */
  invented(log: RawLog): void {
    const untilMs = this.#clock.monotonicMs() + DEAF_MS;
    for (const endpoint of this.#heard.deliverers(log)) {
      this.#deafUntilMs.set(endpoint, untilMs);
      this.#heard.forget(endpoint);
      this.#events.emit({ event: 'logs-not-believed', endpoint, block: log.blockNumber });
    }
  }

  #hear(log: RawLog, role: EndpointRole): void {
    if (this.#clock.monotonicMs() >= (this.#deafUntilMs.get(role) ?? 0)) this.#heard.add(log, role);
  }

  get status(): HeadStreamStatus {
    return { via: this.#polling ? 'polling' : 'websocket', head: this.#last };
  }

  /**
   * Starts polling when the WebSockets are silent, and reconnects those that are behind. Called at every
   * interval.
   */
  watch(): void {
    const nowMs = this.#clock.monotonicMs();
    const silenceMs = this.#silenceMs();
    if (!this.#polling && nowMs - this.#wsHeadAtMs > silenceMs) {
      this.#polling = true;
      this.#events.emit({ event: 'heads-silent', silentMs: Math.round(nowMs - this.#wsHeadAtMs) });
    }
    if (this.#polling && nowMs - this.#polledAtMs >= this.#timings.pollIntervalMs) void this.#poll();
    for (const source of this.#sources) {
      // Silence alone is no fault of a WebSocket: the chain may make no blocks. Missing a head that was seen
      // elsewhere is.
      if (source.behindForMs(nowMs) > silenceMs) source.reconnect('it missed heads that were seen elsewhere');
    }
  }

  #silenceMs(): number {
    const { silenceBlocks, silenceMs } = this.#timings;
    const blockMs = this.#pace?.blockMs;
    if (blockMs === undefined) return silenceMs;
    return Math.min(silenceMs, Math.max(SHORTEST_SILENCE_MS, silenceBlocks * blockMs));
  }

  async #fromWebSocket(head: Head, role: EndpointRole): Promise<void> {
    if (this.#isOlder(head)) return;
    // Without a wait for a head that follows: heads stay in their order.
    this.#first ??= head;
    if (!this.#follows(head) && !(await this.believes(head, role))) return;
    if (!this.#onHead || this.#isOlder(head)) return;
    // Even a head that came first by polling or from the other WebSocket shows that this one works.
    this.#wsHeadAtMs = head.receivedAtMs;
    if (this.#polling) {
      this.#polling = false;
      this.#pace = undefined; // the pause is not a block interval
      this.#events.emit({ event: 'heads-resumed' });
    }
    this.#measurePace(head);
    if (!this.#seen.has(head.hash)) this.#emit(head);
  }

  /**
   * Whether a head belongs to the chain that is known: its parent is known, or headers lead there (F41). The
   * first one is believed. Never throws: what cannot be read now is not believed now.
   *
   * @param endpoint the one that claims it; undefined when it was asked for over HTTP.
   */
  async believes(head: Block, endpoint?: EndpointRole): Promise<boolean> {
    this.#first ??= head;
    if (this.#follows(head)) return true;
    const believed = await this.#leads(head);
    if (!believed) {
      const known = (this.#last ?? this.#first).number;
      if (this.#reported.isDue(endpoint ?? 'http', this.#clock.monotonicMs()))
        this.#events.emit({ event: 'head-not-believed', endpoint, block: head.number, known });
      this.#doubted?.();
    }
    return believed;
  }

  /** Whether nothing has to be read to believe it. */
  #follows({ hash, number, parentHash }: Block): boolean {
    if (!this.#links || !this.#first || this.#seen.get(hash) === number) return true;
    return this.#first.hash === hash || this.#seen.get(parentHash) === number - 1;
  }

  #leads(head: Block): Promise<boolean> {
    const asked = this.#asking.get(head.hash);
    if (asked) return asked;
    const [links, last, first] = [this.#links, this.#last ?? this.#first, this.#first];
    if (!links || !last) return Promise.resolve(true);
    if (this.#asking.size >= MOST_QUESTIONS) return Promise.resolve(false); // a flood: later ones are asked
    const question = links
      .lead(head, last, (hash) => this.#seen.has(hash) || hash === first?.hash)
      .catch(() => false)
      .finally(() => this.#asking.delete(head.hash));
    this.#asking.set(head.hash, question);
    return question;
  }

  #measurePace(head: Head): void {
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
      const isNew = !this.#isOlder(head) && !this.#seen.has(head.hash);
      if (isNew && !(await this.believes(head))) return;
      if (this.#onHead && !this.#isOlder(head) && !this.#seen.has(head.hash)) this.#emit(head);
    } catch (error) {
      // One event for an outage, not one for each poll.
      if (!this.#pollFailing && this.#onHead)
        this.#events.emit({ event: 'head-poll-failed', reason: messageOf(error) });
      this.#pollFailing = true;
    } finally {
      this.#pollInFlight = false;
    }
  }

  /**
   * A late head is lower than the last one, and so is every head after a node claimed a number far ahead of
   * the chain. So lower heads count again when no higher one has come for a while.
   */
  #isOlder(head: Head): boolean {
    if (this.#last === undefined || head.number >= this.#last.number) return false;
    return head.receivedAtMs - this.#last.receivedAtMs <= this.#timings.ignoreLowerMs;
  }

  #emit(head: Head): void {
    this.#last = head;
    for (const source of this.#sources) source.headSeenElsewhere(head.number, head.receivedAtMs);
    this.#sawHead?.(head);
    this.#seen.set(head.hash, head.number);
    const [oldest] = this.#seen.keys();
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
