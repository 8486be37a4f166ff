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

/** What a path gives for each of {@link PARTS} of an amount, or minus what it takes. */
type InParts = readonly number[];

/** The parts of an amount that are tried before any two paths are balanced. What is left of 1 is one, too. */
const PARTS = [0, 1 / 64, 1 / 8, 2 / 8, 3 / 8, 4 / 8, 5 / 8, 6 / 8, 7 / 8, 63 / 64, 1];
const LAST = PARTS.length - 1;
/** How far the best parts may be from those that are tried. */
const BETWEEN_PARTS = 1 / 8;
/** Of the divisions in steps, how many pairs and triples are looked at again, and how many balanced. */
const MOST_TRIED = 6;
const PAIRS_BALANCED = 2;
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
    const parts = singles.map(({ paths: [path = []] }) => this.inParts(path, amount));
    const pair = this.pair(singles, parts, amount);
    const triple = pair && this.triple(pair, singles, parts);
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
    return { paths, amounts, value: this.result(paths, amounts) - this.gas(paths) };
  }

  private gas(paths: readonly Path[]): number {
    let hops = 0;
    for (const { length } of paths) hops += length;
    return hops * this.search.hopCost;
  }

  private inParts(path: Path, amount: number): InParts {
    return inParts((part) => this.result([path], [amount * part]));
  }

  /** The best pair, if one is better than the best path alone, or can what no path can alone. */
  private pair(
    singles: readonly Division[],
    parts: readonly InParts[],
    amount: number,
  ): Division | undefined {
    const found: Division[] = [];
    const alone = singles[0]?.value ?? -Infinity;
    for (let one = 0; one < singles.length; one += 1)
      for (let other = one + 1; other < singles.length; other += 1) {
        const [path, another] = [singles[one]?.paths[0], singles[other]?.paths[0]];
        if (!path || !another) continue;
        const { value, part } = together(parts[one], parts[other]);
        const net = value - (path.length + another.length) * this.search.hopCost;
        if (net <= alone || !this.compatible(path, another)) continue;
        const amounts = [amount * part, amount * (1 - part)];
        found.push({ paths: [path, another], amounts, value: net });
      }
    return this.balancedBest(found, PAIRS_BALANCED);
  }

  private triple(
    pair: Division,
    singles: readonly Division[],
    parts: readonly InParts[],
  ): Division | undefined {
    const found: Division[] = [];
    const both = this.bothInParts(pair);
    for (const [index, single] of singles.entries()) {
      const [path] = single.paths;
      const { value, part } = together(both, parts[index]);
      if (!path) continue;
      const net = value - this.gas(pair.paths) - this.gas([path]);
      if (net <= pair.value) continue;
      if (!pair.paths.every((one) => this.compatible(one, path))) continue;
      const amounts = [...pair.amounts.map((of) => of * part), sum(pair.amounts) * (1 - part)];
      found.push({ paths: [...pair.paths, path], amounts, value: net });
    }
    return this.balancedBest(found, 1);
  }

  /** Two paths in their proportions. */
  private bothInParts({ paths, amounts }: Division): InParts {
    return inParts((part) =>
      this.result(
        paths,
        amounts.map((one) => one * part),
      ),
    );
  }

  /**
   * Of divisions in such parts, balances the most promising ones. Those that meet in a pool were taken for
   * better than they are.
   */
  private balancedBest(found: Division[], most: number): Division | undefined {
    const tried = found.sort(byValue).slice(0, MOST_TRIED);
    const again = this.search.kind === 'sale' ? tried.map((one) => this.again(one)).sort(byValue) : tried;
    return again
      .slice(0, most)
      .map(({ paths, amounts }) => this.balanced(paths, amounts, sum(amounts) * BETWEEN_PARTS))
      .sort(byValue)[0];
  }

  private again(division: Division): Division {
    return meeting(division.paths) ? this.division(division.paths, division.amounts) : division;
  }

  /** A path stands in a division once, and each pool of flash swaps too. */
  private compatible(a: Path, b: Path): boolean {
    if (a === b) return false;
    if (this.search.kind === 'flash-swap') return !meet(a, b);
    // One pool in both directions is no way to sell anything.
    return a.every((leg) => b.every((other) => leg === other || poolOfLeg(leg) !== poolOfLeg(other)));
  }

  /** Moves amounts between each two of the paths, to where no move of at most `within` is better. */
  private balanced(paths: readonly Path[], start: readonly number[], within = Infinity): Division {
    const amounts = [...start];
    const whole = sum(amounts);
    const most = paths.map((path) => this.most(path, whole));
    for (let i = 0; i < paths.length; i += 1)
      for (let j = i + 1; j < paths.length; j += 1) {
        const one = amounts[i] ?? 0;
        const both = one + (amounts[j] ?? 0);
        const low = Math.max(0, both - (most[j] ?? 0), one - within);
        const high = Math.min(both, most[i] ?? 0, one + within);
        if (low > high) continue;
        const part = highest((to) => this.moved(paths, amounts, [i, j], to, both - to), low, high);
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

function inParts(result: (part: number) => number): InParts {
  const results = [0];
  for (let index = 1; index <= LAST; index += 1) results.push(result(PARTS[index] ?? 0));
  return results;
}

/** The best of {@link PARTS} for the first of two, and what both give then. */
function together(one: InParts | undefined, other: InParts | undefined): { value: number; part: number } {
  let [value, best] = [-Infinity, 0];
  if (one && other)
    for (let index = 1; index < LAST; index += 1) {
      const both = (one[index] ?? 0) + (other[LAST - index] ?? 0);
      if (both > value) [value, best] = [both, index];
    }
  return { value, part: PARTS[best] ?? 0 };
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
