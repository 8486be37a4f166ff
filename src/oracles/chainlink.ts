import { id } from 'ethers';
import { addressWord, uintAt, type Address, type Hex } from '../domain/hex.js';
import { each, successOf, type Read } from '../rpc/read.js';

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

/** A feed's last round. @throws Error when the feed cannot be read, or its answer is zero or negative. */
export function roundRead(feed: Address): Read<Round> {
  return {
    calls: [{ to: feed, data: LATEST_ROUND_DATA }],
    decode: ([result]) => {
      const data = successOf(result, `feed ${feed}`);
      const answer = uintAt(data, 1);
      if (answer === 0n || answer > INT256_MAX) throw new Error(`feed ${feed} gives no positive price`);
      return { answer, updatedAt: Number(uintAt(data, 3)) };
    },
  };
}

/** When each source last changed, seconds since the epoch; undefined for one that has no rounds (a price-cap adapter). */
export function updateTimesRead(sources: readonly Address[]): Read<(number | undefined)[]> {
  return each(
    sources.map((source) => ({
      calls: [{ to: source, data: LATEST_ROUND_DATA }],
      decode: ([result]) =>
        result?.success && result.data.length >= 2 + 4 * 64 ? Number(uintAt(result.data, 3)) : undefined,
    })),
  );
}

/** The feed behind an asset in a market's oracle (AaveOracle.getSourceOfAsset); undefined where none answers. */
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
