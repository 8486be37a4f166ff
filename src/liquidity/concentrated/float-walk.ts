/**
 * The walks of exact-walk.ts in floats, from one initialised tick to the next. They only order: what is done
 * is computed exactly. Prices here are sqrt(token1 per token0), not scaled.
 */
import type { TickTable } from './tick-table.js';

/** Where a pool stands, in floats. */
export interface FloatStanding {
  readonly ratio: number;
  readonly tick: number;
  readonly liquidity: number;
  /** The part of the input that is not fee. */
  readonly keep: number;
}

/** Units out for units in; 0 where the liquidity ends before. */
export function estimateWalkIn(
  from: FloatStanding,
  table: TickTable,
  zeroForOne: boolean,
  amountIn: number,
): number {
  let { ratio, liquidity } = from;
  let left = amountIn * from.keep;
  let out = 0;
  const step = zeroForOne ? -1 : 1;
  for (let ahead = table.indexAtOrBelow(from.tick) + (zeroForOne ? 0 : 1); ; ahead += step) {
    const next = table.floatRatios[ahead];
    if (next === undefined) return 0;
    const distance = Math.max(zeroForOne ? ratio - next : next - ratio, 0);
    // Each side in the unit of its token: token0 is liquidity / ratio, token1 is liquidity * ratio.
    const product = ratio * next;
    const all = zeroForOne ? (liquidity * distance) / product : liquidity * distance;
    if (left < all) {
      if (!zeroForOne) return out + left / (ratio * (ratio + left / liquidity));
      return out + left * ratio * ((liquidity * ratio) / (liquidity + left * ratio));
    }
    left -= all;
    out += zeroForOne ? liquidity * distance : (liquidity * distance) / product;
    // Between this tick and the next one on the way.
    liquidity = table.floatLiquidities[zeroForOne ? ahead - 1 : ahead] ?? 0;
    ratio = next;
  }
}

/** Units in for units out; Infinity where the liquidity ends before. */
export function estimateWalkOut(
  from: FloatStanding,
  table: TickTable,
  zeroForOne: boolean,
  amountOut: number,
): number {
  let { ratio, liquidity } = from;
  let left = amountOut;
  let taken = 0;
  const step = zeroForOne ? -1 : 1;
  for (let ahead = table.indexAtOrBelow(from.tick) + (zeroForOne ? 0 : 1); ; ahead += step) {
    const next = table.floatRatios[ahead];
    if (next === undefined) return Infinity;
    const distance = Math.max(zeroForOne ? ratio - next : next - ratio, 0);
    const product = ratio * next;
    const all = zeroForOne ? liquidity * distance : (liquidity * distance) / product;
    if (left < all) {
      const last = zeroForOne
        ? left / (ratio * (ratio - left / liquidity))
        : left * ratio * ((liquidity * ratio) / (liquidity - left * ratio));
      return (taken + last) / from.keep;
    }
    left -= all;
    taken += zeroForOne ? (liquidity * distance) / product : liquidity * distance;
    // Between this tick and the next one on the way.
    liquidity = table.floatLiquidities[zeroForOne ? ahead - 1 : ahead] ?? 0;
    ratio = next;
  }
}
