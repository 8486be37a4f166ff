import { id } from 'ethers';
import { rejected, type Rejection } from '../domain/decision.js';
import { uintAt, type Address, type Hex } from '../domain/hex.js';
import { BPS, formatUnits } from '../domain/money.js';
import { together, type Read } from '../rpc/chain/read.js';
import { latestRoundRead, type Round } from './chainlink.js';

const DECIMALS = id('decimals()').slice(0, 10) as Hex;
const DESCRIPTION = id('description()').slice(0, 10) as Hex;

/** No native token was ever outside of 1 cent to 1,000,000 dollars. */
const LEAST_USD8 = 10n ** 6n;
const MOST_USD8 = 10n ** 14n;
/** How far the feed may be from a market's own price of the wrapped native token. */
const TOLERANCE_BPS = 500n;

/**
 * Why the price of the native token must not be used: gas, fees and bids are paid by it, so a wrong one costs
 * the wallet.
 *
 * @param marketPricesUsd8 of the wrapped native token, by the oracles of the markets that have it.
 */
export function nativePriceObjection(
  native: Round | undefined,
  marketPricesUsd8: readonly bigint[],
): Rejection | undefined {
  if (!native) return rejected('price-missing', { asset: 'native' });
  const { answer } = native;
  if (answer < LEAST_USD8 || answer > MOST_USD8)
    return rejected('native-price-out-of-range', { feedUsd8: String(answer) });
  const other = marketPricesUsd8.find((price) => !isNear(answer, price));
  if (other === undefined) return undefined;
  return rejected('native-price-differs', { feedUsd8: String(answer), marketUsd8: String(other) });
}

function isNear(price: bigint, market: bigint): boolean {
  const difference = price > market ? price - market : market - price;
  return difference * BPS <= market * TOLERANCE_BPS;
}

/** What a feed says of itself, for the check at start. */
export interface FeedFacts {
  /** Undefined when it does not answer as a feed does. */
  readonly decimals: number | undefined;
  readonly description: string;
  readonly round: Round | undefined;
}

export function feedFactsRead(feed: Address): Read<FeedFacts> {
  const word: Read<bigint | undefined> = {
    calls: [{ to: feed, data: DECIMALS }],
    decode: ([result]) => (result?.success && result.data.length === 66 ? uintAt(result.data, 0) : undefined),
  };
  const text: Read<string> = {
    calls: [{ to: feed, data: DESCRIPTION }],
    decode: ([result]) => {
      if (!result?.success || result.data.length < 2 + 3 * 64) return '';
      const bytes = Buffer.from(result.data.slice(2 + 2 * 64), 'hex');
      const printable = bytes.toString('latin1').replace(/\0/g, '');
      return /^[\x20-\x7e]{1,64}$/.test(printable) ? printable : '';
    },
  };
  const all = together(word, text, latestRoundRead(feed));
  return {
    calls: all.calls,
    decode: (results) => {
      const [decimals, description, round] = all.decode(results);
      return { decimals: decimals === undefined ? undefined : Number(decimals), description, round };
    },
  };
}

/** What is wrong with the configured feed of the native token, in one sentence; undefined when nothing is. */
export function feedProblem(
  feed: Address,
  { decimals, description, round }: FeedFacts,
  marketPricesUsd8: readonly bigint[],
): string | undefined {
  const named = `oracles.nativeUsdFeed: the feed ${feed}${description === '' ? '' : ` ("${description}")`}`;
  if (decimals === undefined || !round)
    return `${named} does not answer as a price feed does; a Chainlink feed of the native token in USD was expected`;
  if (decimals !== 8) return `${named} has ${decimals} decimals; a price in USD with 8 decimals was expected`;
  const objection = nativePriceObjection(round, marketPricesUsd8);
  if (!objection) return undefined;
  const said = `${named} says ${formatUnits(round.answer, 8)} USD`;
  const { marketUsd8 } = objection.detail;
  return marketUsd8 === undefined
    ? `${said}; a price between ${formatUnits(LEAST_USD8, 8)} and ${formatUnits(MOST_USD8, 8)} USD was expected`
    : `${said}, but a lending market values the wrapped native token at ${formatUnits(BigInt(marketUsd8), 8)} USD; a difference of at most ${TOLERANCE_BPS / 100n} % was expected`;
}
