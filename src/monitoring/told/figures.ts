/** Figures as a person reads them. They are cut, never rounded up: no figure promises more than there is. */
import { formatUnits, formatUsd8 } from '../../domain/money.js';

/** Digits shown behind the point of an amount from 1 on; a smaller amount shows so many that count. */
const DIGITS = 4;
const MINUTE_MS = 60_000;

/** `$1,234.56`, `-$0.05`. */
export function usd(usd8: bigint | string): string {
  const value = BigInt(usd8);
  const [whole = '0', cents = '00'] = formatUsd8(value < 0n ? -value : value).split('.');
  return `${value < 0n ? '-' : ''}$${grouped(whole)}.${cents}`;
}

/** `+$12.34`, `-$0.05`. */
export function signedUsd(usd8: bigint | string): string {
  return `${BigInt(usd8) < 0n ? '' : '+'}${usd(usd8)}`;
}

/** A wad as `0.9876`. */
export function ratio(wad: bigint | string): string {
  const tenThousandths = BigInt(wad) / 10n ** 14n;
  return `${tenThousandths / 10_000n}.${(tenThousandths % 10_000n).toString().padStart(4, '0')}`;
}

/** `1,234.5 USDC`, `0.00001234 cbBTC`. @param units of the token, at most 0 negative */
export function tokens(units: bigint | string, decimals: number, symbol: string): string {
  const [whole = '0', fraction = ''] = formatUnits(BigInt(units), decimals).split('.');
  const zeros = whole === '0' ? fraction.length - fraction.replace(/^0+/, '').length : 0;
  const shown = fraction.slice(0, zeros + DIGITS).replace(/0+$/, '');
  return `${grouped(whole)}${shown === '' ? '' : `.${shown}`} ${symbol}`;
}

/** `12.34 %`. */
export function percent(bps: number): string {
  return `${(bps / 100).toFixed(2).replace(/\.?0+$/, '')} %`;
}

/** `350 ms`, `1.2 s`, `12 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return ms < 2 * MINUTE_MS ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / MINUTE_MS)} min`;
}

/** `1 block`, `2 blocks`. */
export function many(count: number, thing: string): string {
  return `${grouped(String(count))} ${thing}${count === 1 ? '' : 's'}`;
}

function grouped(whole: string): string {
  return whole.replace(/\B(?=(\d{3})+$)/g, ',');
}
