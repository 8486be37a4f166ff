/** What a person may type while `npm run devnet` runs: a price, in dollars or by how much it moves. */
import { TOKEN_SYMBOLS, type Prices, type TokenSymbol } from '../parameters.js';

const USD8 = 10n ** 8n;
/** No price falls by more than this at once, or grows beyond this factor of itself. Basis points. */
const LEAST_BPS = 100n;
const MOST_BPS = 1_000_000n;

export interface PriceOrder {
  readonly symbol: TokenSymbol;
  /** USD with 8 decimals. */
  readonly usd8: bigint;
}

/**
 * `price WETH 2400`, `price WETH -5%`.
 *
 * @throws Error in one sentence: what, and what was expected.
 */
export function parseOrder(line: string, prices: Prices): PriceOrder {
  const [verb, name = '', value = '', ...rest] = line.trim().split(/\s+/);
  const symbol = TOKEN_SYMBOLS.find((one) => one.toLowerCase() === name.toLowerCase());
  const number = /^([+-]?)(\d{1,9})(?:\.(\d{1,8}))?(%?)$/.exec(value);
  if (verb !== 'price' || !symbol || !number || rest.length > 0)
    throw new Error(
      `"${line.trim()}" is not known; "price TOKEN 2400" or "price TOKEN -5%" was expected, with one of ${TOKEN_SYMBOLS.join(', ')}`,
    );
  const [, sign, integer = '0', fraction = '', percent] = number;
  const amount = BigInt(integer) * USD8 + BigInt(fraction.padEnd(8, '0'));
  const before = prices[symbol];
  const signed = sign === '-' ? -amount : amount;
  const usd8 = percent ? before + (before * signed) / (100n * USD8) : signed;
  if (usd8 * 10_000n < before * LEAST_BPS || usd8 * 10_000n > before * MOST_BPS || (sign && !percent))
    throw new Error(
      `"${value}" is not valid; a price from a hundredth to a hundred times of now was expected`,
    );
  return { symbol, usd8 };
}
