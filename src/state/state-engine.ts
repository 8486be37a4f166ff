import { Injectable } from '@nestjs/common';
import type { Block } from '../domain/block.js';
import { HaltError, RetryError } from '../domain/errors.js';
import type { Address, Hash } from '../domain/hex.js';
import { roundRead, type Round } from '../oracles/chainlink.js';
import { FeedBook, type Feeds } from '../oracles/feed-book.js';
import type { AaveAccount } from '../protocols/aave-v3/market.js';
import type { RawLog } from '../rpc/chain/chain-answers.js';
import type { Chain } from '../rpc/chain/chain.js';
import { LogRangeTooLarge } from '../rpc/rpc-errors.js';
import { each, readAt, together, type Read } from '../rpc/chain/read.js';
import type { Backfill, BackfillTarget } from './backfill.js';
import { beginningOf, type Beginning } from './beginning.js';
import { logsOf, type Ears, type Heard } from './block-logs.js';
import { BlockRing } from './block-ring.js';
import type { CheckpointStore, SavedMarket } from './checkpoint-store.js';
import { isOnChain, pathTo, type HeadPath } from './head-path.js';
import { OpenGap } from './open-gap.js';
import { inRanges } from './ranges.js';
import type { MarketView, StateView } from './state-view.js';
import type { MarketStep, MarketUndo, Surroundings, TrackedMarket } from './tracked-market.js';

/** The blocks before the first head that are applied one by one: a full node still has their states. */
const UNDO_FROM_THE_START_BLOCKS = 64;
/** A node may be this far behind what another one said before a restart. */
const LATE_NODE_BLOCKS = 64;

export interface StateSettings {
  readonly nativeUsdFeed: Address;
  /** By market name: the block from which borrowers are looked for. */
  readonly fromBlocks: ReadonlyMap<string, number>;
}

interface BlockUndo {
  readonly markets: readonly MarketUndo[];
  readonly feeds: Feeds;
}

type Outside = readonly [Surroundings[], Round | undefined];

/**
 * The bot's picture of its markets, always at one block and exact there: kept by the logs of each block, taken back block by
 * block when the chain thinks again. `start` begins where the last checkpoint was, `advance` takes it to a new head, and while it
 * works the last view stays as it is.
 */
@Injectable()
export class StateEngine {
  private readonly feeds: FeedBook;
  private ring!: BlockRing<BlockUndo>;
  private current: StateView | undefined;
  private outside: Outside | undefined;
  private readonly gap = new OpenGap();
  /** Accounts that gave more than they had by our books, since the last whole view. */
  private readonly contradicted: string[] = [];
  private readonly undone: Hash[] = [];

  constructor(
    private readonly chain: Chain,
    private readonly markets: readonly TrackedMarket[],
    private readonly checkpoints: CheckpointStore,
    readonly backfill: Backfill,
    private readonly settings: StateSettings,
    private readonly ears?: Ears,
  ) {
    this.feeds = new FeedBook(chain);
  }

  /** The last complete view; undefined before `start` has finished. */
  get view(): StateView | undefined {
    return this.current;
  }

  get positionCount(): number {
    return this.current?.markets.reduce((sum, market) => sum + market.borrowerCount, 0) ?? 0;
  }

  /**
   * Begins with the positions of the last checkpoint and what the logs say since then up to `head`; the last blocks one by one, so
   * that they can be taken back. What is not known yet, the whole history at the first start, is left to the {@link backfill}.
   *
   * @throws RetryError when the chain or the database could not be read: nothing has begun then.
   */
  async start(head: Block, signal?: AbortSignal): Promise<StateView> {
    const saved = await Promise.all(this.markets.map(({ name }) => this.checkpoints.load(name)));
    const newest = Math.max(...saved.map(({ checkpoint }) => checkpoint?.number ?? 0));
    if (newest > head.number && newest <= head.number + LATE_NODE_BLOCKS)
      throw new RetryError(`the chain is at block ${head.number}, behind our checkpoint at ${newest}`);
    const earlier = Math.max(newest, head.number - UNDO_FROM_THE_START_BLOCKS);
    if (newest > 0 && earlier < head.number) {
      try {
        await this.beginAll(saved, await this.chain.getBlock(earlier), signal);
        return await this.walkTo(head, await pathTo(head, this.ring, this.chain));
      } catch (error) {
        // A node that keeps no old states: without them, what was before the head cannot be taken back.
        if (!(error instanceof RetryError)) throw error;
      }
    }
    await this.beginAll(saved, head, signal);
    return this.finish(head, await this.readOutside(head));
  }

  /**
   * Takes the picture to `head`.
   *
   * @throws RetryError when the chain could not be read: the picture is at some block before, and the next head goes on.
   * @throws HaltError when the chain went back further than the picture can, when a gap stays open, or when our books were wrong;
   *   the picture has been put right, or is about to be by the backfill.
   */
  async advance(head: Block): Promise<StateView> {
    if (!this.current) throw new Error('advance was called before start');
    const current = this.current;
    return this.gap.watch(
      head,
      () => this.ring.tip,
      () => this.advanceTo(head, current),
    );
  }

  /**
   * The blocks that were taken back since this was asked last, whether or not `advance` came to its end: for whoever booked
   * something by them. Blocks deeper than the picture reaches are not among them.
   */
  takenBack(): readonly Hash[] {
    return this.undone.splice(0);
  }

  /** What the backfill works on. */
  get targets(): BackfillTarget[] {
    return this.markets.map((market) => ({
      name: market.name,
      borrowersIn: (from, to) => market.borrowersIn(from, to),
      adopt: (accounts) => this.adopt(market, accounts),
    }));
  }

  /** Reads these positions again from the chain: after a divergence. @throws RetryError */
  async refresh(marketName: string, accounts: readonly Address[]): Promise<void> {
    const market = this.markets.find(({ name }) => name === marketName);
    if (!market) return;
    market.forget(accounts);
    await this.adopt(market, accounts);
  }

  /** Some positions of each market, `budget` in all, as of the view's block; empty when the picture has moved on since. */
  sample(view: StateView, budget: number): { market: MarketView; accounts: AaveAccount[] }[] {
    if (this.ring.tip.hash !== view.block.hash) return [];
    const share = Math.floor(budget / this.markets.length);
    return view.markets.flatMap((market, index) => {
      const accounts = this.markets[index]?.sample(share) ?? [];
      return accounts.length > 0 ? [{ market, accounts }] : [];
    });
  }

  /** The chain's price of an asset is not what its feed's logs said: the feed is asked from now on. */
  distrust(marketName: string, asset: Address): void {
    const source = this.markets.find(({ name }) => name === marketName)?.sourceOf(asset);
    if (source) this.feeds.distrust(source);
  }

  private async advanceTo(head: Block, current: StateView): Promise<StateView> {
    // Applied already, but its surroundings could not be read then.
    if (head.hash === this.ring.tip.hash && head.hash !== current.block.hash)
      return this.complete(head, await this.readOutside(head));
    const path = await pathTo(head, this.ring, this.chain);
    return path.kind === 'stale' ? current : this.walkTo(head, path);
  }

  private walkTo(head: Block, path: HeadPath): Promise<StateView> {
    switch (path.kind) {
      case 'far':
        return this.leap(head);
      case 'too-deep':
        return this.beginAgain(head);
      case 'walk':
        return this.walk(head, path.ancestor, path.blocks).catch((error: unknown) => {
          if (error instanceof LogRangeTooLarge) return this.leap(head);
          throw error;
        });
      case 'stale':
        throw new RetryError(`block ${head.number} was replaced while the picture began`);
    }
  }

  private async walk(head: Block, ancestor: Block['hash'], blocks: readonly Block[]): Promise<StateView> {
    while (this.ring.tip.hash !== ancestor) this.takeBack();
    return this.finish(head, await this.applyAll(head, blocks));
  }

  /** @throws HaltError when our books turned out to be wrong on the way; they have been put right. */
  private finish(head: Block, outside: Outside): StateView {
    const view = this.complete(head, outside);
    this.note(head);
    if (this.contradicted.length === 0) return view;
    const named = this.contradicted.splice(0).join(', ');
    throw new HaltError(
      `up to block ${head.number} more was moved than our books held of ${named}: read again from the chain`,
    );
  }

  /** Remembers whose books were wrong until the picture is whole again. */
  private doubt(steps: readonly MarketStep[]): void {
    for (const [index, { contradicted }] of steps.entries())
      for (const account of contradicted)
        this.contradicted.push(`${this.markets[index]?.name ?? ''} ${account}`);
  }

  /** @returns what surrounds the head. */
  private async applyAll(head: Block, blocks: readonly Block[]): Promise<Outside> {
    const [logs, outside] = await Promise.all([
      logsOf(this.chain, this.heard, blocks, this.watched),
      this.readOutside(head),
    ]);
    for (const [index, block] of blocks.entries()) {
      const elsewhere = await this.apply(block, logs[index] ?? []);
      if (elsewhere) return this.applyAll(head, blocks.slice(index + 1));
    }
    return outside;
  }

  /** One block, at once for everybody. @returns whether other contracts count from here on, or other prices have to be asked. */
  private async apply(block: Block, logs: readonly RawLog[]): Promise<boolean> {
    const more = async (addresses: readonly Address[]): Promise<readonly RawLog[]> =>
      (await logsOf(this.chain, this.heard, [block], addresses)).flat();
    const steps = await Promise.all(this.markets.map((market) => market.prepare(block, logs, more)));
    const reloaded = steps.some(({ terms }) => terms !== undefined);
    const sources = steps.flatMap(({ terms }) => [...(terms?.sources.values() ?? [])]);
    const strange = [...this.feeds.unknown(sources), ...this.feeds.redirected(logs)];
    const looked = await this.feeds.look(strange, block.hash);

    const { current: feeds } = this.feeds;
    const undo = this.markets.flatMap((market, index) => {
      const step = steps[index];
      return step ? [market.commit(step, block)] : [];
    });
    this.feeds.apply(logs, looked);
    this.ring.push(block, { markets: undo, feeds });
    this.doubt(steps);
    const elsewhere = reloaded || strange.length > 0;
    if (elsewhere) this.ears?.listenTo(this.watched);
    return elsewhere;
  }

  private takeBack(): void {
    this.undone.push(this.ring.tip.hash);
    const { markets, feeds } = this.ring.pop();
    for (const [index, undo] of markets.entries()) this.markets[index]?.undo(undo);
    this.feeds.restore(feeds);
  }

  /** Over many blocks at once: after a silence too long to walk. */
  private async leap(head: Block): Promise<StateView> {
    const { tip } = this.ring;
    if (!(await isOnChain(tip, this.chain))) return this.beginAgain(head);
    const steps = await Promise.all(
      this.markets.map((market) => market.prepareRange(head, undefined, this.logsFrom(tip.number + 1, head))),
    );
    await this.beginAt(head, steps);
    return this.finish(head, await this.readOutside(head));
  }

  /**
   * The chain has gone back further than we can: every position is read again, in the background.
   * @throws HaltError unless the picture had only just begun, so that not even a shallow reorg could be taken back.
   */
  private async beginAgain(head: Block): Promise<StateView> {
    const { oldest, tip } = this.ring;
    const steps = await Promise.all(this.markets.map((market) => market.prepareRange(head, () => undefined)));
    for (const market of this.markets) {
      const history = { scannedTo: this.beforeFirst(market), goal: head.number };
      // Before the database forgets: a search that is under way must not write its own progress over this.
      this.backfill.expect(market.name, history, market.borrowers);
      await this.checkpoints.forgetStates(market.name, history);
    }
    await this.beginAt(head, steps, []);
    const view = this.complete(head, await this.readOutside(head));
    if (tip.number - oldest.number < UNDO_FROM_THE_START_BLOCKS) return view;
    throw new HaltError(
      `block ${head.number} is of a branch that left ours before block ${oldest.number}, the oldest that can be taken back: every position is read again`,
    );
  }

  private async beginAll(saved: readonly SavedMarket[], block: Block, signal?: AbortSignal): Promise<void> {
    const steps: MarketStep[] = [];
    const beginnings: Beginning[] = [];
    for (const [index, market] of this.markets.entries()) {
      const own = saved[index];
      if (!own) continue;
      const isOurs = own.checkpoint !== undefined && (await this.has(own.checkpoint, block));
      const beginning = beginningOf(own, block, this.beforeFirst(market), isOurs);
      const { positions, from, history, anew } = beginning;
      if (anew && own.checkpoint) await this.checkpoints.forgetStates(market.name, history);
      else if (anew) await this.checkpoints.saveHistory(market.name, [], history);
      const known = new Map(positions.map((account) => [account.address, account]));
      const logs = this.logsFrom(from, block, signal);
      steps.push(await market.prepareRange(block, (address) => known.get(address), logs));
      beginnings.push(beginning);
    }
    await this.beginAt(
      block,
      steps,
      beginnings.map(({ positions }) => positions),
    );
    for (const [index, { history, unread }] of beginnings.entries())
      this.backfill.expect(this.markets[index]?.name ?? '', history, unread);
  }

  /** At once for everybody: from here on nothing before the block can be taken back. @param positions to begin with, by market. */
  private async beginAt(
    block: Block,
    steps: readonly MarketStep[],
    positions?: readonly (readonly AaveAccount[])[],
  ): Promise<void> {
    const sources = steps.flatMap(({ terms }) => [...(terms?.sources.values() ?? [])]);
    const feeds = [...new Set([...sources, this.settings.nativeUsdFeed])];
    const looked = await this.feeds.look(feeds, block.hash);

    for (const [index, market] of this.markets.entries()) {
      const step = steps[index];
      if (step) market.commitRange(step, block, positions && (positions[index] ?? []));
    }
    this.feeds.apply([], looked);
    if (positions && this.current) this.undone.push(...this.ring.hashes);
    this.ring = new BlockRing(block);
    this.doubt(steps);
    this.ears?.listenTo(this.watched);
  }

  private logsFrom(from: number, to: Block, signal?: AbortSignal) {
    return (addresses: readonly Address[], onLogs: (logs: readonly RawLog[]) => void): Promise<void> =>
      inRanges(
        (first, last) => this.chain.getLogs({ fromBlock: first, toBlock: last }, addresses, []),
        from,
        to.number,
        onLogs,
        signal,
      );
  }

  /** Whether the chain that has `head` has this block. @throws RetryError when a node says neither: it is behind another one. */
  private async has(block: Pick<Block, 'number' | 'hash'>, head: Block): Promise<boolean> {
    if (block.number > head.number) return false;
    return (await this.chain.getBlock(block.number)).hash === block.hash;
  }

  /** The block before the first in which somebody may have borrowed. */
  private beforeFirst({ name }: TrackedMarket): number {
    return (this.settings.fromBlocks.get(name) ?? 0) - 1;
  }

  /** Reads positions and follows them from now on; blocks that come meanwhile are made up for. */
  private async adopt(market: TrackedMarket, accounts: readonly Address[]): Promise<void> {
    const { ring } = this;
    const { tip } = ring;
    const positions = await market.read(accounts, tip.hash);
    if (ring !== this.ring || !ring.has(tip.hash))
      throw new RetryError(`block ${tip.number} was taken back while positions were read there`);
    const index = this.markets.indexOf(market);
    const ofMarket = ({ markets }: BlockUndo): MarketUndo[] => markets.slice(index, index + 1);
    const [atTip] = ring.tipUndo ? ofMarket(ring.tipUndo) : [];
    market.adopt(positions, ring.after(tip.hash).flatMap(ofMarket), atTip);
    if (this.outside && this.current?.block.hash === ring.tip.hash) this.complete(ring.tip, this.outside);
    this.note(ring.tip);
  }

  private get watched(): Address[] {
    return [...new Set([...this.markets.flatMap((market) => market.watched), ...this.feeds.watched])];
  }

  private readonly heard: Heard = (hash) =>
    (this.ears?.heard(hash) ?? []).filter(({ blockNumber }) => blockNumber > this.gap.gaveUpAt);

  private readOutside(block: Block): Promise<Outside> {
    const { nativeUsdFeed } = this.settings;
    const native: Read<Round | undefined> = this.feeds.roundOf(nativeUsdFeed)
      ? { calls: [], decode: () => undefined }
      : roundRead(nativeUsdFeed);
    const markets = each(this.markets.map((market) => market.surroundings(block.timestamp)));
    return readAt(this.chain, together(markets, native), block.hash);
  }

  private complete(block: Block, outside: Outside): StateView {
    const [surroundings, asked] = outside;
    const native = this.feeds.roundOf(this.settings.nativeUsdFeed) ?? asked;
    if (!native) throw new RetryError(`feed ${this.settings.nativeUsdFeed} gives no positive price`);
    const markets = this.markets.flatMap((market, index) => {
      const own = surroundings[index];
      return own ? [market.view(own, this.feeds)] : [];
    });
    this.outside = outside;
    this.current = { block, nativePriceUsd8: native.answer, nativePriceTime: native.updatedAt, markets };
    return this.current;
  }

  /** While somebody's position is not known, nothing is said: what is saved of him may be of a branch that is gone. */
  private note(block: Block): void {
    for (const market of this.markets)
      if (market.isWhole) this.checkpoints.note(market.name, block, market.takeChanges());
  }
}
