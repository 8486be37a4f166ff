import { id } from 'ethers';
import { addressAt, uintAt, type Address, type Hex } from '../domain/hex.js';
import { BPS } from '../domain/money.js';
import type { Read } from '../rpc/chain/read.js';

/** Moonwell's ChainlinkOEVWrapper around a feed: it withholds a fresh price for some time. */

const selector = (signature: string): Hex => id(signature).slice(0, 10) as Hex;

const PRICE_FEED = selector('priceFeed()');
/** What only a wrapper answers. */
const OF_A_WRAPPER = ['cachedRoundId()', 'maxRoundDelay()', 'liquidatorFeeBps()'].map(selector);
/** Hex digits of an answer of one word, with its 0x. */
const ONE_WORD = 66;
/** Below it are the zero address and small numbers. */
export const FIRST_ADDRESS = 1n << 64n;

/** The feed inside a wrapper that withholds fresh prices; undefined for a feed that is no wrapper. */
export function wrappedFeedRead(feed: Address): Read<Address | undefined> {
  return {
    calls: [PRICE_FEED, ...OF_A_WRAPPER].map((data) => ({ to: feed, data })),
    decode: (results) => {
      const words = results.map(({ success, data }) =>
        success && data.length === ONE_WORD ? uintAt(data, 0) : undefined,
      );
      const [inside, cachedRound, delay, feeBps] = words;
      if (inside === undefined || cachedRound === undefined || delay === undefined) return undefined;
      // A contract that answers the same to every question is not one.
      if (feeBps === undefined || feeBps > BPS || inside < FIRST_ADDRESS) return undefined;
      return addressAt(results[0]?.data ?? '0x', 0);
    },
  };
}
