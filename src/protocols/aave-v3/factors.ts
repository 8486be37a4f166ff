import { max, unitOf } from '../../domain/money.js';
import type { Factors } from '../scan/factors.js';
import { legKind as kindOfThing, thingOf, type LegSide } from '../scan/kinds.js';
import {
  borrowIndexAt,
  liquidityIndexAt,
  priceOf,
  type AaveMarket,
  type EMode,
  type MarketConditions,
  type Reserve,
} from './market.js';

/** Reserve ids are below 128 and e-mode categories below 256 (DataTypes.sol): both fit 15 bits. */
const RESERVE_IDS = 128;

/** The kind of a leg: the account's e-mode category, the reserve and the side, in one number. */
export function legKind(eMode: number, reserveId: number, side: LegSide): number {
  return kindOfThing(eMode * RESERVE_IDS + reserveId, side);
}

export const reserveOf = (kind: number): number => thingOf(kind) % RESERVE_IDS;
export const eModeOf = (kind: number): number => Math.floor(thingOf(kind) / RESERVE_IDS);

/**
 * The USD8 that one scaled unit of each kind of leg adds at a block: indexes, prices and thresholds in one
 * number.
 */
export function marketFactors(
  market: AaveMarket,
  { prices, timestamp }: MarketConditions,
): (factors: Factors) => void {
  return (factors) => {
    factors.clear();
    for (const reserve of market.reserves.values()) {
      for (const eMode of [0, ...market.eModes.keys()]) {
        const mode = market.eModes.get(eMode);
        const category = mode && (mode.collateralBitmap >> BigInt(reserve.id)) & 1n ? mode : undefined;
        const price = priceOf(reserve, category, prices);
        const usd8PerUnit = price === undefined ? NaN : Number(price) / Number(unitOf(reserve.decimals));
        const supplied = (usd8PerUnit * Number(liquidityIndexAt(reserve.indexes, timestamp))) / 1e27;
        const owed = (usd8PerUnit * Number(borrowIndexAt(reserve.indexes, timestamp))) / 1e27;
        const threshold = Number(leastThreshold(market, reserve, category));
        // The exact value is rounded to a unit of the asset, and to USD8.
        const slack = usd8PerUnit + 1;
        factors.set(legKind(eMode, reserve.id, 'collateral'), (supplied * threshold) / 10_000, slack);
        factors.set(legKind(eMode, reserve.id, 'debt'), -owed, slack);
      }
    }
  };
}

/**
 * The threshold of a reserve less what the rounding of the average may take from it: basis points. A health
 * factor computed with it is never too high.
 */
function leastThreshold({ rules }: AaveMarket, reserve: Reserve, category: EMode | undefined): bigint {
  if (rules.ignoresWithoutThreshold && reserve.liquidationThresholdBps === 0n) return 0n;
  const { liquidationThresholdBps } = category ?? reserve;
  return max(liquidationThresholdBps - rules.thresholdLossBps, 0n);
}
