import type { Block } from '../domain/block.js';
import type { BlockTime } from '../domain/block-time.js';
import { BLOCKS_WITH_STATE, windowBlocks } from '../domain/chain-description.js';
import type { Clock } from '../domain/clock.js';
import { errorFrom, HaltError, RetryError } from '../domain/errors.js';
import type { Address, Hash } from '../domain/hex.js';
import type { MarketCoverage } from '../domain/market-coverage.js';
import type { Chain } from '../rpc/chain/chain.js';
import { each, readAt, readEverywhere } from '../rpc/chain/read.js';
import type { Advance } from './advance.js';
import type { Backfill, BackfillTarget } from './backfill.js';
import type { DeliveredLogs } from './block-logs.js';
import { BlockFollower, type Answers } from './block-follower.js';
import type { CheckpointStore, SavedAccounts } from './checkpoint-store.js';
import { ComparedMarkets, type ComparisonBudget } from './compared-markets.js';
import type { Incomplete } from './completeness.js';
import type { Comparison, Followed, FollowedAccounts, MissingDebt, RestoreStep } from './followed.js';
import type { DoubtedPositions } from './doubted-positions.js';
import { isOnChain, type HeadPath } from './head-path.js';
import { restartPoint, type RestartPoint } from './restart-point.js';
import { StateView } from './state-view.js';

/** What the state consists of. */
export interface FollowedParts {
  /** Committed before the accounts, and undone after them: what they depend on, such as price feeds. */
  readonly before: readonly Followed[];
  /** The markets, each with the block from which its accounts are searched. */
  readonly markets: readonly { readonly market: FollowedAccounts; readonly fromBlock: number }[];
}

/** What the state is watched by and with. */
export interface StateWatch {
  readonly clock: Clock;
  readonly doubts: DoubtedPositions;
  /** The logs of WebSockets, where there are any. */
  readonly delivered?: DeliveredLogs | undefined;
}

/**
 * The state of everything that is followed, always at one block and exact there. `start` begins at the last
 * checkpoint, `advance` moves it to a new head. While it works, the last view stays as it is.
 */
export class StateEngine {
  private readonly follower: BlockFollower;
  private readonly markets: readonly FollowedAccounts[];
  private readonly stopping = new AbortController();
  private current: StateView | undefined;
  private answers: Answers | undefined;
  /** A reorg went back too far, which has not been reported yet. */
  private tooDeep: string | undefined;
  private readonly doubts: DoubtedPositions;
  private readonly compared: ComparedMarkets;

  constructor(
    private readonly chain: Chain,
    private readonly parts: FollowedParts,
    private readonly checkpoints: CheckpointStore,
    readonly backfill: Backfill,
    private readonly blockTime: Pick<BlockTime, 'blockTimeMs' | 'earliestAfter'>,
    { clock, doubts, delivered }: StateWatch,
  ) {
    this.doubts = doubts;
    this.markets = parts.markets.map(({ market }) => market);
    this.compared = new ComparedMarkets(this.markets);
    const followed = [...parts.before, ...this.markets];
    this.follower = new BlockFollower(chain, followed, blockTime, clock, delivered);
    backfill.serve(this.markets.map((market) => this.backfillOf(market)));
  }

  /** The last complete view; undefined before `start` has finished. */
  get view(): StateView | undefined {
    return this.current;
  }

  get positionCount(): number {
    return this.current ? this.markets.reduce((sum, { counts }) => sum + counts.followed, 0) : 0;
  }

  /** Of each protocol with many markets: which of them are served. */
  get coverage(): readonly (MarketCoverage & { readonly market: string })[] {
    return this.markets.flatMap(({ name, coverage }) => (coverage ? [{ market: name, ...coverage }] : []));
  }

  /** The markets whose rules are not known, each with its sentence. The others go on. */
  get refused(): readonly { readonly market: string; readonly reason: string }[] {
    return this.markets.flatMap(({ name, refusal }) =>
      refusal === undefined ? [] : [{ market: name, reason: refusal }],
    );
  }

  /** Positions that are near the limit or below it, and a few others. */
  get watchedCount(): number {
    return this.current ? this.markets.reduce((sum, { counts }) => sum + counts.watched, 0) : 0;
  }

  /**
   * Begins with the accounts of the last checkpoint and applies the logs since then, up to `head`. The last
   * blocks are applied one by one, so that they can be taken back. What is not known yet is left to the
   * backfill, which starts to work in the background; at the first start that is the whole history.
   *
   * @throws RetryError when the chain or the database could not be read: nothing has begun then.
   */
  async start(head: Block): Promise<StateView> {
    const view = await this.begin(head);
    // After the caller has told of its start: a backfill without work says at once that it is finished.
    setImmediate(() => this.backfill.wake());
    return view;
  }

  /** Moves the state to `head`. Never throws: every outcome is in the result. */
  async advance(head: Block): Promise<Advance> {
    const takenBack: Hash[] = [];
    try {
      const view = await this.follower.watchGap(head, () => this.advanceTo(head, takenBack));
      return { view, takenBack, readAtMs: this.follower.takeReadAtMs(), error: this.takeHalt() };
    } catch (error) {
      // A halt was found on the way, and the blocks that showed it will not be looked at again: it wins.
      return { view: undefined, takenBack, error: this.takeHalt() ?? errorFrom(error) };
    } finally {
      // A reorg that was too deep leaves every account to be read again.
      this.backfill.wake();
    }
  }

  /** Ends the background work. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.backfill.stop();
  }

  /** Reads these accounts again from the chain: after a divergence. @throws RetryError */
  async refresh(marketName: string, accounts: readonly Address[]): Promise<void> {
    const market = this.markets.find(({ name }) => name === marketName);
    if (!market) return;
    market.forget(accounts);
    await this.adopt(market, accounts);
  }

  /**
   * Compares all prices with the chain, at the view's block, and some accounts and the sums of all debts of
   * the markets that have their turn. When debts are missing, the history is searched again.
   *
   * @param first the accounts of a market that have to be compared, whether or not it is its turn.
   * @returns the market and what was found; none when the state has moved on since the view.
   * @throws RpcError when the chain could not be read.
   */
  async compare(
    view: StateView,
    budget: ComparisonBudget,
    first: (market: string) => readonly Address[] = () => [],
  ): Promise<readonly { readonly market: FollowedAccounts; readonly found: Comparison }[]> {
    if (this.follower.tip.hash !== view.block.hash) return [];
    const reads = this.compared.next(view, budget, first);
    const { chunk } = budget;
    const found = await readAt(this.chain, each(reads.map(({ read }) => read)), view.block.hash, { chunk });
    return reads.flatMap(({ market }, index) => {
      const [comparison, missing] = found[index] ?? [];
      if (missing) this.judge(market.name, missing, view.block);
      return comparison ? [{ market, found: comparison }] : [];
    });
  }

  /**
   * A second look at accounts that differ from the chain: as each live endpoint tells it, at the view's
   * block.
   *
   * @param needed so many endpoints must answer at least. One that does not have the block says nothing:
   *   another one may have invented it.
   * @returns the accounts that differ according to every endpoint that answers; none when too few answer, or
   *   when the state has moved on.
   */
  async lookAgain(
    view: StateView,
    market: FollowedAccounts,
    accounts: readonly Address[],
    needed: number,
  ): Promise<Comparison['divergences']> {
    if (this.follower.tip.hash !== view.block.hash) return [];
    const read = market.comparisonOf(view.of(market), accounts);
    const answers = await readEverywhere(this.chain, read, view.block.hash);
    if (answers.length < needed) return [];
    const [one, ...others] = answers.map(({ divergences }) => divergences);
    return (one ?? []).filter(({ account }) =>
      others.every((divergences) => divergences.some((other) => other.account === account)),
    );
  }

  /**
   * The markets of which it is not proven that every borrower is known, and what is missing. Of a market that
   * is refused nobody wants to know.
   */
  get incomplete(): Incomplete[] {
    const served = this.markets.filter(({ refusal }) => refusal === undefined);
    return this.backfill.completeness.incomplete(served.map(({ name }) => name));
  }

  /** Compares the debts of a market with the chain: after a search. @throws RetryError */
  private async prove(market: FollowedAccounts): Promise<void> {
    const { tip } = this.follower;
    const read = market.debts(tip);
    if (read) this.judge(market.name, await readAt(this.chain, read, tip.hash), tip);
  }

  /**
   * The first search begins at `fromBlock`. When debts are missing after it, the whole chain is searched: the
   * configured block may be too high, and a node may have left out what it had pruned.
   */
  private judge(market: string, missing: readonly MissingDebt[], block: Block): void {
    const { completeness } = this.backfill;
    const searching = this.backfill.progressOf(market) !== undefined;
    completeness.judge(market, missing, block.number, searching);
    if (searching || !completeness.takeSearch(market)) return;
    this.backfill.expect(market, { scannedTo: -1, goal: block.number }, []);
    setImmediate(() => this.backfill.wake());
  }

  private async begin(head: Block): Promise<StateView> {
    const saved = await Promise.all(this.markets.map(({ name }) => this.checkpoints.load(name)));
    const newest = Math.max(...saved.map(({ checkpoint }) => checkpoint?.number ?? 0));
    if (newest > head.number && newest <= head.number + windowBlocks('lateNode', this.blockTime))
      throw new RetryError(`the chain is at block ${head.number}, behind our checkpoint at ${newest}`);
    const earlier = Math.max(newest, head.number - BLOCKS_WITH_STATE);
    if (newest > 0 && earlier < head.number) {
      try {
        await this.beginWith(saved, await this.chain.getBlock(earlier));
        return await this.follow(head, await this.follower.pathTo(head), []);
      } catch (error) {
        // The node does not keep old states. Then blocks before the head cannot be taken back.
        if (!(error instanceof RetryError)) throw error;
      }
    }
    await this.beginWith(saved, head);
    return this.finish(head, await this.follower.ask(head));
  }

  private async advanceTo(head: Block, takenBack: Hash[]): Promise<StateView> {
    const { current } = this;
    if (!current) throw new Error('advance was called before start');
    // The block is applied already, but at that time it could not be read what has to be asked there.
    if (head.hash === this.follower.tip.hash && head.hash !== current.block.hash)
      return this.complete(head, await this.follower.ask(head));
    this.follower.takeBackIncomplete();
    const path = await this.follower.pathTo(head);
    return path.kind === 'stale' ? current : this.follow(head, path, takenBack);
  }

  private async follow(head: Block, path: HeadPath, takenBack: Hash[]): Promise<StateView> {
    switch (path.kind) {
      case 'far':
        return this.leap(head, takenBack);
      case 'too-deep':
        return this.beginAgain(head, takenBack);
      case 'walk':
        return this.finish(head, await this.follower.walk(head, path, takenBack));
      case 'stale':
        throw new RetryError(`block ${head.number} was replaced while the state began`);
    }
  }

  /** Over many blocks at once: after a gap too long to walk. */
  private async leap(head: Block, takenBack: Hash[]): Promise<StateView> {
    const { tip } = this.follower;
    if (!(await isOnChain(tip, this.chain))) return this.beginAgain(head, takenBack);
    const logs = this.follower.rangeLogs(tip.number + 1, head);
    const steps = await Promise.all([
      ...this.parts.before.map((one) => one.prepareRange(head, logs)),
      ...this.markets.map((market) => market.prepareRange(head, logs)),
    ]);
    this.follower.beginAt(head, steps);
    return this.finish(head, await this.follower.ask(head));
  }

  /**
   * The chain has gone back further than the state can: every account is read again, in the background. That
   * halts, unless the state had only just begun: then even a shallow reorg cannot be taken back.
   */
  private async beginAgain(head: Block, takenBack: Hash[]): Promise<StateView> {
    const { oldest, tip, hashes } = this.follower;
    const steps = await Promise.all([
      ...this.parts.before.map((one) => one.prepareRange(head, undefined)),
      ...this.markets.map((market) => market.prepareRange(head, undefined, [])),
    ]);
    for (const { market, fromBlock } of this.parts.markets) {
      const history = { scannedTo: fromBlock - 1, goal: head.number };
      // First the backfill: a search that is under way must not write its own progress over this.
      this.backfill.expect(market.name, history, market.accounts);
      await this.checkpoints.forgetStates(market.name, history);
    }
    this.follower.beginAt(head, steps);
    takenBack.push(...[...hashes].reverse());
    if (tip.number - oldest.number >= BLOCKS_WITH_STATE)
      this.tooDeep = `block ${head.number} is of a branch that left ours before block ${oldest.number}, the oldest that can be taken back: every position is read again`;
    return this.complete(head, await this.follower.ask(head));
  }

  private async beginWith(saved: readonly SavedAccounts[], block: Block): Promise<void> {
    const beginnings: { step: RestoreStep; point: RestartPoint }[] = [];
    for (const [index, { market, fromBlock }] of this.parts.markets.entries()) {
      const own = saved[index];
      if (own) beginnings.push(await this.restore(market, fromBlock, own, block));
    }
    const before = await Promise.all(this.parts.before.map((one) => one.prepareRange(block, undefined)));
    this.follower.beginAt(block, [...before, ...beginnings.map(({ step }) => step)]);
    for (const [index, { point, step }] of beginnings.entries()) {
      const unread = [...point.unread, ...step.undecodable];
      this.backfill.expect(this.markets[index]?.name ?? '', point.history, unread);
    }
  }

  private async restore(
    market: FollowedAccounts,
    fromBlock: number,
    saved: SavedAccounts,
    block: Block,
  ): Promise<{ step: RestoreStep; point: RestartPoint }> {
    const { checkpoint } = saved;
    const onChain = checkpoint !== undefined && (await this.has(checkpoint, block));
    const point = restartPoint(saved, block, fromBlock - 1, onChain);
    if (point.startsOver && checkpoint) await this.checkpoints.forgetStates(market.name, point.history);
    else if (point.startsOver) await this.checkpoints.saveHistory(market.name, [], point.history);
    const logs = this.follower.rangeLogs(point.from, block, this.stopping.signal);
    return { step: await market.prepareRange(block, logs, point.positions), point };
  }

  /**
   * Whether the chain that has `head` has this block.
   *
   * @throws RetryError when a node cannot tell, because it is late.
   */
  private async has(block: Pick<Block, 'number' | 'hash'>, head: Block): Promise<boolean> {
    if (block.number > head.number) return false;
    return (await this.chain.getBlock(block.number)).hash === block.hash;
  }

  private backfillOf(market: FollowedAccounts): BackfillTarget {
    return {
      name: market.name,
      accountsIn: (from, to) => market.accountsIn(from, to),
      adopt: (accounts) => this.adopt(market, accounts),
      isKnown: (account) => market.has(account),
      prove: () => this.prove(market),
    };
  }

  /** Reads accounts at the tip and follows them from now on, with the blocks that were applied meanwhile. */
  private async adopt(market: FollowedAccounts, accounts: readonly Address[]): Promise<void> {
    const { tip } = this.follower;
    const read = await market.readAccounts(accounts, tip.hash);
    const since = this.follower.since(tip.hash, market);
    if (!since) throw new RetryError(`block ${tip.number} was taken back while positions were read there`);
    market.adopt(read, since.later, since.tip);
    const now = this.follower.tip;
    if (this.answers && this.current?.block.hash === now.hash) this.complete(now, this.answers);
    this.note(now);
  }

  private finish(head: Block, answers: Answers): StateView {
    const view = this.complete(head, answers);
    this.note(head);
    return view;
  }

  private complete(block: Block, answers: Answers): StateView {
    // They were read again with the block. Before anything is decided on the new view, it is compared.
    for (const { name, account } of this.follower.takeContradictions())
      this.doubts.contradicted(name, account, block.number);
    const next = this.blockTime.earliestAfter(block);
    const later = this.blockTime.earliestAfter({ number: block.number + 1, timestamp: next });
    const view = new StateView(block, this.follower.views(answers), next, later);
    this.answers = answers;
    this.current = view;
    return view;
  }

  /**
   * What must halt since this was asked last. The state itself has been put right, or will be by the
   * backfill.
   */
  private takeHalt(): HaltError | undefined {
    const message = this.tooDeep;
    this.tooDeep = undefined;
    return message === undefined ? undefined : new HaltError(message, 'books');
  }

  /**
   * While the state of an account is not known, nothing is noted: what is saved of it may be of a branch that
   * is gone.
   */
  private note(block: Block): void {
    for (const market of this.markets)
      if (market.isWhole) this.checkpoints.note(market.name, block, market.takeChanges());
  }
}
