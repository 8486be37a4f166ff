import type { Address } from '../domain/hex.js';
import type { Pool } from '../liquidity/pool.js';

/** Points at which the pool is asked, for each doubling: {@link lastAmountWithin} knows of two. */
const POINTS_PER_OCTAVE = 2;
/** Units of a token. Above the last one the pool is asked for each amount. */
const AMOUNTS = Float64Array.from(
  { length: 120 * POINTS_PER_OCTAVE },
  (_, i) => 2 ** (i / POINTS_PER_OCTAVE),
);
/** So much dearer than a smaller amount is still called the price of small amounts. */
const PRICE_MOVES = 1.0005;
const LAST = AMOUNTS[AMOUNTS.length - 1] ?? 0;

/**
 * Estimates of a pool in one direction, fast because the pool is asked at few amounts, once, when they are
 * needed. Between two of them amount / result is taken as linear: that is exact for a constant product, so
 * for a range of a concentrated pool too. These floats only order.
 */
class Table {
  /** amount / result at {@link AMOUNTS}; NaN where the pool was not asked. Most pools are never asked. */
  private ratios: Float64Array | undefined;

  constructor(private readonly estimate: (amount: number) => number) {}

  at(amount: number): number {
    if (amount === 0 || amount === Infinity) return amount;
    if (amount < 1 || amount >= LAST) return this.estimate(amount);
    const index = lastAmountWithin(amount);
    const below = AMOUNTS[index] ?? 0;
    const ratio = this.ratio(index);
    if (below === amount) return amount / ratio;
    const next = this.ratio(index + 1);
    // The pool runs dry in between.
    if (!isRatio(ratio) || !isRatio(next)) return this.estimate(amount);
    const share = (amount - below) / ((AMOUNTS[index + 1] ?? 0) - below);
    return amount / (ratio + (next - ratio) * share);
  }

  /**
   * amount / result of small amounts; Infinity where there is none. A hundredth of a cent of one token is a
   * fortune of another, and floats of the smallest amounts are not good everywhere: so the largest of some
   * amounts is taken that moves the price by next to nothing.
   */
  smallest(): number {
    let found = Infinity;
    for (let octave = 0; octave <= 110; octave += 10) {
      const amount = 2 ** octave;
      const ratio = amount / this.estimate(amount);
      if (isRatio(ratio) && ratio <= found * PRICE_MOVES) found = ratio;
      else if (found < Infinity) break;
    }
    return found;
  }

  private ratio(index: number): number {
    const ratios = (this.ratios ??= new Float64Array(AMOUNTS.length).fill(NaN));
    const known = ratios[index] ?? NaN;
    if (known === known) return known;
    const amount = AMOUNTS[index] ?? 0;
    return (ratios[index] = amount / this.estimate(amount));
  }
}

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
/** The first 20 bits of sqrt(2) behind the point. */
const HALF_OCTAVE = 0x6a09e;

/** The place of the greatest of {@link AMOUNTS} that is at most this one: by its bits, which is fast. */
function lastAmountWithin(amount: number): number {
  float[0] = amount;
  const high = words[1] ?? 0;
  const index = POINTS_PER_OCTAVE * ((high >>> 20) - 1023) + ((high & 0xfffff) >= HALF_OCTAVE ? 1 : 0);
  return (AMOUNTS[index] ?? 0) > amount ? index - 1 : index;
}

/** Not that of a pool without enough: amount / 0 or amount / Infinity. */
function isRatio(ratio: number): boolean {
  return ratio > 0 && ratio < Infinity;
}

/** What one pool gives for, and takes for, any amount, in one direction. */
export class Curve {
  private readonly outs: Table;
  private readonly ins: Table;
  private known: number | undefined;

  private constructor(pool: Pool, tokenIn: Address) {
    this.outs = new Table((amount) => pool.estimateOut(tokenIn, amount));
    this.ins = new Table((amount) => pool.estimateIn(tokenIn, amount));
  }

  /** Both directions of a pool, by the token that goes in. A pool never changes, so they are kept with it. */
  static of(pool: Pool): readonly [Curve, Curve] {
    let curves = KEPT.get(pool);
    if (!curves) {
      curves = [new Curve(pool, pool.tokens[0]), new Curve(pool, pool.tokens[1])];
      KEPT.set(pool, curves);
    }
    return curves;
  }

  /** Units out for a unit in, for small amounts; 0 where the pool gives nothing. */
  get price(): number {
    return (this.known ??= 1 / this.outs.smallest());
  }

  /** Units out for units in; 0 where the pool cannot. */
  out(amountIn: number): number {
    return this.outs.at(amountIn);
  }

  /** Units in for units out; Infinity where the pool cannot. */
  in(amountOut: number): number {
    return this.ins.at(amountOut);
  }
}

const KEPT = new WeakMap<Pool, readonly [Curve, Curve]>();
