/** Amounts as people read them. For the eye only: nothing is computed with them. */
const USD = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD', maximumFractionDigits: 2 });

export const dollars = (text: string): string => USD.format(Number(text));
export const ether = (text: string): string => `${Number(text).toPrecision(4)} ETH`;
export const seconds = (count: number): string => `${count} s`;
