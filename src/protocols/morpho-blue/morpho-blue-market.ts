import { Kind } from '../../contract/bindings.js';
import type { StoredPosition } from '../../database/index.js';
import type { Block } from '../../domain/block.js';
import type { Address, Hash } from '../../domain/hex.js';
import type { FaultyMarket, MarketCoverage, UnservedReason } from '../../domain/market-coverage.js';
import type { Asset } from '../../domain/opportunity.js';
import type { FeedBook, Feeds } from '../../oracles/feed-book.js';
import type { PriceGuard } from '../../oracles/price-guard.js';
import type { RawLog } from '../../rpc/chain/chain-answers.js';
import type { Chain } from '../../rpc/chain/chain.js';
import type { WatchedLogs } from '../../rpc/chain/logs-bloom.js';
import type { Read } from '../../rpc/chain/read.js';
import type { AccountChanges, Comparison, MissingDebt, RangeLogs } from '../../state/followed.js';
import { AccountBook } from '../account-book.js';
import type { Counterparty, LendingMarket } from '../lending-market.js';
import { ComparisonTurns } from '../scan/comparison-turns.js';
import { Watchlist } from '../scan/watchlist.js';
import type { TokenPrices } from '../token-prices.js';
import { applyChanges, isPositionChange, withoutMarkets, type PositionChange } from './account-changes.js';
import { positionsAboutToOpen, type MorphoBlueView } from './at-risk.js';
import { debtsRead } from './comparison.js';
import { Comparisons } from './comparisons.js';
import { coverageOf } from './coverage.js';
import { borrowedIn, changesOf, checkLog, watchedLogs } from './events.js';
import { examineMorpho } from './examine.js';
import { marketFactors } from './factors.js';
import { feedsOfMarkets } from './feeds.js';
import type { FollowedMarket, MorphoBlueSettings } from './followed-market.js';
import { MarketBooks } from './market-books.js';
import { LoanPrices } from './loan-prices.js';
import { hasDebt, type BlueAccount } from './market.js';
import { MorphoBlueReader } from './morpho-blue.reader.js';
import { Openings } from './openings.js';
import { feedsOf } from './oracle-shape.js';
import { BluePrices, type BlueAnswers } from './oracle-prices.js';
import { positionsNear } from './near.js';
import { PositionTable, type RowKey } from './position-table.js';
import { preLiquidationsAtRisk } from './pre-liquidation-at-risk.js';
import { preChangesOf, type PreLiquidationChange } from './pre-liquidation-events.js';
import { PreLiquidations } from './pre-liquidations.js';
import type { BlueStep, BlueUndo, ReadAccounts } from './step.js';
import { decodeAccount, encodeAccount } from './stored-account.js';
import { Valuation } from './valuation.js';
import { WantedLegs } from './wanted-legs.js';

/** What Morpho Blue reads from. */
export interface BlueSources {
  readonly chain: Chain;
  readonly feeds: FeedBook;
  readonly guard: PriceGuard;
  /** What the oracles of the other configured markets say of tokens. */
  readonly tokenPrices: TokenPrices;
}

/**
 * One Morpho Blue with all of its markets. Its logs keep markets and positions exact. Only what appears for
 * the first time is read from the chain: a market in which somebody borrows, and a position that takes debt.
 */
export class MorphoBlueMarket implements LendingMarket<MorphoBlueView, BlueStep, BlueUndo, BlueAnswers> {
  private readonly table = new PositionTable();
  private readonly book = new AccountBook<BlueAccount, PositionChange>(this.table, {
    apply: applyChanges,
    hasDebt,
    encode: encodeAccount,
    decode: decodeAccount,
  });
  private readonly books = new MarketBooks();
  private readonly wanted = new WantedLegs(this.table, (id) => this.books.isIgnored(id));
  readonly places = this.wanted;
  private readonly watchlist: Watchlist<RowKey>;
  private readonly comparisons: Comparisons;
  private readonly openings: Openings;
  private readonly preLiquidations: PreLiquidations;
  private readonly prices: BluePrices;
  private readonly valuation: Valuation;
  private readonly reader: MorphoBlueReader;
  /** Of the last view. */
  private faulty: readonly FaultyMarket[] = [];

  constructor(
    private readonly sources: BlueSources,
    private readonly settings: MorphoBlueSettings,
    private readonly limits: { readonly decideBelowWad: bigint; readonly watchBelowWad: bigint },
  ) {
    this.watchlist = new Watchlist(this.table.rows, Number(limits.watchBelowWad) / 1e18);
    this.openings = new Openings(this.table, this.watchlist);
    this.preLiquidations = new PreLiquidations(sources.chain, settings, this.table);
    const loanPrices = new LoanPrices(sources.feeds, settings.feeds, sources.tokenPrices);
    this.prices = new BluePrices(sources.feeds, loanPrices);
    this.valuation = new Valuation(this.prices, sources.guard, settings);
    this.reader = new MorphoBlueReader(sources.chain, settings, loanPrices);
    const turns = new ComparisonTurns(this.table.rows, this.watchlist);
    const { table, books, prices } = this;
    this.comparisons = new Comparisons(settings, { table, books, prices, turns });
  }

  get name(): string {
    return this.settings.name;
  }

  get contracts(): readonly (readonly [key: string, Address])[] {
    const { name, morpho, adaptiveCurveIrm, preLiquidationFactory: factory } = this.settings;
    return [
      [`protocols (${name}).morpho`, morpho],
      [`protocols (${name}).adaptiveCurveIrm`, adaptiveCurveIrm],
      ...(factory ? [[`protocols (${name}).preLiquidationFactory`, factory] as const] : []),
    ];
  }

  get tokens(): readonly Asset[] {
    return this.valuation.tokens;
  }

  /** Morpho keeps all tokens itself. */
  holderOf(token: Address): Address | undefined {
    return this.tokens.some(({ address }) => address === token) ? this.settings.morpho : undefined;
  }

  feedsBehind(view: MorphoBlueView): ReturnType<LendingMarket['feedsBehind']> {
    return feedsOfMarkets(view, this.table);
  }

  counterparty(): Read<Counterparty> {
    const { morpho: address } = this.settings;
    return { calls: [], decode: () => ({ address, kind: Kind.MorphoBlue, description: 'a Morpho Blue' }) };
  }

  examine(block: Hash, asset: Address): ReturnType<LendingMarket['examine']> {
    return examineMorpho(this.sources.chain, this.settings, block, asset);
  }

  get watched(): WatchedLogs {
    return watchedLogs(this.settings);
  }

  get accounts(): Iterable<Address> {
    return this.table.keys();
  }

  get counts(): LendingMarket['counts'] {
    return { followed: this.table.size, watched: this.watchlist.rows.length };
  }

  get isWhole(): boolean {
    return this.book.isWhole;
  }

  get coverage(): MarketCoverage {
    const { ignored, markets } = this.books;
    const whyNotServed = (one: FollowedMarket): UnservedReason | undefined =>
      this.valuation.whyNotServed(one);
    const coverage = coverageOf(ignored, markets.values(), whyNotServed, this.faulty);
    return { ...coverage, ...this.preLiquidations.coverage };
  }

  check(log: RawLog): void {
    checkLog(log);
  }

  async prepareRange(
    block: Block,
    logs: RangeLogs | undefined,
    saved?: readonly StoredPosition[],
  ): Promise<BlueStep> {
    const restored = saved && this.book.decoded(saved);
    const changes: PositionChange[] = [];
    const preChanges: PreLiquidationChange[] = [];
    await logs?.([...this.watched.keys()], (piece) => {
      for (const change of changesOf(this.settings, piece))
        if (isPositionChange(change)) changes.push(change);
      preChanges.push(...preChangesOf(this.settings, piece));
    });
    const legs = [...(restored?.accounts.values() ?? [])].flatMap((account) => account.legs);
    const ids = new Set([
      ...(restored ? [] : this.books.markets.keys()),
      ...legs.map(({ marketId }) => marketId),
      ...this.settings.markets,
      ...borrowedIn(changes),
    ]);
    const found = await this.reader.markets([...ids], block.hash);
    const followed = new Set(found.markets.map(({ id }) => id));
    const positions = changes.filter(({ marketId }) => followed.has(marketId));
    const { unknown, contradicted } = this.book.unknownIn(positions, restored?.accounts);
    const wanted = this.wanted.of(unknown, positions);
    for (const account of unknown)
      for (const { marketId } of restored?.accounts.get(account)?.legs ?? [])
        wanted.get(account)?.add(marketId);
    const [read, foundFeeds] = await Promise.all([
      this.reader.accounts(wanted, block.hash),
      this.findFeeds(found.markets, block),
    ]);
    return {
      ...{
        changes: positions,
        positions,
        preChanges,
        found,
        read,
        wanted,
        contradicted,
        foundFeeds,
        readsChange: true,
      },
      saved: restored && withoutMarkets([...restored.accounts.values()], followed),
      undecodable: restored?.undecodable ?? [],
    };
  }

  commitRange(step: BlueStep, block: Block): void {
    if (step.saved) {
      this.wanted.keep(this.table.keys());
      this.book.restore(step.saved);
    }
    this.books.begin(step.found);
    this.preLiquidations.begin(block.number, step.saved !== undefined);
    this.commit(step, block);
    this.valuation.reset();
    this.watchlist.reset();
  }

  async prepare(block: Block, logs: readonly RawLog[]): Promise<BlueStep> {
    const all = changesOf(this.settings, logs);
    const found = await this.reader.markets(this.books.unknownOf(borrowedIn(all)), block.hash);
    const changes = all.filter(
      ({ marketId }) => !found.ignored.has(marketId) && !this.books.isIgnored(marketId),
    );
    const preChanges = preChangesOf(this.settings, logs);
    const positions = changes.filter(isPositionChange);
    const { unknown, contradicted } = this.book.unknownIn(positions);
    const wanted = this.wanted.of(unknown, positions);
    const [read, foundFeeds] = await Promise.all([
      this.reader.agreedAccounts(wanted, block.hash),
      this.findFeeds(found.markets, block),
    ]);
    return {
      ...{ changes, positions, preChanges, found, read, wanted, contradicted, foundFeeds },
      ...{ saved: undefined, undecodable: [] },
      readsChange: found.markets.length > 0 || foundFeeds.size > 0,
    };
  }

  commit(step: BlueStep, block: Block): BlueUndo {
    const { changes, positions, preChanges, found, read, wanted, foundFeeds } = step;
    this.wanted.settle(wanted, new Set(read.map(({ address }) => address)));
    const undo = {
      markets: this.books.commit(changes, found, block.timestamp),
      accounts: this.book.commit(positions, read),
      pre: this.preLiquidations.commit(preChanges, block.number),
    };
    this.sources.feeds.add(foundFeeds);
    return undo;
  }

  undo({ markets, accounts, pre }: BlueUndo): void {
    this.preLiquidations.undo(pre);
    this.wanted.keep(accounts.read);
    this.book.undo(accounts);
    this.books.undo(markets);
    this.watchlist.reset();
  }

  async accountsIn(fromBlock: number, toBlock: number): Promise<Set<Address>> {
    const found = await this.reader.borrowers(fromBlock, toBlock);
    for (const [account, ids] of found) this.wanted.found(account, ids);
    return new Set(found.keys());
  }

  async readAccounts(accounts: readonly Address[], block: Hash): Promise<ReadAccounts> {
    const wanted = this.wanted.of(accounts);
    const ids = new Set([...wanted.values()].flatMap((of) => [...of]));
    const unknown = [...ids].filter((id) => !this.books.markets.has(id) && !this.books.isIgnored(id));
    const found = await this.reader.markets(unknown, block);
    this.wanted.withoutIgnored(wanted, new Set(found.ignored.keys()));
    return { accounts: await this.reader.accounts(wanted, block), wanted, found };
  }

  adopt(
    { accounts, wanted, found }: ReadAccounts,
    later: readonly BlueUndo[],
    tip: BlueUndo | undefined,
  ): void {
    const fresh = accounts.filter(({ address }) => !this.has(address));
    this.books.adopt(
      found,
      later.map(({ markets }) => markets),
    );
    // What is followed of it stays as it is, unless it turned out that it borrowed elsewhere too.
    this.book.forget(fresh.map(({ address }) => address).filter((address) => this.table.get(address)));
    this.wanted.settle(wanted, new Set(accounts.map(({ address }) => address)));
    this.book.adopt(
      fresh,
      later.map((undo) => undo.accounts),
      tip?.accounts,
    );
  }

  forget(accounts: Iterable<Address>): void {
    const all = [...accounts];
    this.wanted.keep(all);
    this.book.forget(all);
  }

  reads({ timestamp }: Pick<Block, 'timestamp'>): Read<BlueAnswers> {
    const { preLiquidations: pre } = this;
    return pre.with(this.prices.reads(this.served(), timestamp, pre.oracles), timestamp);
  }

  view(answers: BlueAnswers): MorphoBlueView {
    const { markets } = this.books;
    const { valued, faulty, priceUsd8, atRisk } = this.valuation.at(answers, markets, this.served());
    this.faulty = faulty;
    const ids = [...markets.keys()];
    const touched = [...this.book.takeTouched()].flatMap((address) => this.table.keysOf(address));
    this.watchlist.update(
      marketFactors(ids, (id) => this.table.numberOf(id), valued),
      touched,
    );
    const limit = Number(this.limits.decideBelowWad) / 1e18;
    const rows = this.watchlist.below(limit).flatMap((row) => this.table.positionIn(row) ?? []);
    const positions = this.valuation.below(this.limits.decideBelowWad, rows, valued);
    const { timestamp } = answers;
    const opening = this.openings.update(timestamp, markets, valued, positions, touched);
    const view = { timestamp, markets, valued, positions, borrowerCount: this.table.size };
    const origin = { protocol: this.name, morpho: this.settings.morpho };
    const pre = this.preLiquidations.update(answers, valued, ids, touched);
    return {
      ...{
        ...view,
        priceUsd8,
        atRisk: (limits) => [...atRisk(view, limits), ...preLiquidationsAtRisk(origin, pre, limits)],
      },
      aboutToOpen: (limits) => positionsAboutToOpen(origin, opening, limits),
      near: (belowWad) => positionsNear(origin, valued, this.table, this.watchlist, belowWad),
    };
  }

  comparison(view: MorphoBlueView, budget: number, first: readonly Address[]): Read<Comparison> {
    return this.comparisons.next(view, budget, first);
  }

  comparisonOf(view: MorphoBlueView, accounts: readonly Address[]): Read<Comparison> {
    return this.comparisons.of(view, accounts);
  }

  debts(): Read<readonly MissingDebt[]> | undefined {
    if (!this.isWhole) return undefined;
    const known = (id: Hash): bigint => this.table.borrowSharesIn(id);
    return debtsRead(this.settings, this.books.markets, known, this.wanted.blindCount);
  }

  has(account: Address): boolean {
    return this.table.get(account) !== undefined && this.wanted.isRead(account);
  }

  /** @param oracle of a market: here a price belongs to an oracle. */
  distrustPrice(oracle: Address): void {
    this.prices.distrust(oracle);
  }

  /** The account as of the last block; undefined for an account that is not followed. */
  account(address: Address): BlueAccount | undefined {
    return this.table.get(address);
  }

  takeChanges(): AccountChanges {
    return this.book.takeChanges();
  }

  /** Markets in which so much is borrowed that they are worth a call. */
  private served(): FollowedMarket[] {
    return [...this.books.markets.values()].filter((market) => !this.valuation.whyNotServed(market));
  }

  private findFeeds(markets: readonly FollowedMarket[], { hash }: Block): Promise<Feeds> {
    const ofOracles = markets.flatMap(({ oracle }) => feedsOf(oracle));
    const ofTokens = this.settings.feeds.map(({ feed }) => feed);
    return this.sources.feeds.findUnknown([...ofOracles, ...ofTokens], hash);
  }
}
