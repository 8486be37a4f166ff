import type { Hash } from '../../domain/hex.js';
import { OPENING_HORIZON_SECONDS } from '../lending-market.js';
import { Crossings } from '../scan/crossings.js';
import type { Watchlist } from '../scan/watchlist.js';
import type { BlueOpening, ValuedPosition } from './at-risk.js';
import { marketFactors } from './factors.js';
import type { Markets } from './followed-market.js';
import { healthOf, isLiquidatable } from './health.js';
import type { PositionTable, RowKey } from './position-table.js';
import type { ValuedMarket } from './valued-market.js';

/** The positions that interest alone opens soon. */
export class Openings {
  private readonly crossings: Crossings<RowKey>;

  constructor(
    private readonly table: PositionTable,
    watchlist: Watchlist<RowKey>,
  ) {
    this.crossings = new Crossings(table.rows, watchlist, OPENING_HORIZON_SECONDS);
  }

  /**
   * Call it at each block, after the update of the watchlist.
   *
   * @param now of the block, seconds since the epoch.
   * @param valued the markets that have a price, with their totals at that time.
   * @param positions those that are open.
   * @returns the earliest first
   */
  update(
    now: number,
    markets: Markets,
    valued: ReadonlyMap<Hash, ValuedMarket>,
    positions: readonly ValuedPosition[],
    touched: Iterable<RowKey>,
  ): BlueOpening[] {
    const open = new Set(positions.filter(({ health }) => isLiquidatable(health)).map(({ key }) => key));
    const ids = [...markets.keys()];
    const outlook = {
      now,
      terms: markets,
      prices: new Map([...valued.values()].map(({ market, price }) => [market.params.oracle, price])),
      fillAt: (timestamp: number) =>
        marketFactors(ids, (id) => this.table.numberOf(id), {
          get: (id: Hash) => valued.get(id)?.at(timestamp),
        }),
      isOpenNow: (key: RowKey) => open.has(key),
      isOpenAt: (key: RowKey, timestamp: number) => this.opening(key, timestamp, valued) !== undefined,
    };
    return this.crossings
      .update(outlook, touched)
      .flatMap(({ key, opensAt }) => this.opening(key, opensAt, valued) ?? []);
  }

  /** The position as it is at that time; undefined while it is healthy. */
  private opening(
    key: RowKey,
    opensAt: number,
    valued: ReadonlyMap<Hash, ValuedMarket>,
  ): BlueOpening | undefined {
    const found = this.table.positionWith(key);
    const market = found && valued.get(found.marketId);
    if (!market) return undefined;
    const later = market.at(opensAt);
    const health = healthOf(later.totals, found.position, later.price, later.lltvWad);
    return isLiquidatable(health) ? { ...found, health, opensAt, valued: later } : undefined;
  }
}
