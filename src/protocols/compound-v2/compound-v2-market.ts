import { Kind } from '../../contract/bindings.js';
import type { StoredPosition } from '../../database/index.js';
import type { SizeLimits } from '../../domain/at-risk.js';
import type { Block } from '../../domain/block.js';
import { chainDescription } from '../../domain/chain-description.js';
import type { Address, Hash } from '../../domain/hex.js';
import type { Asset } from '../../domain/opportunity.js';
import type { FeedBook, Feeds } from '../../oracles/feed-book.js';
import type { PriceGuard, Prices } from '../../oracles/price-guard.js';
import type { RawLog } from '../../rpc/chain/chain-answers.js';
import type { Chain } from '../../rpc/chain/chain.js';
import type { WatchedLogs } from '../../rpc/chain/logs-bloom.js';
import { together, type Read } from '../../rpc/chain/read.js';
import type { AccountChanges, Comparison, MissingDebt, RangeLogs } from '../../state/followed.js';
import { AccountBook } from '../account-book.js';
import type { Counterparty, LendingMarket } from '../lending-market.js';
import { ComparisonTurns } from '../scan/comparison-turns.js';
import type { FeedsBehind } from '../scan/feeds-behind.js';
import { Watchlist } from '../scan/watchlist.js';
import { applyChanges } from './account-changes.js';
import {
  positionsAboutToOpen,
  positionsAtRisk,
  pricedAssets,
  type CompoundMarketView,
  type CompoundPosition,
  type ViewData,
} from './at-risk.js';
import { callsOfAccount, comparisonRead, debtsRead, otherCalls } from './comparison.js';
import type { CompoundV2Reader } from './compound-v2.reader.js';
import { changesOf, checkLog, watchedLogs, type AccountChange, type MarketChanges } from './events.js';
import { withExactDebts } from './exact-debts.js';
import { marketFactors } from './factors.js';
import { feedsOfMarket } from './feeds.js';
import { MarketStates, type StateAnswers } from './market-states.js';
import type { MarketStep, MarketUndo } from './market-step.js';
import { positionsNear } from './near.js';
import {
  examineMarket,
  readTerms,
  type MarketAtStart,
  type MarketSettings,
  type MarketTerms,
} from './market-terms.js';
import { hasDebt, type CompoundAccount, type CompoundMarket } from './market.js';
import { Openings } from './openings.js';
import { OraclePrices, type OracleAnswers } from './oracle-prices.js';
import { PositionTable } from './position-table.js';
import { isComptrollerRead } from './reads.js';
import { decodeAccount, encodeAccount } from './stored-account.js';
import { viewedPosition } from './viewed-position.js';

/** Wad. */
export interface HealthFactorLimits {
  /** Positions below it may be liquidated. They are in the view, computed exactly. */
  readonly decideBelowWad: bigint;
  /** Positions below it are compared with the chain at each block. At least as high as `decideBelowWad`. */
  readonly watchBelowWad: bigint;
}

/** What a market reads from. */
export interface MarketSources {
  readonly chain: Chain;
  readonly reader: CompoundV2Reader;
  readonly feeds: FeedBook;
  readonly guard: PriceGuard;
}

/** The block of the head, and the answers at it. */
type MarketAnswers = [StateAnswers, OracleAnswers];

const NO_FEEDS: Feeds = new Map();
const NO_INDEXES: ReadonlyMap<number, bigint> = new Map();

/**
 * The markets of one Comptroller: Compound v2, or its fork Moonwell. Their logs keep the positions exact.
 * What
 * they have booked is read at each head after a block that changed it.
 */
export class CompoundV2Market implements LendingMarket<
  CompoundMarketView,
  MarketStep,
  MarketUndo,
  MarketAnswers
> {
  private readonly table = new PositionTable();
  private readonly book = new AccountBook<CompoundAccount, AccountChange>(this.table, {
    apply: applyChanges,
    hasDebt,
    encode: encodeAccount,
    decode: decodeAccount,
  });
  private readonly watchlist: Watchlist<Address>;
  private readonly turns: ComparisonTurns<Address>;
  private readonly prices: OraclePrices;
  private readonly states = new MarketStates();
  private readonly openings: Openings;
  private terms!: MarketTerms;
  /** The borrow index that each market has booked last, as far as logs told it: wad. */
  private indexes = NO_INDEXES;
  private tip!: Block;
  /** The answers of the last view, and the assets whose prices the price guard refused. */
  private judged:
    | { readonly by: OracleAnswers; readonly prices: Prices; readonly jumped: ReadonlySet<Address> }
    | undefined;
  private lastTokens: readonly Asset[] = [];

  constructor(
    private readonly sources: MarketSources,
    readonly settings: MarketSettings & { readonly fromBlock: number },
    private readonly limits: HealthFactorLimits,
  ) {
    this.watchlist = new Watchlist(this.table.rows, Number(limits.watchBelowWad) / 1e18);
    this.turns = new ComparisonTurns(this.table.rows, this.watchlist);
    this.prices = new OraclePrices(sources.feeds);
    const { blockTimeMs } = chainDescription(sources.chain.chainId);
    this.openings = new Openings(this.table, this.watchlist, blockTimeMs);
  }

  get name(): string {
    return this.settings.name;
  }

  get contracts(): readonly (readonly [key: string, Address])[] {
    const { name, comptroller } = this.settings;
    return [[`protocols (${name}).comptroller`, comptroller]];
  }

  get tokens(): readonly Asset[] {
    return this.lastTokens;
  }

  holderOf(token: Address): Address | undefined {
    if (!this.judged) return undefined;
    const mTokens = [...this.terms.market.mTokens.values()];
    return mTokens.find(({ asset, isNative }) => asset === token && !isNative)?.address;
  }

  feedsBehind(view: CompoundMarketView): FeedsBehind {
    return feedsOfMarket(view, this.terms, this.table);
  }

  counterparty(): Read<Counterparty> {
    const { calls, decode } = isComptrollerRead(this.settings.comptroller);
    return {
      calls,
      decode: (results) => {
        decode(results);
        const { comptroller: address } = this.settings;
        return { address, kind: Kind.CompoundV2, description: 'a Compound v2 Comptroller' };
      },
    };
  }

  examine(block: Hash, asset: Address): Promise<MarketAtStart> {
    return examineMarket(this.sources, this.settings, block, asset);
  }

  get watched(): WatchedLogs {
    return watchedLogs(this.terms.market);
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

  check(log: RawLog): void {
    checkLog(log);
  }

  async prepareRange(
    block: Block,
    logs: RangeLogs | undefined,
    saved?: readonly StoredPosition[],
  ): Promise<MarketStep> {
    const restored = saved && this.book.decoded(saved);
    const terms = await readTerms(this.sources, this.settings, block.hash);
    const accounts: AccountChange[] = [];
    let indexes = saved ? NO_INDEXES : this.indexes;
    await logs?.([...watchedLogs(terms.market).keys()], (piece) => {
      const changes = changesOf(terms.market, piece, indexes);
      indexes = changes.indexes;
      for (const change of changes.accounts) accounts.push(change);
    });
    const { unknown, contradicted } = this.book.unknownIn(accounts, restored?.accounts);
    const [read, foundFeeds] = await Promise.all([
      this.readExactly(terms.market, unknown, block.hash, accounts),
      this.sources.feeds.findUnknown(terms.feeds.values(), block.hash),
    ]);
    return {
      terms,
      changes: { accounts, indexes, touched: new Set<number>(), reload: true },
      read,
      contradicted,
      foundFeeds,
      saved: restored?.accounts.values(),
      undecodable: restored?.undecodable ?? [],
      readsChange: true,
    };
  }

  commitRange(step: MarketStep, block: Block): void {
    if (step.saved) this.book.restore(step.saved);
    this.commit(step, block);
    this.judged = undefined;
    this.watchlist.reset();
  }

  async prepare(
    block: Block,
    logs: readonly RawLog[],
    fetchLogs: (addresses: readonly Address[]) => Promise<readonly RawLog[]>,
  ): Promise<MarketStep> {
    const { chain, reader, feeds } = this.sources;
    let changes: MarketChanges = changesOf(this.terms.market, logs, this.indexes);
    let terms: MarketTerms | undefined;
    let foundFeeds = NO_FEEDS;
    if (changes.reload) {
      terms = await readTerms(this.sources, this.settings, block.hash);
      foundFeeds = await feeds.findUnknown(terms.feeds.values(), block.hash);
      const known = this.watched;
      const addresses = [...watchedLogs(terms.market).keys()];
      const all = addresses.every((address) => known.has(address)) ? logs : await fetchLogs(addresses);
      changes = changesOf(terms.market, all, this.indexes);
    }
    const { unknown, contradicted } = this.book.unknownIn(changes.accounts);
    const market = terms?.market ?? this.terms.market;
    const agreed = await reader.agreedAccounts(market, unknown, block.hash);
    const read = await withExactDebts(chain, market, agreed, changes.accounts, block.hash);
    return {
      terms,
      changes,
      read,
      contradicted,
      foundFeeds,
      saved: undefined,
      undecodable: [],
      readsChange: terms !== undefined || foundFeeds.size > 0 || changes.touched.size > 0,
    };
  }

  commit({ terms, changes, read, foundFeeds }: MarketStep, block: Block): MarketUndo {
    const undo = {
      terms: this.terms,
      indexes: this.indexes,
      accounts: this.book.commit(changes.accounts, read),
    };
    this.terms = terms ?? this.terms;
    this.indexes = changes.indexes;
    this.tip = block;
    if (terms) {
      this.prices.reset();
      this.states.reset();
    } else this.states.touch(changes.touched);
    this.sources.feeds.add(foundFeeds);
    return undo;
  }

  undo({ terms, indexes, accounts }: MarketUndo): void {
    this.book.undo(accounts);
    if (terms !== this.terms) this.prices.reset();
    this.states.reset();
    this.terms = terms;
    this.indexes = indexes;
    this.watchlist.reset();
  }

  accountsIn(fromBlock: number, toBlock: number): Promise<Set<Address>> {
    return this.sources.reader.borrowers(this.terms.market, fromBlock, toBlock);
  }

  readAccounts(accounts: readonly Address[], block: Hash): Promise<readonly CompoundAccount[]> {
    return this.readExactly(this.terms.market, accounts, block);
  }

  adopt(read: readonly CompoundAccount[], later: readonly MarketUndo[], tip: MarketUndo | undefined): void {
    this.book.adopt(
      read,
      later.map(({ accounts }) => accounts),
      tip?.accounts,
    );
  }

  forget(accounts: Iterable<Address>): void {
    this.book.forget(accounts);
  }

  reads(block: Block): Read<MarketAnswers> {
    return together(this.states.reads(this.terms.market, block), this.prices.reads(this.terms));
  }

  view([states, priced]: MarketAnswers): CompoundMarketView {
    const { terms } = this;
    const { market } = terms;
    const { prices, priceTimes, fresh } = this.prices.complete(priced, terms);
    const { tip } = this;
    const at = BigInt(market.clock === 'block' ? tip.number : tip.timestamp);
    const conditions = { at, states: this.states.complete(states), prices };
    const touched = this.book.takeTouched();
    this.watchlist.update(marketFactors(market, conditions, fresh), touched);
    const positions = new Map<Address, CompoundPosition>();
    for (const row of this.watchlist.below(Number(this.limits.decideBelowWad) / 1e18)) {
      const account = this.table.accountIn(row);
      const position =
        account && viewedPosition(terms, conditions, fresh, account, this.limits.decideBelowWad);
      if (position) positions.set(position.account.address, position);
    }
    const openingSoon = this.openings.update(tip, market, conditions, positions, touched);
    const known = { market, conditions, priceTimes, positions, openingSoon };
    const tokens = pricedAssets(known);
    const pricesUsd8 = new Map(tokens.map(({ address, priceUsd8 }) => [address, priceUsd8]));
    // The same answers again, with more accounts, are not another block: the prices are not judged again.
    if (this.judged?.by !== priced) {
      const jumped = this.sources.guard.jumped(this.judged?.prices, pricesUsd8);
      this.judged = { by: priced, prices: pricesUsd8, jumped };
    }
    this.lastTokens = tokens;
    const view: ViewData = { ...known, jumped: this.judged.jumped };
    return {
      ...view,
      borrowerCount: this.table.size,
      atRisk: (limits: SizeLimits) => positionsAtRisk(view, limits),
      aboutToOpen: (limits: SizeLimits) => positionsAboutToOpen(view, limits),
      near: (belowWad: bigint) => positionsNear(view, this.table, this.watchlist, belowWad),
      priceUsd8: (asset: Address) => pricesUsd8.get(asset),
    };
  }

  comparison(view: CompoundMarketView, budget: number, first: readonly Address[]): Read<Comparison> {
    const count = Math.floor((budget - otherCalls(view)) / callsOfAccount(view));
    const accounts = count > 0 ? this.turns.next(count, first) : [];
    if (accounts.length > 0) return this.comparisonOf(view, accounts);
    return { calls: [], decode: () => ({ compared: [], divergences: [], wrongPrices: [] }) };
  }

  comparisonOf(view: CompoundMarketView, accounts: readonly Address[]): Read<Comparison> {
    const known = accounts.flatMap((account) => this.table.get(account) ?? []);
    return comparisonRead(view, known);
  }

  debts({ number }: Pick<Block, 'number'>): Read<readonly MissingDebt[]> | undefined {
    if (!this.isWhole) return undefined;
    return debtsRead(this.terms.market, this.table.accounts(), number - this.settings.fromBlock);
  }

  has(account: Address): boolean {
    return this.table.rows.rowOf(account) !== undefined;
  }

  distrustPrice(asset: Address): void {
    for (const { id, asset: own } of this.terms.market.mTokens.values()) {
      const feed = own === asset ? this.terms.feeds.get(id) : undefined;
      if (feed) this.sources.feeds.distrust(feed);
    }
  }

  /** The account as of the last block; undefined for an account that is not followed. */
  account(address: Address): CompoundAccount | undefined {
    return this.table.get(address);
  }

  takeChanges(): AccountChanges {
    return this.book.takeChanges();
  }

  private async readExactly(
    market: CompoundMarket,
    accounts: readonly Address[],
    block: Hash,
    changes: readonly AccountChange[] = [],
  ): Promise<readonly CompoundAccount[]> {
    const { chain, reader } = this.sources;
    return withExactDebts(chain, market, await reader.accounts(market, accounts, block), changes, block);
  }
}
