import { Kind } from '../../contract/bindings.js';
import type { StoredPosition } from '../../database/index.js';
import type { SizeLimits } from '../../domain/at-risk.js';
import type { Block } from '../../domain/block.js';
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
import { OPENING_HORIZON_SECONDS, type Counterparty, type LendingMarket } from '../lending-market.js';
import { ComparisonTurns } from '../scan/comparison-turns.js';
import { Crossings } from '../scan/crossings.js';
import type { FeedsBehind } from '../scan/feeds-behind.js';
import { Watchlist } from '../scan/watchlist.js';
import type { AaveV3Reader } from './aave-v3.reader.js';
import { applyChanges } from './account-changes.js';
import {
  positionsAboutToOpen,
  positionsAtRisk,
  pricedAssets,
  type AaveMarketView,
  type AaveOpening,
  type AavePosition,
} from './at-risk.js';
import { comparisonRead, debtsRead, otherCalls } from './comparison.js';
import { changesOf, checkLog, watchedLogs, withUpdates, type AccountChange } from './events.js';
import { marketFactors } from './factors.js';
import { feedsOfMarket } from './feeds.js';
import { accountData, isLiquidatable } from './health.js';
import {
  examineMarket,
  readTerms,
  type MarketAtStart,
  type MarketSettings,
  type MarketTerms,
} from './market-terms.js';
import { hasDebt, type AaveAccount, type AaveMarket, type MarketConditions } from './market.js';
import { OraclePrices, type PricedConditions } from './oracle-prices.js';
import { PositionTable } from './position-table.js';
import { addressRead, SELECTORS } from './reads.js';
import { ReserveCash, type CashAnswers } from './reserve-cash.js';
import type { MarketStep, MarketUndo } from './market-step.js';
import { positionsNear } from './near.js';
import { decodeAccount, encodeAccount } from './stored-account.js';

/** Wad. */
export interface HealthFactorLimits {
  /** Positions below it may be liquidated. They are in the view, computed exactly. */
  readonly decideBelowWad: bigint;
  /** Positions below it are compared with the chain at each block. At least as high as `decideBelowWad`. */
  readonly watchBelowWad: bigint;
}

/** What an Aave market reads from. */
export interface MarketSources {
  readonly chain: Chain;
  readonly reader: AaveV3Reader;
  readonly feeds: FeedBook;
  readonly guard: PriceGuard;
}

/** The answers at a head. */
type MarketAnswers = [PricedConditions, CashAnswers];

const NO_FEEDS: Feeds = new Map();

/**
 * One Aave v3 market. Its logs keep the positions exact. Only an account that takes its first debt is read
 * from the chain.
 */
export class AaveV3Market implements LendingMarket<AaveMarketView, MarketStep, MarketUndo, MarketAnswers> {
  private readonly table = new PositionTable();
  private readonly book = new AccountBook<AaveAccount, AccountChange>(this.table, {
    apply: applyChanges,
    hasDebt,
    encode: encodeAccount,
    decode: decodeAccount,
  });
  private readonly watchlist: Watchlist<Address>;
  private readonly turns: ComparisonTurns<Address>;
  private readonly crossings: Crossings<Address>;
  private readonly prices: OraclePrices;
  private readonly cash = new ReserveCash();
  private terms!: MarketTerms;
  /** The answers of the last view, and the assets whose prices the price guard refused. */
  private judged:
    | { readonly by: PricedConditions; readonly prices: Prices; readonly jumped: ReadonlySet<Address> }
    | undefined;

  constructor(
    private readonly sources: MarketSources,
    readonly settings: MarketSettings,
    private readonly limits: HealthFactorLimits,
  ) {
    this.watchlist = new Watchlist(this.table.rows, Number(limits.watchBelowWad) / 1e18);
    this.turns = new ComparisonTurns(this.table.rows, this.watchlist);
    this.crossings = new Crossings(this.table.rows, this.watchlist, OPENING_HORIZON_SECONDS);
    this.prices = new OraclePrices(sources.feeds);
  }

  get name(): string {
    return this.settings.name;
  }

  get contracts(): readonly (readonly [key: string, Address])[] {
    const { name, addressesProvider } = this.settings;
    return [[`protocols (${name}).addressesProvider`, addressesProvider]];
  }

  get tokens(): readonly Asset[] {
    return this.judged ? pricedAssets(this.terms.market, this.judged.prices) : [];
  }

  holderOf(token: Address): Address | undefined {
    const reserves = this.judged ? [...this.terms.market.reserves.values()] : [];
    return reserves.find(({ asset }) => asset === token)?.aToken;
  }

  feedsBehind(view: AaveMarketView): FeedsBehind {
    return feedsOfMarket(view, this.terms.sources, this.table);
  }

  counterparty(): Read<Counterparty> {
    const { name, addressesProvider } = this.settings;
    const { calls, decode } = addressRead(addressesProvider, SELECTORS.getPool, name);
    return {
      calls,
      decode: (results) => ({
        address: decode(results),
        kind: Kind.AaveV3,
        description: 'an Aave v3 market',
      }),
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
    const { chain, reader } = this.sources;
    const terms = await readTerms(chain, reader, this.settings, block.hash);
    const accounts: AccountChange[] = [];
    await logs?.([...watchedLogs(terms.market).keys()], (piece) => {
      for (const change of changesOf(terms.market, piece).accounts) accounts.push(change);
    });
    const { unknown, contradicted } = this.book.unknownIn(accounts, restored?.accounts);
    const [read, foundFeeds] = await Promise.all([
      reader.accounts(terms.market, unknown, block.hash),
      this.sources.feeds.findUnknown(terms.sources.values(), block.hash),
    ]);
    return {
      terms,
      changes: { accounts, updates: new Map(), accrued: new Set<Address>(), reload: true },
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
    let changes = changesOf(this.terms.market, logs);
    let terms: MarketTerms | undefined;
    let foundFeeds = NO_FEEDS;
    if (changes.reload) {
      terms = await readTerms(chain, reader, this.settings, block.hash);
      foundFeeds = await feeds.findUnknown(terms.sources.values(), block.hash);
      const known = this.watched;
      const addresses = [...watchedLogs(terms.market).keys()];
      const all = addresses.every((address) => known.has(address)) ? logs : await fetchLogs(addresses);
      // The terms that were read already hold the updates of this block.
      changes = { ...changesOf(terms.market, all), updates: new Map(), accrued: new Set() };
    }
    const { unknown, contradicted } = this.book.unknownIn(changes.accounts);
    const market = terms?.market ?? this.terms.market;
    const read = await reader.agreedAccounts(market, unknown, block.hash);
    return {
      terms,
      changes,
      read,
      contradicted,
      foundFeeds,
      saved: undefined,
      undecodable: [],
      readsChange: terms !== undefined || foundFeeds.size > 0,
    };
  }

  commit({ terms, changes, read, foundFeeds }: MarketStep, block: Block): MarketUndo {
    const undo = { terms: this.terms, accounts: this.book.commit(changes.accounts, read) };
    this.terms = terms ?? { ...this.terms, market: withUpdates(this.terms.market, changes, block.timestamp) };
    if (terms) this.prices.reset();
    this.cash.touch(changes.updates.keys());
    if (changes.reload) this.cash.reset();
    this.sources.feeds.add(foundFeeds);
    return undo;
  }

  undo({ terms, accounts }: MarketUndo): void {
    this.book.undo(accounts);
    if (terms.sources !== this.terms.sources) this.prices.reset();
    this.cash.reset();
    this.terms = terms;
    this.watchlist.reset();
  }

  accountsIn(fromBlock: number, toBlock: number): Promise<Set<Address>> {
    return this.sources.reader.borrowers(this.terms.market, fromBlock, toBlock);
  }

  readAccounts(accounts: readonly Address[], block: Hash): Promise<AaveAccount[]> {
    return this.sources.reader.accounts(this.terms.market, accounts, block);
  }

  adopt(read: readonly AaveAccount[], later: readonly MarketUndo[], tip: MarketUndo | undefined): void {
    this.book.adopt(
      read,
      later.map(({ accounts }) => accounts),
      tip?.accounts,
    );
  }

  forget(accounts: Iterable<Address>): void {
    this.book.forget(accounts);
  }

  reads({ timestamp }: Pick<Block, 'timestamp'>): Read<MarketAnswers> {
    return together(this.prices.reads(this.terms, timestamp), this.cash.reads(this.terms.market));
  }

  view([priced, cash]: MarketAnswers): AaveMarketView {
    const { market } = this.terms;
    const { conditions, priceTimes } = this.prices.complete(priced, this.terms);
    const payables = this.cash.complete(cash);
    const touched = this.book.takeTouched();
    this.watchlist.update(marketFactors(market, conditions), touched);
    const positions = new Map<Address, AavePosition>();
    const limit = Number(this.limits.decideBelowWad) / 1e18;
    for (const row of this.watchlist.below(limit)) {
      const account = this.table.accountIn(row);
      if (!account) continue;
      const data = accountData(market, account, conditions);
      if ('priceMissing' in data || data.healthFactorWad < this.limits.decideBelowWad)
        positions.set(account.address, { account, data });
    }
    const openingSoon = this.openingSoon(market, conditions, positions, touched);
    // The same answers again, with more accounts, are not another block: the prices are not judged again.
    if (this.judged?.by !== priced) {
      const jumped = this.sources.guard.jumped(this.judged?.prices, conditions.prices);
      this.judged = { by: priced, prices: conditions.prices, jumped };
    }
    const { jumped } = this.judged;
    const view = {
      market,
      conditions,
      priceTimes,
      payables,
      jumped,
      positions,
      openingSoon,
      borrowerCount: this.table.size,
    };
    return {
      ...view,
      atRisk: (limits: SizeLimits) => positionsAtRisk(view, limits),
      aboutToOpen: (limits: SizeLimits) => positionsAboutToOpen(view, limits),
      near: (belowWad: bigint) => positionsNear(view, this.table, this.watchlist, belowWad),
      priceUsd8: (asset: Address) => conditions.prices.get(asset),
    };
  }

  comparison(view: AaveMarketView, budget: number, first: readonly Address[]): Read<Comparison> {
    const accounts = this.turns.next(budget - otherCalls(view), first);
    if (accounts.length > 0) return this.comparisonOf(view, accounts);
    return { calls: [], decode: () => ({ compared: [], divergences: [], wrongPrices: [] }) };
  }

  comparisonOf(view: AaveMarketView, accounts: readonly Address[]): Read<Comparison> {
    const known = accounts.flatMap((account) => this.table.get(account) ?? []);
    return comparisonRead(view, known);
  }

  debts({ timestamp }: Pick<Block, 'timestamp'>): Read<readonly MissingDebt[]> | undefined {
    return this.isWhole ? debtsRead(this.terms.market, this.table.scaledDebts, timestamp) : undefined;
  }

  has(account: Address): boolean {
    return this.table.rows.rowOf(account) !== undefined;
  }

  distrustPrice(asset: Address): void {
    const source = this.terms.sources.get(asset);
    if (source) this.sources.feeds.distrust(source);
  }

  /** The account as of the last block; undefined for an account that is not followed. */
  account(address: Address): AaveAccount | undefined {
    return this.table.get(address);
  }

  takeChanges(): AccountChanges {
    return this.book.takeChanges();
  }

  private openingSoon(
    market: AaveMarket,
    conditions: MarketConditions,
    positions: ReadonlyMap<Address, AavePosition>,
    touched: Iterable<Address>,
  ): AaveOpening[] {
    const { timestamp: now, prices } = conditions;
    const at = (timestamp: number): MarketConditions => ({ ...conditions, timestamp });
    const outlook = {
      now,
      terms: market,
      prices,
      fillAt: (timestamp: number) => marketFactors(market, at(timestamp)),
      isOpenNow: (address: Address) => {
        const data = positions.get(address)?.data;
        return data !== undefined && ('priceMissing' in data || isLiquidatable(data.healthFactorWad));
      },
      isOpenAt: (address: Address, timestamp: number) => {
        const account = this.table.get(address);
        const data = account && accountData(market, account, at(timestamp));
        return data !== undefined && !('priceMissing' in data) && isLiquidatable(data.healthFactorWad);
      },
    };
    return this.crossings.update(outlook, touched).flatMap(({ key, opensAt }) => {
      const account = this.table.get(key);
      return account ? [{ account, opensAt }] : [];
    });
  }
}
