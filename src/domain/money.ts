/**
 * Exact arithmetic on bigint. Amounts are in a token's smallest unit, USD has 8 decimals (`…Usd8`), rates are
 * basis points (`…Bps`), health factors are wad. Every division names its rounding.
 */
export const WAD = 10n ** 18n;
export const RAY = 10n ** 27n;
export const BPS = 10_000n;
export const USD8 = 10n ** 8n;
export const UINT256_MAX = 2n ** 256n - 1n;

/** floor(a * b / c), for non-negative a, b and positive c. */
export function mulDivFloor(a: bigint, b: bigint, c: bigint): bigint {
  return (a * b) / c;
}

/** ceil(a * b / c), for non-negative a, b and positive c. */
export function mulDivCeil(a: bigint, b: bigint, c: bigint): bigint {
  return (a * b + c - 1n) / c;
}

/**
 * a * b / c rounded half up (c / 2 itself is floored, as the protocols do), for non-negative a, b and
 * positive c.
 */
export function mulDivHalfUp(a: bigint, b: bigint, c: bigint): bigint {
  return (a * b + c / 2n) / c;
}

export function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

export function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

const UNITS: bigint[] = [];

/** 10^decimals: the smallest units of one whole token. */
export function unitOf(decimals: number): bigint {
  return (UNITS[decimals] ??= 10n ** BigInt(decimals));
}

export interface Priced {
  readonly decimals: number;
  /** USD with 8 decimals for one whole token. */
  readonly priceUsd8: bigint;
}

/** Value of what we receive or hold: USD8, rounded down. */
export function valueUsd8(amount: bigint, asset: Priced): bigint {
  return mulDivFloor(amount, asset.priceUsd8, unitOf(asset.decimals));
}

/** Value of what we pay or risk: USD8, rounded up. */
export function costUsd8(amount: bigint, asset: Priced): bigint {
  return mulDivCeil(amount, asset.priceUsd8, unitOf(asset.decimals));
}

/** The largest amount whose {@link costUsd8} is at most `usd8`. */
export function amountWithin(usd8: bigint, asset: Priced): bigint {
  return mulDivFloor(usd8, unitOf(asset.decimals), asset.priceUsd8);
}

/** The smallest amount whose {@link valueUsd8} is at least `usd8`. */
export function amountWorth(usd8: bigint, asset: Priced): bigint {
  return mulDivCeil(usd8, unitOf(asset.decimals), asset.priceUsd8);
}

/** "1234.56", "-0.01": USD8 for a reader, cut (not rounded) to the cent. */
export function formatUsd8(usd8: bigint): string {
  const magnitude = usd8 < 0n ? -usd8 : usd8;
  const cents = magnitude / 10n ** 6n;
  const sign = usd8 < 0n && cents > 0n ? '-' : '';
  return `${sign}${cents / 100n}.${(cents % 100n).toString().padStart(2, '0')}`;
}

/**
 * An amount of the smallest unit as a plain decimal without trailing zeros: 1500000 at 6 decimals is "1.5".
 */
export function formatUnits(amount: bigint, decimals: number): string {
  const magnitude = amount < 0n ? -amount : amount;
  const unit = unitOf(decimals);
  const fraction = (magnitude % unit).toString().padStart(decimals, '0').replace(/0+$/, '');
  return `${amount < 0n ? '-' : ''}${magnitude / unit}${fraction && decimals > 0 ? `.${fraction}` : ''}`;
}
