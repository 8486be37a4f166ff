import { id } from 'ethers';
import { addressAt, uintAt, type Address, type Hex } from '../../domain/hex.js';
import { mulDivFloor } from '../../domain/money.js';
import type { Round } from '../../oracles/chainlink.js';
import type { Read } from '../../rpc/chain/read.js';

const ZERO_ADDRESS: Address = '0x0000000000000000000000000000000000000000';

/** The getters of MorphoChainlinkOracleV2.sol (morpho-blue-oracles 2.0). */
const GETTERS = [
  'BASE_VAULT()',
  'BASE_VAULT_CONVERSION_SAMPLE()',
  'QUOTE_VAULT()',
  'QUOTE_VAULT_CONVERSION_SAMPLE()',
  'BASE_FEED_1()',
  'BASE_FEED_2()',
  'QUOTE_FEED_1()',
  'QUOTE_FEED_2()',
  'SCALE_FACTOR()',
].map((signature) => id(signature).slice(0, 10) as Hex);

/** How the price of an oracle is known. */
export type OracleShape =
  /** The quotient of feeds: computed from their rounds, once it is seen to be right. */
  | {
      readonly kind: 'feeds';
      readonly scaleFactor: bigint;
      readonly baseFeeds: readonly Address[];
      readonly quoteFeeds: readonly Address[];
    }
  /** Feeds and a vault, whose shares are worth more with each block: asked. */
  | { readonly kind: 'vault'; readonly feeds: readonly Address[] }
  /** Not known: asked. */
  | { readonly kind: 'other' };

/** By its getters. That its price is what they say is compared before it is believed. */
export function oracleShapeRead(oracle: Address): Read<OracleShape> {
  return {
    calls: GETTERS.map((data) => ({ to: oracle, data })),
    decode: (results) => {
      const words = results.map((result) =>
        result.success && result.data.length === 66 ? result.data : undefined,
      );
      if (words.length !== GETTERS.length || words.some((word) => word === undefined))
        return { kind: 'other' };
      const at = (index: number): Address => addressAt(words[index] ?? '0x', 0);
      const feeds = (...indexes: number[]): Address[] =>
        indexes.map(at).filter((feed) => feed !== ZERO_ADDRESS);
      const [baseFeeds, quoteFeeds] = [feeds(4, 5), feeds(6, 7)];
      if (feeds(0, 2).length > 0) return { kind: 'vault', feeds: [...baseFeeds, ...quoteFeeds] };
      const scaleFactor = uintAt(words[8] ?? '0x', 0);
      // Without feeds it is a constant: there is nothing to follow.
      if (baseFeeds.length + quoteFeeds.length === 0) return { kind: 'other' };
      return { kind: 'feeds', scaleFactor, baseFeeds, quoteFeeds };
    },
  };
}

/** The feeds of which the rounds are worth following. */
export function feedsOf(shape: OracleShape): readonly Address[] {
  return shape.kind === 'feeds' ? [...shape.baseFeeds, ...shape.quoteFeeds] : [];
}

/**
 * MorphoChainlinkOracleV2.price() without vaults: SCALE_FACTOR · Π base feeds / Π quote feeds, rounded down,
 * and the time at which the oldest of its rounds was made.
 *
 * @returns undefined when a feed has no round.
 */
export function priceFromFeeds(
  { scaleFactor, baseFeeds, quoteFeeds }: Extract<OracleShape, { kind: 'feeds' }>,
  roundOf: (feed: Address) => Round | undefined,
): { readonly price: bigint; readonly updatedAt: number } | undefined {
  let updatedAt = Infinity;
  const product = (feeds: readonly Address[]): bigint | undefined => {
    let answers = 1n;
    for (const feed of feeds) {
      const round = roundOf(feed);
      if (!round) return undefined;
      answers *= round.answer;
      updatedAt = Math.min(updatedAt, round.updatedAt);
    }
    return answers;
  };
  const [base, quote] = [product(baseFeeds), product(quoteFeeds)];
  if (base === undefined || quote === undefined) return undefined;
  return { price: mulDivFloor(scaleFactor, base, quote), updatedAt };
}
