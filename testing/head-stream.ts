import type { Block, Head } from '../src/domain/block.js';
import { Clock } from '../src/domain/clock.js';
import { Secret } from '../src/domain/secret.js';
import { parseBlock } from '../src/rpc/chain/chain-answers.js';
import { HeaderHashes } from '../src/rpc/header-hashes.js';
import type { HeadLinks } from '../src/rpc/heads/head-links.js';
import { HeadStream, type HeadStreamTimings } from '../src/rpc/heads/head-stream.js';
import { RecordedEvents } from './fakes/recorded-events.js';
import { blockOf, eventually, FakeRpc } from './nodes/fake-rpc.js';

/** Short, so that a test sees each of them end. */
const SHORT_TIMINGS: HeadStreamTimings = {
  pollIntervalMs: 10,
  silenceBlocks: 3,
  silenceMs: 60,
  ignoreLowerMs: 3_000,
  watchIntervalMs: 5,
  connectTimeoutMs: 200,
  reconnectMinMs: 5,
  reconnectMaxMs: 20,
};

interface StartOptions {
  readonly clock?: Clock;
  /** Absent: the first node only. */
  readonly sources?: readonly FakeRpc[];
  /** Absent: short ones. */
  readonly timings?: Partial<HeadStreamTimings>;
  readonly onHead?: (head: Head) => unknown;
  readonly links?: HeadLinks;
  /** A block that was asked for before the start. */
  readonly first?: number;
  readonly pollFirst?: boolean;
}

/** The block of a fake node, as the chain reads it. */
export const fakeBlock = (number: number): Block =>
  parseBlock(blockOf(number), new HeaderHashes(new Clock()));

/** A head stream over the WebSockets of fake nodes, and what came of it. */
export class HeadStreamWorld {
  readonly heads: Head[] = [];
  readonly events = new RecordedEvents();
  polls = 0;
  doubts = 0;
  /** What polling finds: the head of the first node, until a test says otherwise. */
  pollHead = (): Promise<Block> => Promise.resolve(fakeBlock(this.node.head));
  private stream: HeadStream | undefined;

  private constructor(
    readonly node: FakeRpc,
    readonly second: FakeRpc,
  ) {}

  static async open(): Promise<HeadStreamWorld> {
    return new HeadStreamWorld(await FakeRpc.start(), await FakeRpc.start());
  }

  async close(): Promise<void> {
    this.stream?.stop();
    await Promise.all([this.node.stop(), this.second.stop()]);
  }

  get numbers(): number[] {
    return this.heads.map(({ number }) => number);
  }

  /** Starts the stream, and waits until its sources are subscribed to and a head has come. */
  async start({ sources = [this.node], ...options }: StartOptions = {}): Promise<HeadStream> {
    const { timings, onHead, clock = new Clock(), links, first, pollFirst = true } = options;
    const stream = (this.stream = new HeadStream(
      {
        chainId: 31337,
        sources: sources.map((source, index) => ({
          role: index === 0 ? 'primary' : 'backup',
          url: new Secret(source.url('ws')),
        })),
        timings: { ...SHORT_TIMINGS, ...timings },
        links,
        doubted: () => this.doubts++,
      },
      () => {
        this.polls++;
        return this.pollHead();
      },
      clock,
      this.events,
    ));
    if (first !== undefined) await stream.believes(fakeBlock(first));
    if (!pollFirst) this.pollHead = () => Promise.reject(new Error('not yet'));
    stream.start((head) => {
      this.heads.push(head);
      return onHead?.(head);
    });
    await eventually(() => this.heads.length > 0 || onHead !== undefined || !pollFirst);
    await eventually(() =>
      sources.every(
        (source) => source.subscribers > 0 || source.wsIgnoresRequests || source.chainId !== 31337,
      ),
    );
    return stream;
  }
}
