const DECIMAL = /^(-?)(\d{1,80})(?:\.(\d{1,80}))?$/;

/**
 * Reads plain decimal text as an integer of 10^-decimals, without a float: "5.1" at 8 decimals is 510000000n.
 * Nothing is rounded.
 *
 * @returns undefined when the text is not a plain decimal ("1e3", ".5", ""), or has digits that the unit
 *   cannot hold.
 */
export function parseDecimal(text: string, decimals: number): bigint | undefined {
  const match = DECIMAL.exec(text);
  if (!match) return undefined;
  const [, sign = '', whole = '', fraction = ''] = match;
  const kept = fraction.slice(0, decimals);
  if (/[1-9]/.test(fraction.slice(decimals))) return undefined;
  const magnitude = BigInt(whole + kept.padEnd(decimals, '0'));
  return sign === '-' ? -magnitude : magnitude;
}
