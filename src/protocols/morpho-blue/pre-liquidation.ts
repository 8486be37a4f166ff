import type { Address, Hash } from '../../domain/hex.js';
import { mulDivCeil, mulDivFloor } from '../../domain/money.js';
import type { BluePosition, MarketTotals } from './market.js';
import {
  ORACLE_PRICE_SCALE,
  toAssetsDown,
  toAssetsUp,
  toSharesUp,
  wDivDown,
  wDivUp,
  wMulDown,
} from './math.js';

/**
 * One pre-liquidation contract: it takes a part of a position of one market, below the limit of the market,
 * of borrowers who authorised it at Morpho. Source: morpho-org/pre-liquidation, PreLiquidation.sol. All
 * factors are wad.
 */
export interface PreLiquidation {
  readonly contract: Address;
  readonly marketId: Hash;
  /** From this LTV on, exclusive. It is below the market's LLTV. */
  readonly preLltvWad: bigint;
  /** PRE_LCF_1 and PRE_LCF_2: the share of the debt that may be repaid, at the lower and the upper limit. */
  readonly closeFactorWads: readonly [lower: bigint, upper: bigint];
  /** PRE_LIF_1 and PRE_LIF_2: what is seized for what is repaid, by value. */
  readonly incentiveWads: readonly [lower: bigint, upper: bigint];
  /** IOracle.price(), often the oracle of the market itself. */
  readonly oracle: Address;
}

/** What decides a pre-liquidation of one position. */
export interface PreLiquidationInputs {
  /** With the interest up to now. */
  readonly totals: Pick<MarketTotals, 'borrowAssets' | 'borrowShares'>;
  readonly position: BluePosition;
  /** Of the contract's own oracle: loan token units for 1e36 collateral token units. */
  readonly price: bigint;
  /** Of the market. Wad. */
  readonly lltvWad: bigint;
}

/** What a contract offers for a position between the two limits. */
export interface PreLiquidationTerms {
  readonly ltvWad: bigint;
  readonly incentiveWad: bigint;
  /** May be above 1: then all of the debt. */
  readonly closeFactorWad: bigint;
  /** Borrow shares that may be repaid. */
  readonly repayableShares: bigint;
}

/**
 * The factors of PreLiquidation.preLiquidate: linear between the limits. The value of the collateral is
 * rounded down, the debt up, the LTV up, each product and quotient of the interpolation down.
 *
 * @returns undefined where it reverts: at the lower limit or below it, or above the upper one.
 */
export function preLiquidationTerms(
  { totals, position, price, lltvWad }: PreLiquidationInputs,
  { preLltvWad, closeFactorWads, incentiveWads }: PreLiquidation,
): PreLiquidationTerms | undefined {
  const quoted = mulDivFloor(position.collateral, price, ORACLE_PRICE_SCALE);
  const borrowed = toAssetsUp(position.borrowShares, totals.borrowAssets, totals.borrowShares);
  if (borrowed > wMulDown(quoted, lltvWad) || borrowed <= wMulDown(quoted, preLltvWad)) return undefined;
  const ltvWad = wDivUp(borrowed, quoted);
  const quotientWad = wDivDown(ltvWad - preLltvWad, lltvWad - preLltvWad);
  const between = ([lower, upper]: readonly [bigint, bigint]): bigint =>
    wMulDown(quotientWad, upper - lower) + lower;
  const closeFactorWad = between(closeFactorWads);
  return {
    ltvWad,
    incentiveWad: between(incentiveWads),
    closeFactorWad,
    repayableShares: wMulDown(position.borrowShares, closeFactorWad),
  };
}

/** Collateral units for these borrow shares (preLiquidate with repaidShares): each step is rounded down. */
export function preSeizedFor(
  repaidShares: bigint,
  { totals, price }: Pick<PreLiquidationInputs, 'totals' | 'price'>,
  { incentiveWad }: Pick<PreLiquidationTerms, 'incentiveWad'>,
): bigint {
  const repaid = toAssetsDown(repaidShares, totals.borrowAssets, totals.borrowShares);
  return mulDivFloor(wMulDown(repaid, incentiveWad), ORACLE_PRICE_SCALE, price);
}

/** Borrow shares for so much collateral (preLiquidate with seizedAssets): each step is rounded up. */
export function preRepaidFor(
  seizedAssets: bigint,
  { totals, price }: Pick<PreLiquidationInputs, 'totals' | 'price'>,
  { incentiveWad }: Pick<PreLiquidationTerms, 'incentiveWad'>,
): bigint {
  const quoted = mulDivCeil(seizedAssets, price, ORACLE_PRICE_SCALE);
  return toSharesUp(wDivUp(quoted, incentiveWad), totals.borrowAssets, totals.borrowShares);
}
