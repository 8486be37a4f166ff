import { meet, type Path, type Search } from './path.js';
import { poolOfLeg, type Estimates } from './pool-graph.js';

/** An amount divided among paths, in floats. */
export interface Division {
  readonly paths: readonly Path[];
  /** Of the token whose amount is known, one for each path. */
  readonly amounts: readonly number[];
  /**
   * What it is worth, to be compared with other divisions: debt got (`sale`) or minus the collateral that is
   * taken (`flash-swap`), less the gas of all hops. -Infinity where the pools cannot.
   */
  readonly value: number;
}

/** Paths that may do a part of it together; `most` bounds what that can be worth. */
interface Promising {
  readonly paths: readonly Path[];
  readonly most: number;
}

/** Paths from which a split starts. */
const STARTS = 3;
/** How many combinations of paths are tried. */
const MOST_TRIED = 10;
/** Of an amount, moved to another path to see whether that gains anything. */
const PROBE = 1 / 64;
/** Proportions that are tried before any is balanced. */
const TRIED_SHARES = [
  [0.95, 0.05],
  [0.75, 0.25],
  [0.5, 0.5],
];
const GOLDEN = (Math.sqrt(5) - 1) / 2;
/** Narrows a range to 2 %. A result is flat around its best: half of it is a ten-thousandth of the gain. */
const GOLDEN_STEPS = 8;
/** A path's most is found to 0.01 % of the amount. */
const HALVINGS = 13;

/** Finds how an amount is divided best among paths: where one unit more costs the same on each. */
export class Divider {
  constructor(
    private readonly estimates: Estimates,
    private readonly search: Search,
  ) {}

  /** The best division among one, two and three of the paths: the best of each number, the best first. */
  best(candidates: readonly Path[], amount: number): Division[] {
    const singles = candidates.map((path) => this.division([path], [amount])).sort(byValue);
    const pair = this.pair(singles, amount);
    const triple = pair && this.triple(pair, singles);
    return [singles[0], pair, triple]
      .filter((one) => one !== undefined)
      .filter(({ value }) => value > -Infinity)
      .sort(byValue);
  }

  /** The same paths for another amount, divided anew. */
  resized(division: Division, amount: number): Division {
    const { paths, amounts } = this.scaled(division, amount);
    return this.balanced(paths, amounts);
  }

  /** The same paths for another amount, in the same proportions. */
  scaled({ paths, amounts }: Division, amount: number): Division {
    const before = sum(amounts);
    return this.division(
      paths,
      amounts.map((one) => (one * amount) / before),
    );
  }

  /** What a division is worth with its parts as they are. */
  division(paths: readonly Path[], amounts: readonly number[]): Division {
    const gas = this.hops(paths) * this.search.hopCost;
    return { paths, amounts, value: this.result(paths, amounts) - gas };
  }

  private hops(paths: readonly Path[]): number {
    return paths.reduce((count, { length }) => count + length, 0);
  }

  /** The best pair, if one is better than its better path alone, or can what no path can alone. */
  private pair(singles: readonly Division[], amount: number): Division | undefined {
    const promising: Promising[] = [];
    const possible = singles.some(({ value }) => value > -Infinity);
    for (const [index, one] of singles.slice(0, STARTS).entries())
      if (one.value > -Infinity || !possible)
        for (const { paths } of singles.slice(index + 1)) this.weigh(one, paths[0], promising);
    const found = mostPromising(promising).map(({ paths }) => {
      const tried = this.better(paths, TRIED_SHARES, amount);
      // Perhaps one of them can take little, and the other one just the rest.
      return tried.value > -Infinity ? tried : this.balanced(paths, tried.amounts);
    });
    return this.balancedBest(found, 2);
  }

  private triple(pair: Division, singles: readonly Division[]): Division | undefined {
    const promising: Promising[] = [];
    for (const { paths } of singles) this.weigh(pair, paths[0], promising);
    const amount = sum(pair.amounts);
    const shares = TRIED_SHARES.map(([first = 0]) => [
      ...pair.amounts.map((one) => (first * one) / amount),
      1 - first,
    ]);
    const found = mostPromising(promising).map(({ paths }) => this.better(paths, shares, amount));
    return this.balancedBest(found, 1);
  }

  /**
   * Adds the paths of a division with one more, if some of the amount should go that way. What the first bit
   * gains is more than each later bit can: so it bounds what there is to gain.
   */
  private weigh(division: Division, path: Path | undefined, promising: Promising[]): void {
    if (!path || !division.paths.every((one) => this.compatible(one, path))) return;
    const paths = [...division.paths, path];
    if (division.value === -Infinity) {
      promising.push({ paths, most: Infinity });
      return;
    }
    const rest = division.amounts.map((one) => one * (1 - PROBE));
    const moved = this.result(paths, [...rest, sum(division.amounts) * PROBE]);
    const gas = path.length * this.search.hopCost;
    const gain = (moved - this.hops(division.paths) * this.search.hopCost - division.value) / PROBE - gas;
    if (gain > 0) promising.push({ paths, most: division.value + gain });
  }

  /** The best of a few proportions. */
  private better(paths: readonly Path[], shares: readonly (readonly number[])[], amount: number): Division {
    let best: Division | undefined;
    for (const proportion of shares) {
      const division = this.division(
        paths,
        proportion.map((one) => one * amount),
      );
      if (!best || division.value > best.value) best = division;
    }
    return best ?? this.division(paths, []);
  }

  /** Of divisions that are not balanced yet, balances the most promising ones. */
  private balancedBest(found: readonly Division[], most: number): Division | undefined {
    return [...found]
      .sort(byValue)
      .slice(0, most)
      .map(({ paths, amounts }) => this.balanced(paths, amounts))
      .sort(byValue)[0];
  }

  /** A path stands in a division once, and each pool of flash swaps too. */
  private compatible(a: Path, b: Path): boolean {
    if (a === b) return false;
    if (this.search.kind === 'flash-swap') return !meet(a, b);
    // One pool in both directions is no way to sell anything.
    return a.every((leg) => b.every((other) => leg === other || poolOfLeg(leg) !== poolOfLeg(other)));
  }

  /** Moves amounts between each two of the paths, to where no move is better. */
  private balanced(paths: readonly Path[], start: readonly number[]): Division {
    const amounts = [...start];
    const whole = sum(amounts);
    const most = paths.map((path) => this.most(path, whole));
    for (let i = 0; i < paths.length; i += 1)
      for (let j = i + 1; j < paths.length; j += 1) {
        const both = (amounts[i] ?? 0) + (amounts[j] ?? 0);
        const low = Math.max(0, both - (most[j] ?? 0));
        const high = Math.min(both, most[i] ?? 0);
        if (low > high) continue;
        const part = highest((one) => this.moved(paths, amounts, [i, j], one, both - one), low, high);
        amounts[i] = part;
        amounts[j] = both - part;
      }
    return this.division(paths, amounts);
  }

  /** The result after two amounts are replaced. */
  private moved(
    paths: readonly Path[],
    amounts: number[],
    [i, j]: readonly [number, number],
    one: number,
    other: number,
  ): number {
    amounts[i] = one;
    amounts[j] = other;
    return this.result(paths, amounts);
  }

  /** How much of an amount a path can take or give. */
  private most(path: Path, amount: number): number {
    if (this.result([path], [amount]) > -Infinity) return amount;
    let [can, cannot] = [0, amount];
    for (let step = 0; step < HALVINGS; step += 1) {
      const middle = (can + cannot) / 2;
      if (this.result([path], [middle]) > -Infinity) can = middle;
      else cannot = middle;
    }
    return can;
  }

  /** Debt got, or minus the collateral that is taken; -Infinity where the pools cannot. */
  private result(paths: readonly Path[], amounts: readonly number[]): number {
    return this.search.kind === 'sale' ? this.sold(paths, amounts) : -this.bought(paths, amounts);
  }

  private bought(paths: readonly Path[], amounts: readonly number[]): number {
    let taken = 0;
    for (let part = 0; part < paths.length; part += 1) {
      const path = paths[part] ?? [];
      let amount = amounts[part] ?? 0;
      for (let hop = path.length - 1; hop >= 0; hop -= 1) amount = this.estimates.in(path[hop] ?? -1, amount);
      taken += amount;
    }
    return taken;
  }

  private sold(paths: readonly Path[], amounts: readonly number[]): number {
    if (paths.length > 1 && meeting(paths)) return this.soldInTurn(paths, amounts);
    let got = 0;
    for (let part = 0; part < paths.length; part += 1) {
      let amount = amounts[part] ?? 0;
      if (amount === 0) continue;
      for (const leg of paths[part] ?? []) amount = this.estimates.out(leg, amount);
      if (!(amount > 0)) return -Infinity;
      got += amount;
    }
    return got;
  }

  /** Parts that meet in a pool are sold one after the other. */
  private soldInTurn(paths: readonly Path[], amounts: readonly number[]): number {
    const { estimates } = this;
    const sold = new Map<number, number>();
    let got = 0;
    for (const [part, path] of paths.entries()) {
      let amount = amounts[part] ?? 0;
      if (amount === 0) continue;
      for (const leg of path) {
        const before = sold.get(leg) ?? 0;
        sold.set(leg, before + amount);
        amount = estimates.out(leg, before + amount) - (before === 0 ? 0 : estimates.out(leg, before));
        // The pool has run dry.
        if (!(amount > 0)) return -Infinity;
      }
      got += amount;
    }
    return got;
  }
}

function meeting(paths: readonly Path[]): boolean {
  for (let part = 1; part < paths.length; part += 1)
    for (let before = 0; before < part; before += 1)
      if (meet(paths[part] ?? [], paths[before] ?? [])) return true;
  return false;
}

function mostPromising(promising: readonly Promising[]): readonly Promising[] {
  return [...promising].sort((a, b) => (a.most === b.most ? 0 : b.most - a.most)).slice(0, MOST_TRIED);
}

/** The best first. Of two that are equal, or impossible, the first stays the first. */
function byValue(a: Division, b: Division): number {
  return b.value > a.value ? 1 : b.value < a.value ? -1 : 0;
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, one) => total + one, 0);
}

/** Where a function with one peak is highest between two points, by golden section. */
export function highest(f: (x: number) => number, from: number, to: number, steps = GOLDEN_STEPS): number {
  let [low, high] = [from, to];
  let left = high - GOLDEN * (high - low);
  let right = low + GOLDEN * (high - low);
  let [atLeft, atRight] = [f(left), f(right)];
  for (let step = 0; step < steps; step += 1) {
    if (atLeft >= atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - GOLDEN * (high - low);
      atLeft = f(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + GOLDEN * (high - low);
      atRight = f(right);
    }
  }
  return atLeft >= atRight ? left : right;
}
