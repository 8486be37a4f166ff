import { meet, type Path, type Search } from './paths.js';
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

/** Paths from which a split starts. */
const STARTS = 4;
/** Of an amount, moved to another path to see whether that gains anything. */
const PROBE = 1 / 64;
/** Proportions that are tried before any is balanced. */
const TRIED_SHARES = [
  [0.75, 0.25],
  [0.5, 0.5],
];
const MOST_BALANCED = 2;
const GOLDEN = (Math.sqrt(5) - 1) / 2;
/** Narrows a range to 0.3 %. The result is flat around its best, so that this is a millionth of it. */
const GOLDEN_STEPS = 12;
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
    return this.balanced(paths, amounts, 1);
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
    const hops = paths.reduce((sum, { length }) => sum + length, 0);
    return { paths, amounts, value: this.result(paths, amounts) - hops * this.search.hopCost };
  }

  /** The best pair, if one is better than its better path alone, or can what no path can alone. */
  private pair(singles: readonly Division[], amount: number): Division | undefined {
    const found: Division[] = [];
    for (const [index, one] of singles.slice(0, STARTS).entries()) {
      const [first] = one.paths;
      for (const { paths } of singles.slice(index + 1)) {
        const [second] = paths;
        if (!first || !second || !this.compatible(first, second) || !this.gains(one, second)) continue;
        found.push(this.better([first, second], TRIED_SHARES, amount));
      }
    }
    return this.balancedBest(found, 1);
  }

  private triple(pair: Division, singles: readonly Division[]): Division | undefined {
    const found: Division[] = [];
    const amount = sum(pair.amounts);
    for (const { paths } of singles) {
      const [third] = paths;
      if (!third || pair.paths.includes(third)) continue;
      if (!pair.paths.every((path) => this.compatible(path, third)) || !this.gains(pair, third)) continue;
      const shares = TRIED_SHARES.map(([first = 0]) => [
        ...pair.amounts.map((one) => (first * one) / amount),
        1 - first,
      ]);
      found.push(this.better([...pair.paths, third], shares, amount));
    }
    return this.balancedBest(found, 2);
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
  private balancedBest(found: readonly Division[], rounds: number): Division | undefined {
    return [...found]
      .sort(byValue)
      .slice(0, MOST_BALANCED)
      .map(({ paths, amounts }) => this.balanced(paths, amounts, rounds))
      .sort(byValue)[0];
  }

  /**
   * Whether some of the amount should go another way. What the first bit gains is more than each later bit
   * can, so that it bounds what there is to gain.
   */
  private gains(division: Division, path: Path): boolean {
    if (division.value === -Infinity) return true;
    const amount = sum(division.amounts);
    const rest = division.amounts.map((one) => one * (1 - PROBE));
    const moved = this.division([...division.paths, path], [...rest, amount * PROBE]);
    const gas = path.length * this.search.hopCost;
    return (moved.value + gas - division.value) / PROBE > gas;
  }

  private compatible(a: Path, b: Path): boolean {
    if (this.search.kind === 'flash-swap') return !meet(a, b);
    // One pool in both directions is no way to sell anything.
    return a.every((leg) => b.every((other) => leg === other || poolOfLeg(leg) !== poolOfLeg(other)));
  }

  /** Moves amounts between each two of the paths, `rounds` times, until no move is better. */
  private balanced(paths: readonly Path[], start: readonly number[], rounds: number): Division {
    const amounts = [...start];
    const whole = sum(amounts);
    const most = paths.map((path) => this.most(path, whole));
    let value = -Infinity;
    for (let round = 0; round < rounds; round += 1)
      for (let i = 0; i < paths.length; i += 1)
        for (let j = i + 1; j < paths.length; j += 1) {
          const both = (amounts[i] ?? 0) + (amounts[j] ?? 0);
          const low = Math.max(0, both - (most[j] ?? 0));
          const high = Math.min(both, most[i] ?? 0);
          if (low > high) continue;
          const part = highest((one) => this.moved(paths, amounts, [i, j], one, both - one), low, high);
          value = this.moved(paths, amounts, [i, j], part, both - part);
        }
    const hops = paths.reduce((count, { length }) => count + length, 0);
    if (paths.length === 1) value = this.result(paths, amounts);
    return { paths, amounts, value: value - hops * this.search.hopCost };
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

  /** Parts that meet in a pool are sold one after the other. */
  private sold(paths: readonly Path[], amounts: readonly number[]): number {
    const { estimates } = this;
    const sold = meeting(paths) ? new Map<number, number>() : undefined;
    let got = 0;
    for (let part = 0; part < paths.length; part += 1) {
      let amount = amounts[part] ?? 0;
      if (amount === 0) continue;
      for (const leg of paths[part] ?? []) {
        const before = sold?.get(leg) ?? 0;
        const out =
          before === 0
            ? estimates.out(leg, amount)
            : estimates.out(leg, before + amount) - estimates.out(leg, before);
        sold?.set(leg, before + amount);
        amount = out;
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
