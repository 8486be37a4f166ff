/**
 * Amounts as people read them, cut and not rounded, as in the log: a health factor below 1 never reads as 1.
 * For the eye only: nothing is computed with them.
 */
const USD = new Intl.NumberFormat('en', {
  style: 'currency',
  currency: 'USD',
  maximumFractionDigits: 2,
  roundingMode: 'trunc',
});
const PLAIN = new Intl.NumberFormat('en', { maximumSignificantDigits: 6, roundingMode: 'trunc' });
const COUNT = new Intl.NumberFormat('en');

export const dollars = (text: string | number | null): string =>
  text === null ? '–' : USD.format(Number(text));
export const ether = (text: string): string => `${PLAIN.format(Number(text))} ETH`;
export const tokens = (amount: string | null, symbol: string | null): string =>
  amount === null ? '–' : `${PLAIN.format(Number(amount))} ${symbol ?? ''}`;
export const count = (number: number): string => COUNT.format(number);
export const seconds = (number: number): string => `${number} s`;
export const milliseconds = (us: number | null): string =>
  us === null ? '–' : `${(us / 1000).toFixed(1)} ms`;
const FACTOR = new Intl.NumberFormat('en', {
  minimumFractionDigits: 4,
  maximumFractionDigits: 4,
  useGrouping: false,
  roundingMode: 'trunc',
});
export const health = (text: string | number): string => FACTOR.format(Number(text));
/** By how much the collateral of a health factor has to fall until it is 1. Below 1 it has crossed. */
export const fall = (factor: string | number): string =>
  Number(factor) < 1 ? 'now' : `−${((1 - 1 / Number(factor)) * 100).toFixed(1)} %`;
export const short = (hex: string): string => (hex.length > 14 ? `${hex.slice(0, 8)}…${hex.slice(-4)}` : hex);
/** In UTC, as everywhere in the API. */
export const instant = (iso: string): string => `${iso.slice(5, 10)} ${iso.slice(11, 19)}`;
