import { id } from 'ethers';
import { addressAt, uintWord, type Address, type Hex } from '../../domain/hex.js';
import { latestRoundRead, type Round } from '../../oracles/chainlink.js';
import { together, type Read } from '../../rpc/chain/read.js';

/**
 * The feeds behind Moonwell's ChainlinkOracle, and its wrappers around them (ChainlinkOEVWrapper). Oracles of
 * other kinds tell no feed: their prices are read at each head.
 */

const GET_FEED = id('getFeed(string)').slice(0, 10) as Hex;
/** Hex digits of an answer of one word, with its 0x. */
const ONE_WORD = 66;

const isZero = (address: Address): boolean => /^0x0+$/.test(address);

/** The feed of a token by its symbol; undefined where the oracle tells none. */
export function feedRead(oracle: Address, symbol: string): Read<Address | undefined> {
  const bytes = Buffer.from(symbol, 'utf8');
  const padded = bytes.toString('hex').padEnd(Math.ceil(bytes.length / 32) * 64, '0');
  const data: Hex = `${GET_FEED}${uintWord(32)}${uintWord(bytes.length)}${padded}`;
  return {
    calls: [{ to: oracle, data }],
    decode: ([result]) => {
      if (result?.success !== true || result.data.length !== ONE_WORD) return undefined;
      const feed = addressAt(result.data, 0);
      return isZero(feed) ? undefined : feed;
    },
  };
}

/** The last round of a feed, and that of the feed inside. */
export function bothRoundsRead(feed: Address, inside: Address): Read<[Round | undefined, Round | undefined]> {
  return together(latestRoundRead(feed), latestRoundRead(inside));
}
