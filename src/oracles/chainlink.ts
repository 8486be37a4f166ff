import { id } from 'ethers';
import { addressWord, MOST_128_BITS, timeAt, uintAt, type Address, type Hex } from '../domain/hex.js';
import { each, type Read } from '../rpc/chain/read.js';

const LATEST_ROUND_DATA = id('latestRoundData()').slice(0, 10) as Hex;
const GET_SOURCE_OF_ASSET = id('getSourceOfAsset(address)').slice(0, 10) as Hex;
const INT256_MAX = 2n ** 255n - 1n;

/** A round of a Chainlink feed (AggregatorV3Interface.latestRoundData). */
export interface Round {
  /** USD with 8 decimals. */
  readonly answer: bigint;
  /** Seconds since the epoch. */
  readonly updatedAt: number;
}

/**
 * An int256 as a price; undefined when it is zero or negative.
 *
 * @throws RangeError when it is far above every price.
 */
export function answerOf(word: bigint): bigint | undefined {
  if (word === 0n || word > INT256_MAX) return undefined;
  if (word > MOST_128_BITS) throw new RangeError('the answer of a price feed is out of its range');
  return word;
}

/**
 * A feed's last round. Undefined when the feed has no rounds (a price-cap adapter), or when its answer is
 * zero or negative.
 */
export function latestRoundRead(feed: Address): Read<Round | undefined> {
  return {
    calls: [{ to: feed, data: LATEST_ROUND_DATA }],
    decode: ([result]) => {
      if (!result?.success || result.data.length < 2 + 4 * 64) return undefined;
      const answer = answerOf(uintAt(result.data, 1));
      return answer === undefined ? undefined : { answer, updatedAt: timeAt(result.data, 3) };
    },
  };
}

/**
 * When each source last changed, seconds since the epoch. Undefined for a source without rounds (a price-cap
 * adapter).
 */
export function updateTimesRead(sources: readonly Address[]): Read<(number | undefined)[]> {
  return each(
    sources.map((source) => {
      const { calls, decode } = latestRoundRead(source);
      return { calls, decode: (results) => decode(results)?.updatedAt };
    }),
  );
}

/**
 * The feed behind an asset in a market's oracle (AaveOracle.getSourceOfAsset); undefined when the oracle has
 * none.
 */
export function sourceRead(oracle: Address, asset: Address): Read<Address | undefined> {
  return {
    calls: [{ to: oracle, data: `${GET_SOURCE_OF_ASSET}${addressWord(asset)}` }],
    decode: ([result]) => {
      if (!result?.success || result.data.length < 66) return undefined;
      const source: Address = `0x${result.data.slice(26, 66)}`;
      return /^0x0+$/.test(source) ? undefined : source;
    },
  };
}
