import type { Address } from '../../domain/hex.js';
import { borrowIndexAt, type AaveMarket, type MarketConditions } from './market.js';
import type { PositionTable, Rows } from './position-table.js';
import { Prefilter } from './prefilter.js';

/** Who is this share above the limit is on the list too, so that interest alone takes nobody by surprise. */
const MARGIN = 1e-3;

/** What the last look at everybody was based on. */
interface Basis {
  readonly eModes: AaveMarket['eModes'];
  readonly borrowIndexes: ReadonlyMap<number, number>;
}

/**
 * The rows of a table that may be below a health factor, kept from block to block. A price that moved touches the holders of its
 * asset only, a change of an account that account; everybody is looked at again when the market's terms changed, or once interest
 * has used up the margin: collateral only grows, and a debt grows as its index does.
 */
export class Watchlist {
  readonly #table: PositionTable;
  readonly #limit: number;
  readonly #prefilter = new Prefilter();
  #listed = new Uint8Array(1024);
  #rows: Rows = new Uint32Array(0);
  #basis: Basis | undefined;
  #prices: MarketConditions['prices'] = new Map();

  /** @param healthFactor the limit, 1 for liquidatable. */
  constructor(table: PositionTable, healthFactor: number) {
    this.#table = table;
    this.#limit = healthFactor * (1 + MARGIN);
  }

  /** The factors of the last {@link update}. */
  get prefilter(): Prefilter {
    return this.#prefilter;
  }

  /** Every row below the limit at the last {@link update}, and few others. */
  get rows(): Rows {
    return this.#rows;
  }

  /** Everybody is looked at again next time: after time went backwards, for instance. */
  reset(): void {
    this.#basis = undefined;
  }

  /** @param touched accounts that changed since the last time. */
  update(market: AaveMarket, conditions: MarketConditions, touched: Iterable<Address>): void {
    this.#prefilter.update(market, conditions);
    if (this.#listed.length < this.#table.rowCount) {
      const larger = new Uint8Array(2 * this.#table.rowCount);
      larger.set(this.#listed);
      this.#listed = larger;
    }
    if (this.#basis && this.#basis.eModes === market.eModes && !this.#interestUsedUp(market, conditions))
      this.#lookAtChanges(market, conditions, touched);
    else this.#lookAtEverybody(market, conditions);
    this.#prices = conditions.prices;
  }

  #lookAtEverybody(market: AaveMarket, conditions: MarketConditions): void {
    this.#listed.fill(0);
    this.#rows = Uint32Array.from(this.#table.below(this.#limit, this.#prefilter));
    for (const row of this.#rows) this.#listed[row] = 1;
    this.#basis = { eModes: market.eModes, borrowIndexes: borrowIndexes(market, conditions) };
  }

  #lookAtChanges(market: AaveMarket, { prices }: MarketConditions, touched: Iterable<Address>): void {
    const changed: Rows[] = [];
    const rows = [...touched].map((address) => this.#table.rowOf(address)).filter((row) => row !== undefined);
    if (rows.length > 0) changed.push(Uint32Array.from(rows));
    for (const { id, asset } of market.reserves.values())
      if (prices.get(asset) !== this.#prices.get(asset)) changed.push(this.#table.holdersOf(id));
    if (changed.length === 0) return;
    for (const some of changed) for (const row of some) this.#listed[row] = 0;
    const listed = Array.from(this.#rows.filter((row) => this.#listed[row] === 1));
    for (const some of changed) {
      for (const row of this.#table.below(this.#limit, this.#prefilter, some)) {
        if (this.#listed[row] === 1) continue; // Holds two assets that moved.
        this.#listed[row] = 1;
        listed.push(row);
      }
    }
    this.#rows = Uint32Array.from(listed);
  }

  #interestUsedUp(market: AaveMarket, conditions: MarketConditions): boolean {
    for (const [reserveId, index] of borrowIndexes(market, conditions)) {
      const before = this.#basis?.borrowIndexes.get(reserveId);
      // Half of the margin: floats are not to be trusted to its edge.
      if (before === undefined || index > before * (1 + MARGIN / 2)) return true;
    }
    return false;
  }
}

function borrowIndexes(market: AaveMarket, { timestamp }: MarketConditions): Map<number, number> {
  return new Map(
    [...market.reserves.values()].map(({ id, indexes }) => [id, Number(borrowIndexAt(indexes, timestamp))]),
  );
}
