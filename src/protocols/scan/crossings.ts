import { Factors } from './factors.js';
import type { LegTable } from './leg-table.js';
import type { Watchlist } from './watchlist.js';

/**
 * Rounding may close a small position again a second after it opened. So the time so many seconds before the
 * found one is looked at as well.
 */
const JITTER_SECONDS = 2;

/** A position that interest alone opens. */
export interface Crossing<Key> {
  readonly key: Key;
  /** Seconds since the epoch: the first time at which it may be liquidated. */
  readonly opensAt: number;
}

/** What decides a position at a time, with the prices and rates of now. */
export interface Outlook<Key> {
  /** Of the last block, seconds since the epoch. */
  readonly now: number;
  /** Rates and whatever else the times depend on. Another object: others. */
  readonly terms: object;
  readonly prices: ReadonlyMap<unknown, bigint>;
  /** Writes the factors at a time. */
  readonly fillAt: (timestamp: number) => (factors: Factors) => void;
  /** Whether a position is open, or has no price, now. It is cheap: there may be many that nobody wants. */
  readonly isOpenNow: (key: Key) => boolean;
  /** Whether a position may be liquidated at a later time: exact. */
  readonly isOpenAt: (key: Key, timestamp: number) => boolean;
}

/**
 * The positions that interest alone will open within a horizon, and the second at which each opens. Floats
 * find them and guess the second, exact arithmetic confirms it. The seconds are kept until prices, rates or
 * the position change. A position whose health does not fall steadily, because its collateral earns about
 * what its debt costs, may open some seconds earlier by rounding.
 */
export class Crossings<Key extends string | number> {
  readonly #now = new Factors();
  readonly #later = new Factors();
  /** Only a guess needs the factors of now. */
  #isNowFilled = false;
  #known = new Map<Key, number>();
  /** By the terms before: mostly they are still right. */
  #earlier: ReadonlyMap<Key, number> = new Map();
  #last: Pick<Outlook<Key>, 'terms' | 'prices'> | undefined;

  /** @param horizonSeconds how far is looked ahead. */
  constructor(
    private readonly table: LegTable<Key>,
    private readonly watchlist: Watchlist<Key>,
    private readonly horizonSeconds: number,
  ) {}

  /**
   * Call it after the update of the watchlist, whose limit must be further above 1 than interest can lower a
   * health factor within the horizon.
   *
   * @param touched rows that changed since the last update, by their keys.
   * @returns those that are not open now, the earliest first.
   */
  update(outlook: Outlook<Key>, touched: Iterable<Key>): readonly Crossing<Key>[] {
    if (this.#last?.terms !== outlook.terms || !areEqual(this.#last.prices, outlook.prices)) {
      this.#earlier = this.#known;
      this.#known = new Map();
    }
    const { terms, prices } = outlook;
    this.#last = { terms, prices };
    for (const key of touched) this.#known.delete(key);
    const { now, fillAt } = outlook;
    const end = now + this.horizonSeconds;
    fillAt(end)(this.#later);
    this.#isNowFilled = false;
    const found: Crossing<Key>[] = [];
    for (const row of this.watchlist.belowWith(this.#later, 1)) {
      const key = this.table.keyOf(row);
      if (key === undefined || outlook.isOpenNow(key)) continue;
      const opensAt = this.#known.get(key) ?? this.#opening(key, row, end, outlook);
      if (opensAt === undefined) continue;
      this.#known.set(key, opensAt);
      if (opensAt > now && opensAt <= end) found.push({ key, opensAt });
    }
    return found.sort((one, other) => one.opensAt - other.opensAt || (one.key < other.key ? -1 : 1));
  }

  /** The first second at which a closed position is open; undefined: not before the end. */
  #opening(key: Key, row: number, end: number, outlook: Outlook<Key>): number | undefined {
    const { now, isOpenAt } = outlook;
    const open = (timestamp: number): boolean => isOpenAt(key, timestamp);
    const before = this.#earlier.get(key);
    if (before !== undefined && before > now + 1 && before <= end && open(before) && !open(before - 1))
      return before;
    if (!open(end)) return undefined;
    let [closed, opened] = [now, end];
    let at = Math.min(end - 1, Math.max(now + 1, this.#guess(row, end, outlook)));
    for (let step = 1; opened - closed > 1; step *= 2) {
      const isOpen = open(at);
      if (isOpen) opened = at;
      else closed = at;
      at += isOpen ? -step : step;
      if (at <= closed || at >= opened) at = Math.floor((closed + opened) / 2);
    }
    const first = opened - JITTER_SECONDS;
    return first > now && open(first) ? first : opened;
  }

  /** Health falls almost in a straight line: where it meets 1. */
  #guess(row: number, end: number, { now, fillAt }: Outlook<Key>): number {
    if (!this.#isNowFilled) fillAt(now)(this.#now);
    this.#isNowFilled = true;
    const [first, last] = [this.table.leastHealth(row, this.#now), this.table.leastHealth(row, this.#later)];
    const share = (first - 1) / (first - last);
    return Number.isFinite(share) ? Math.ceil(now + share * (end - now)) : now + 1;
  }
}

function areEqual(some: ReadonlyMap<unknown, bigint>, others: ReadonlyMap<unknown, bigint>): boolean {
  if (some.size !== others.size) return false;
  for (const [key, price] of some) if (others.get(key) !== price) return false;
  return true;
}
