import type { Block } from '../domain/block.js';
import type { Address, Hash } from '../domain/hex.js';
import { updateTimesRead } from '../oracles/chainlink.js';
import type { FeedBook } from '../oracles/feed-book.js';
import type { PriceGuard, Prices } from '../oracles/price-guard.js';
import type { AaveV3Reader } from '../protocols/aave-v3/aave-v3.reader.js';
import { applyChanges } from '../protocols/aave-v3/account-changes.js';
import {
  changesOf,
  watchedAddresses,
  withUpdates,
  type AccountChange,
  type MarketChanges,
} from '../protocols/aave-v3/events.js';
import { accountData } from '../protocols/aave-v3/health.js';
import { hasDebt, type AaveAccount, type MarketConditions } from '../protocols/aave-v3/market.js';
import { PositionTable } from '../protocols/aave-v3/position-table.js';
import { conditionsRead } from '../protocols/aave-v3/reads.js';
import { Watchlist } from '../protocols/aave-v3/watchlist.js';
import type { RawLog } from '../rpc/chain/chain-answers.js';
import type { Chain } from '../rpc/chain/chain.js';
import { together, type Read } from '../rpc/chain/read.js';
import { readTerms, type MarketSettings, type Terms } from './market-terms.js';
import type { MarketView, Position } from './state-view.js';

/** Wad. */
export interface HealthFactorLimits {
  /** Positions below it are in the view, exactly: those that may be liquidated. */
  readonly decideBelowWad: bigint;
  /** Positions below it are compared with the chain at each block. At least as high as the other. */
  readonly watchBelowWad: bigint;
}

/** What the outside says of the market at a block: read together with other markets' in one round trip. */
export interface Surroundings {
  /** What had to be asked; the feed book knows the others. */
  readonly conditions: MarketConditions;
  readonly priceTimes: ReadonlyMap<Address, number>;
}

/** One block, read and ready to be applied at once. */
export interface MarketStep {
  readonly terms: Terms | undefined;
  readonly changes: MarketChanges;
  /** Accounts as the chain has them at the block's end: they were not known, or known wrongly. */
  readonly read: readonly AaveAccount[];
  readonly contradicted: ReadonlySet<Address>;
}

/** What takes one block back. */
export interface MarketUndo {
  readonly terms: Terms;
  readonly before: ReadonlyMap<Address, AaveAccount | undefined>;
  /** Read from the chain within this block: what they were before it is not known. */
  readonly read: Set<Address>;
  readonly logs: readonly AccountChange[];
}

/** What changed since it was last asked for. */
export interface PositionChanges {
  readonly changed: readonly AaveAccount[];
  readonly gone: readonly Address[];
}

/**
 * One Aave market at one block, its positions kept exactly by its logs: each block is read first and then applied at once, so
 * that nobody ever sees half of it, and can be taken back. Only accounts that take their first debt are read from the chain.
 */
export class TrackedMarket {
  private readonly table = new PositionTable();
  private readonly watchlist: Watchlist;
  private terms!: Terms;
  /** The conditions of the last view, and what the price guard said of them. */
  private judged:
    { readonly by: Surroundings; readonly prices: Prices; readonly jumped: ReadonlySet<Address> } | undefined;
  /** Assets whose price is what the feed book has for their source. */
  private readonly byFeed = new Set<Address>();
  /** Accounts that have debt, as far as we know, but whose position is not known. */
  private readonly missing = new Set<Address>();
  private touched = new Set<Address>();
  private unsaved = new Set<Address>();
  private sampledWatched = 0;
  private sampledRows = 0;

  constructor(
    private readonly chain: Chain,
    private readonly reader: AaveV3Reader,
    private readonly guard: PriceGuard,
    readonly settings: MarketSettings,
    private readonly limits: HealthFactorLimits,
  ) {
    this.watchlist = new Watchlist(this.table, Number(limits.watchBelowWad) / 1e18);
  }

  get name(): string {
    return this.settings.name;
  }

  /** Every contract whose logs {@link prepare} wants. */
  get watched(): readonly Address[] {
    return watchedAddresses(this.terms.market);
  }

  get borrowers(): Iterable<Address> {
    return this.table.keys();
  }

  /** Begins at a block with these positions, and forgets any others. @throws RetryError when the chain cannot be read. */
  async begin(positions: Iterable<AaveAccount>, block: Block): Promise<void> {
    this.commitRange(await this.prepareRange(block, () => undefined), block, positions);
  }

  /**
   * Reads what it takes to get to a block over many others, of which only the end matters. Changes nothing.
   *
   * @param known the account before the first of them; undefined for one that is not followed.
   * @param collect gives the logs of these contracts, piece by piece; without it there are none.
   * @throws RetryError when the chain cannot be read.
   */
  async prepareRange(
    block: Block,
    known: (address: Address) => AaveAccount | undefined = (address) => this.table.get(address),
    collect?: (addresses: readonly Address[], onLogs: (logs: readonly RawLog[]) => void) => Promise<void>,
  ): Promise<MarketStep> {
    const terms = await readTerms(this.chain, this.reader, this.settings, block.hash);
    const accounts: AccountChange[] = [];
    await collect?.(watchedAddresses(terms.market), (logs) => {
      for (const change of changesOf(terms.market, logs).accounts) accounts.push(change);
    });
    const { newBorrowers, contradicted } = applyChanges(accounts, known);
    const unknown = [...new Set([...newBorrowers, ...contradicted])];
    const read = await this.reader.accounts(terms.market, unknown, block.hash);
    const changes = { accounts, updates: new Map(), accrued: new Set<Address>(), reload: true };
    return { terms, changes, read, contradicted };
  }

  /**
   * Applies a range, which cannot be taken back.
   *
   * @param positions what is known before it, instead of everything that was.
   */
  commitRange(step: MarketStep, block: Block, positions?: Iterable<AaveAccount>): void {
    if (positions) {
      for (const address of [...this.table.keys()]) this.table.delete(address);
      for (const account of positions) if (hasDebt(account)) this.table.set(account);
      this.missing.clear();
      this.unsaved = new Set();
      this.touched = new Set();
    }
    this.commit(step, block);
    this.judged = undefined;
    this.watchlist.reset();
  }

  /** These positions are not known any more: they are read with the next block, unless that is done before. */
  forget(accounts: Iterable<Address>): void {
    for (const account of accounts) {
      this.set(account, undefined);
      this.missing.add(account);
    }
  }

  /** The accounts as the chain has them at a block. @throws RetryError when it cannot be read. */
  read(accounts: readonly Address[], block: Hash): Promise<AaveAccount[]> {
    return this.reader.accounts(this.terms.market, accounts, block);
  }

  /**
   * Reads what it takes to apply a block. Changes nothing.
   *
   * @param fetchLogs the block's logs of these contracts: asked for when the block brought new ones.
   * @throws RetryError when the chain cannot be read.
   */
  async prepare(
    block: Block,
    logs: readonly RawLog[],
    fetchLogs: (addresses: readonly Address[]) => Promise<readonly RawLog[]>,
  ): Promise<MarketStep> {
    let changes = changesOf(this.terms.market, logs);
    let terms: Terms | undefined;
    if (changes.reload) {
      terms = await readTerms(this.chain, this.reader, this.settings, block.hash);
      const known = new Set(this.watched);
      const addresses = watchedAddresses(terms.market);
      const all = addresses.every((address) => known.has(address)) ? logs : await fetchLogs(addresses);
      // The updates of this block are in what was read.
      changes = { ...changesOf(terms.market, all), updates: new Map(), accrued: new Set() };
    }
    const { newBorrowers, contradicted } = applyChanges(changes.accounts, (address) =>
      this.table.get(address),
    );
    const unknown = new Set([...newBorrowers, ...contradicted, ...this.missing]);
    const market = terms?.market ?? this.terms.market;
    const read = unknown.size === 0 ? [] : await this.reader.accounts(market, [...unknown], block.hash);
    return { terms, changes, read, contradicted };
  }

  /** Applies a prepared block. @returns what takes it back. */
  commit({ terms, changes, read }: MarketStep, block: Block): MarketUndo {
    const { accounts } = changes;
    const undo = { terms: this.terms, before: new Map<Address, AaveAccount | undefined>(), logs: accounts };
    const asRead = new Set(read.map(({ address }) => address));
    // Positions may have been taken in since the block was prepared: they are followed as well.
    const { changed, contradicted } = applyChanges(accounts, (address) =>
      asRead.has(address) ? undefined : this.table.get(address),
    );
    for (const address of [...changed.keys(), ...asRead, ...contradicted])
      undo.before.set(address, this.table.get(address));
    for (const [address, account] of changed) this.set(address, account);
    for (const account of read) this.set(account.address, account);
    for (const address of asRead) this.missing.delete(address);
    this.forget(contradicted);
    this.terms = terms ?? { ...this.terms, market: withUpdates(this.terms.market, changes, block.timestamp) };
    if (terms) this.byFeed.clear();
    return { ...undo, read: asRead };
  }

  /** Takes the last block back; whoever cannot be taken back is read again with the next block. */
  undo({ terms, before, read }: MarketUndo): void {
    for (const [address, account] of before) this.set(address, account);
    this.forget(read);
    if (terms.sources !== this.terms.sources) this.byFeed.clear();
    this.terms = terms;
    this.watchlist.reset();
  }

  /**
   * Takes in positions read at a block of a moment ago; those that are known already are left as they are.
   *
   * @param later what was applied since then, oldest first.
   * @param tip remembers that they came with it: what they were before is not known.
   */
  adopt(positions: readonly AaveAccount[], later: readonly MarketUndo[], tip: MarketUndo | undefined): void {
    const fresh = new Map(
      positions
        .filter(({ address }) => !this.table.get(address))
        .map((account) => [account.address, account]),
    );
    for (const { logs } of later) {
      const { changed, contradicted } = applyChanges(logs, (address) => fresh.get(address));
      for (const [address, account] of changed) fresh.set(address, account);
      for (const address of contradicted) fresh.delete(address);
    }
    for (const [address, account] of fresh) {
      this.set(address, account);
      this.missing.delete(address);
      tip?.read.add(address);
    }
  }

  /** Everybody who took debt in a range of blocks, both ends included, as the archive tells. */
  borrowersIn(fromBlock: number, toBlock: number): Promise<Set<Address>> {
    return this.reader.borrowers(this.terms.market, fromBlock, toBlock);
  }

  /** What has to be asked at a block: the prices that no feed's log tells, and the sentinel. */
  surroundings(timestamp: number): Read<Surroundings> {
    const { market, sources } = this.terms;
    const asked = [...sources].filter(([asset]) => !this.byFeed.has(asset));
    const assets = [...market.reserves.values()].map(({ asset }) => asset);
    const both = together(
      conditionsRead(
        market,
        timestamp,
        assets.filter((asset) => !this.byFeed.has(asset)),
      ),
      updateTimesRead(asked.map(([, source]) => source)),
    );
    return {
      calls: both.calls,
      decode: (results) => {
        const [conditions, times] = both.decode(results);
        const priceTimes = new Map<Address, number>();
        for (const [index, [asset]] of asked.entries()) {
          const time = times[index];
          if (time !== undefined) priceTimes.set(asset, time);
        }
        return { conditions, priceTimes };
      },
    };
  }

  /**
   * The market and its positions below the health factor at which they may be liquidated, exactly, at the surroundings' prices
   * and timestamp. One whose price is missing is among them.
   */
  view(surroundings: Surroundings, feeds: FeedBook): MarketView {
    const { market } = this.terms;
    const { conditions, priceTimes } = this.withFeeds(surroundings, feeds);
    this.watchlist.update(market, conditions, this.touched);
    this.touched = new Set();
    const positions = new Map<Address, Position>();
    const limit = Number(this.limits.decideBelowWad) / 1e18;
    for (const row of this.watchlist.below(limit)) {
      const account = this.table.accountIn(row);
      if (!account) continue;
      const data = accountData(market, account, conditions);
      if ('priceMissing' in data || data.healthFactorWad < this.limits.decideBelowWad)
        positions.set(account.address, { account, data });
    }
    // The same block again, with more positions, says nothing new about its prices.
    if (this.judged?.by !== surroundings) {
      const jumped = this.guard.jumped(this.judged?.prices, conditions.prices);
      this.judged = { by: surroundings, prices: conditions.prices, jumped };
    }
    const { jumped } = this.judged;
    return { market, conditions, priceTimes, jumped, positions, borrowerCount: this.table.size };
  }

  /**
   * Positions to compare with the chain: the watched ones, and in turn some of the others. When there are more of the watched
   * than `budget`, they take turns too.
   */
  sample(budget: number): AaveAccount[] {
    const found = new Map<Address, AaveAccount>();
    const add = (row: number | undefined): void => {
      const account = row === undefined ? undefined : this.table.accountIn(row);
      if (account) found.set(account.address, account);
    };
    const { rows } = this.watchlist;
    const watched = Math.min(rows.length, budget - Math.min(Math.floor(budget / 10), this.table.rowCount));
    for (let index = 0; index < watched; index++) add(rows[(this.sampledWatched + index) % rows.length]);
    this.sampledWatched += watched;
    for (let left = this.table.rowCount; left > 0 && found.size < budget; left--)
      add(this.sampledRows++ % this.table.rowCount);
    return [...found.values()];
  }

  /** The feed behind an asset's price. */
  sourceOf(asset: Address): Address | undefined {
    return this.terms.sources.get(asset);
  }

  /** The position as of the last block; undefined for one that is not followed. */
  position(account: Address): AaveAccount | undefined {
    return this.table.get(account);
  }

  /** Whether the position of everybody who is followed is known. */
  get isWhole(): boolean {
    return this.missing.size === 0;
  }

  /** Positions that changed since the last call, as they are now. */
  takeChanges(): PositionChanges {
    const changed: AaveAccount[] = [];
    const gone: Address[] = [];
    for (const address of this.unsaved) {
      const account = this.table.get(address);
      if (account) changed.push(account);
      else gone.push(address);
    }
    this.unsaved = new Set();
    return { changed, gone };
  }

  private set(address: Address, account: AaveAccount | undefined): void {
    if (account && hasDebt(account)) this.table.set(account);
    else this.table.delete(address);
    this.touched.add(address);
    this.unsaved.add(address);
  }

  /** Prices by feed where they are known to be the feed's; where a price that was asked is the feed's, it is known from now on. */
  private withFeeds({ conditions, priceTimes }: Surroundings, feeds: FeedBook): Surroundings {
    const prices = new Map(conditions.prices);
    const times = new Map(priceTimes);
    for (const [asset, source] of this.terms.sources) {
      const round = feeds.roundOf(source);
      if (this.byFeed.has(asset)) {
        if (round) {
          prices.set(asset, round.answer);
          times.set(asset, round.updatedAt);
        } else this.byFeed.delete(asset); // No price in this block; in the next one it is asked.
      } else if (round && round.answer === prices.get(asset)) this.byFeed.add(asset);
    }
    return { conditions: { ...conditions, prices }, priceTimes: times };
  }
}
