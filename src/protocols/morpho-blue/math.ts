import { min, mulDivCeil, mulDivFloor, WAD } from '../../domain/money.js';

/** Sources: morpho-blue 1.0, libraries/MathLib.sol and SharesMathLib.sol. Ratios and rates are wad. */

/** ConstantsLib.ORACLE_PRICE_SCALE: a price is loan token units for so many collateral token units. */
export const ORACLE_PRICE_SCALE = 10n ** 36n;

/** SharesMathLib.VIRTUAL_SHARES and VIRTUAL_ASSETS: every market has them beside its real ones. */
export const VIRTUAL_SHARES = 10n ** 6n;
export const VIRTUAL_ASSETS = 1n;

/** ConstantsLib.MAX_LIQUIDATION_INCENTIVE_FACTOR and LIQUIDATION_CURSOR. */
const MAX_LIQUIDATION_INCENTIVE_WAD = (WAD * 115n) / 100n;
const LIQUIDATION_CURSOR_WAD = (WAD * 3n) / 10n;

/** MathLib.wMulDown */
export const wMulDown = (x: bigint, y: bigint): bigint => mulDivFloor(x, y, WAD);

/** MathLib.wDivDown */
export const wDivDown = (x: bigint, y: bigint): bigint => mulDivFloor(x, WAD, y);

/** MathLib.wDivUp */
export const wDivUp = (x: bigint, y: bigint): bigint => mulDivCeil(x, WAD, y);

/**
 * MathLib.wTaylorCompounded: the contract's own third-order approximation of e^(rate·t) − 1, wad. The terms
 * are rounded down.
 *
 * @param rateWad a second.
 */
export function wTaylorCompounded(rateWad: bigint, seconds: bigint): bigint {
  const first = rateWad * seconds;
  const second = mulDivFloor(first, first, 2n * WAD);
  const third = mulDivFloor(second, first, 3n * WAD);
  return first + second + third;
}

/** SharesMathLib.toSharesDown */
export const toSharesDown = (assets: bigint, totalAssets: bigint, totalShares: bigint): bigint =>
  mulDivFloor(assets, totalShares + VIRTUAL_SHARES, totalAssets + VIRTUAL_ASSETS);

/** SharesMathLib.toSharesUp */
export const toSharesUp = (assets: bigint, totalAssets: bigint, totalShares: bigint): bigint =>
  mulDivCeil(assets, totalShares + VIRTUAL_SHARES, totalAssets + VIRTUAL_ASSETS);

/** SharesMathLib.toAssetsDown */
export const toAssetsDown = (shares: bigint, totalAssets: bigint, totalShares: bigint): bigint =>
  mulDivFloor(shares, totalAssets + VIRTUAL_ASSETS, totalShares + VIRTUAL_SHARES);

/** SharesMathLib.toAssetsUp */
export const toAssetsUp = (shares: bigint, totalAssets: bigint, totalShares: bigint): bigint =>
  mulDivCeil(shares, totalAssets + VIRTUAL_ASSETS, totalShares + VIRTUAL_SHARES);

/**
 * What a liquidator gets for what it repays, by value: min(1.15, 1 / (1 − 0.3 · (1 − LLTV))), wad, each step
 * rounded down (Morpho.liquidate).
 */
export function liquidationIncentive(lltvWad: bigint): bigint {
  const divisor = WAD - wMulDown(LIQUIDATION_CURSOR_WAD, WAD - lltvWad);
  return min(MAX_LIQUIDATION_INCENTIVE_WAD, wDivDown(WAD, divisor));
}
