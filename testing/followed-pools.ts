import type { Devnet } from '../devnet/index.js';
import { Clock } from '../src/domain/clock.js';
import { chainDescription } from '../src/domain/chain-description.js';
import { USD8 } from '../src/domain/money.js';
import type { Asset } from '../src/domain/opportunity.js';
import { PoolBook, type PoolsView } from '../src/liquidity/pool-book.js';
import type { PoolReader } from '../src/liquidity/pool-reader.js';
import type { SavedPools } from '../src/liquidity/pool-search.js';
import type { Chain } from '../src/rpc/chain/chain.js';
import { BlockFollower } from '../src/state/block-follower.js';
import { eventually } from './eventually.js';
import type { RecordedEvents } from './fakes/recorded-events.js';
import type { TestClock } from './fakes/test-clock.js';

/** A pool book that follows the local chain, one block at a time. */
export class FollowedPools {
  readonly book: PoolBook;
  private follower: BlockFollower | undefined;

  constructor(
    private readonly devnet: Devnet,
    private readonly chain: Chain,
    reader: PoolReader,
    tokens: () => readonly Asset[],
    events: RecordedEvents,
    private readonly clock: TestClock,
    saved?: SavedPools,
  ) {
    this.book = new PoolBook(reader, { minPoolUsd8: 1_000n * USD8, hubs: [] }, events, clock, saved);
    this.book.serve(tokens);
  }

  /** Makes a block, five seconds later, and follows to it. */
  async next(): Promise<PoolsView> {
    await this.devnet.mine();
    this.clock.advance(5_000);
    const head = await this.chain.getBlock('latest');
    if (!this.follower) {
      const description = chainDescription(this.devnet.chainId);
      this.follower = new BlockFollower(this.chain, [this.book], description, new Clock());
      this.follower.beginAt(head, [await this.book.prepareRange(head, undefined)]);
      return this.viewOf(await this.follower.ask(head));
    }
    const path = await this.follower.pathTo(head);
    if (path.kind !== 'walk') throw new Error(`the path is ${path.kind}`);
    return this.viewOf(await this.follower.walk(head, path, []));
  }

  /** Makes blocks until everything was found and read. */
  whole(): Promise<void> {
    return eventually(async () => (await this.next()).isWhole, 'every pool is read');
  }

  /** Until nothing is being looked for or read: it waits for a block then. */
  async rest(): Promise<void> {
    // A block wakes it a turn later.
    await new Promise(setImmediate);
    await eventually(() => !this.book.isWorking, 'the work beside the blocks to end');
  }

  async end(): Promise<void> {
    await this.book.onModuleDestroy();
  }

  private viewOf(answers: readonly unknown[]): PoolsView {
    return this.follower?.views(answers).get('pools') as PoolsView;
  }
}
