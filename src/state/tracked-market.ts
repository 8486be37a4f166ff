import type { Block } from '../domain/block.js';
import type { Address } from '../domain/hex.js';
import type { PriceGuard } from '../oracles/price-guard.js';
import { sourceRead, updateTimesRead } from '../oracles/chainlink.js';
import type { AaveV3Reader } from '../protocols/aave-v3/aave-v3.reader.js';
import { changesOf, watchedAddresses, withIndexes } from '../protocols/aave-v3/events.js';
import { accountData } from '../protocols/aave-v3/health.js';
import type { AaveMarket, MarketConditions } from '../protocols/aave-v3/market.js';
import { PositionTable } from '../protocols/aave-v3/position-table.js';
import { prefilterAt } from '../protocols/aave-v3/prefilter.js';
import { conditionsRead } from '../protocols/aave-v3/reads.js';
import type { RawLog } from '../rpc/chain-answers.js';
import type { Chain } from '../rpc/chain.js';
import { each, readAt, together, type Read } from '../rpc/read.js';
import type { MarketView, Position } from './state-view.js';

export interface MarketSettings {
  readonly name: string;
  readonly addressesProvider: Address;
}

/** What the outside says of the market at a block: read together with other markets' in one round trip. */
export interface Surroundings {
  readonly conditions: MarketConditions;
  readonly priceTimes: ReadonlyMap<Address, number>;
}

/**
 * One Aave market, kept up to date block by block: logs say which accounts and indexes changed, only those are read
 * again, and interest is computed. It changes only through its methods, each of which ends at one block.
 */
export class TrackedMarket {
  private readonly accounts = new PositionTable();
  private readonly known = new Set<Address>();
  private sources: ReadonlyMap<Address, Address> = new Map();
  private market!: AaveMarket;
  private previous: MarketConditions | undefined;

  constructor(
    private readonly chain: Chain,
    private readonly reader: AaveV3Reader,
    private readonly guard: PriceGuard,
    readonly settings: MarketSettings,
    /** Positions below it are in the view, the others are only kept. Wad. */
    private readonly watchBelowHealthFactorWad: bigint,
  ) {}

  get name(): string {
    return this.settings.name;
  }

  get borrowers(): ReadonlySet<Address> {
    return this.known;
  }

  /** Every contract whose logs {@link apply} wants. */
  get watched(): readonly Address[] {
    return watchedAddresses(this.market);
  }

  /** Reads configuration, reserves and price sources at a block. */
  async load(block: Block): Promise<AaveMarket> {
    const { name, addressesProvider } = this.settings;
    this.market = await this.reader.market(name, addressesProvider, block.hash);
    const assets = [...this.market.reserves.values()].map((reserve) => reserve.asset);
    const sources = await readAt(
      this.chain,
      each(assets.map((asset) => sourceRead(this.market.oracle, asset))),
      block.hash,
    );
    this.sources = new Map(
      assets.flatMap((asset, index) => {
        const source = sources[index];
        return source ? [[asset, source] as const] : [];
      }),
    );
    return this.market;
  }

  /** Reads these accounts again at a block and remembers them as borrowers. */
  async snapshot(addresses: Iterable<Address>, block: Block): Promise<void> {
    const list = [...addresses];
    for (const account of await this.reader.accounts(this.market, list, block.hash)) {
      this.known.add(account.address);
      if (account.legs.some((leg) => leg.scaledDebt > 0n)) this.accounts.set(account);
      else this.accounts.delete(account.address);
    }
  }

  /** Everything again at a block: after a reorg, or when in doubt. */
  async rebuild(block: Block): Promise<void> {
    await this.load(block);
    await this.snapshot(this.known, block);
    this.previous = undefined;
  }

  borrowersIn(fromBlock: number, toBlock: number): Promise<Set<Address>> {
    return this.reader.borrowers(this.market, fromBlock, toBlock);
  }

  surroundings(timestamp: number): Read<Surroundings> {
    const sources = [...this.sources];
    const both = together(
      conditionsRead(this.market, timestamp),
      updateTimesRead(sources.map(([, source]) => source)),
    );
    return {
      calls: both.calls,
      decode: (results) => {
        const [conditions, times] = both.decode(results);
        const priceTimes = new Map<Address, number>();
        for (const [index, [asset]] of sources.entries()) {
          const time = times[index];
          if (time !== undefined) priceTimes.set(asset, time);
        }
        return { conditions, priceTimes };
      },
    };
  }

  /**
   * Takes in the logs of the blocks up to and including `block`. Indexes come from the logs where they all belong to that
   * block; over several blocks, whose timestamps the logs do not carry, the market is read again.
   *
   * @returns borrowers not known before, and whether the market itself was read again.
   */
  async apply(
    logs: readonly RawLog[],
    block: Block,
  ): Promise<{ newBorrowers: Address[]; reloaded: boolean }> {
    const changes = changesOf(this.market, logs);
    const severalBlocks = logs.some((log) => log.blockNumber !== block.number);
    const reloaded = changes.reload || (severalBlocks && changes.indexes.size > 0);
    if (reloaded) await this.load(block);
    else this.market = withIndexes(this.market, changes, block.timestamp);

    const newBorrowers = [...changes.borrowers].filter((address) => !this.known.has(address));
    const again = new Set(newBorrowers);
    for (const address of changes.touched) if (this.known.has(address)) again.add(address);
    await this.snapshot(again, block);
    return { newBorrowers, reloaded };
  }

  /**
   * The market and its positions below the health factor that is watched, exactly, at the surroundings' prices and timestamp.
   * One whose price is missing is among them.
   */
  view({ conditions, priceTimes }: Surroundings): MarketView {
    const positions = new Map<Address, Position>();
    const limit = Number(this.watchBelowHealthFactorWad) / 1e18;
    for (const account of this.accounts.below(limit, prefilterAt(this.market, conditions))) {
      const data = accountData(this.market, account, conditions);
      if ('priceMissing' in data || data.healthFactorWad < this.watchBelowHealthFactorWad)
        positions.set(account.address, { account, data });
    }
    const jumped = this.guard.jumped(this.previous?.prices, conditions.prices);
    this.previous = conditions;
    return {
      market: this.market,
      conditions,
      priceTimes,
      jumped,
      positions,
      borrowerCount: this.accounts.size,
    };
  }
}
