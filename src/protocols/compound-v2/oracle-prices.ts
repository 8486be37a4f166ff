import type { Address } from '../../domain/hex.js';
import type { FeedBook } from '../../oracles/feed-book.js';
import { latestRoundRead, type Round } from '../../oracles/chainlink.js';
import { each, together, type Read } from '../../rpc/chain/read.js';
import { bothRoundsRead } from './feed-reads.js';
import type { MarketTerms } from './market-terms.js';
import { priceRead } from './reads.js';

/** Prices at a block, each by the id of the mToken: {@link MarketConditions.prices}. */
export interface OracleAnswers {
  readonly prices: ReadonlyMap<number, bigint>;
  /** Seconds since the epoch; absent for an oracle that tells no feed. */
  readonly priceTimes: ReadonlyMap<number, number>;
  /** The price that a wrapper withholds, where it is another one than the market's. */
  readonly fresh: ReadonlyMap<number, bigint>;
}

/** An answer of a feed with 8 decimals as the oracle gives it (ChainlinkOracle.getPrice). */
function priceOf({ answer }: Round, decimals: number): bigint {
  return answer * 10n ** BigInt(28 - decimals);
}

/**
 * The prices of a market's oracle. Once the price that was read equals the last round of its feed, the feed's
 * logs give this price, and it is not read any more. All other prices are read at each head. A wrapper is
 * read
 * at each head as well: its answer changes with time alone.
 */
export class OraclePrices {
  /** The ids of the mTokens whose price equals the last round of their feed. */
  private readonly byFeed = new Set<number>();

  constructor(private readonly feeds: FeedBook) {}

  /** The feeds changed: every price is read again. */
  reset(): void {
    this.byFeed.clear();
  }

  /** What no log gives. */
  reads({ market, feeds, wrapped }: MarketTerms): Read<OracleAnswers> {
    // A feed that is no longer trusted is asked at this very head: no block is without a price.
    for (const id of this.byFeed) if (!this.roundOf(feeds, id)) this.byFeed.delete(id);
    const asked = [...market.mTokens.values()].filter(({ id }) => !this.byFeed.has(id));
    const withFeed = asked.flatMap(({ id }) => {
      const [feed, inside] = [feeds.get(id), wrapped.get(id)];
      return feed && !inside ? [[id, feed] as const] : [];
    });
    const wrappers = asked.flatMap((mToken) => {
      const [feed, inside] = [feeds.get(mToken.id), wrapped.get(mToken.id)];
      return feed && inside ? [{ mToken, feed, inside }] : [];
    });
    const all = together(
      each(asked.map(({ address }) => priceRead(market.oracle, address))),
      each(withFeed.map(([, feed]) => latestRoundRead(feed))),
      each(wrappers.map(({ feed, inside }) => bothRoundsRead(feed, inside))),
    );
    return {
      calls: all.calls,
      decode: (results) => {
        const [read, rounds, ofWrappers] = all.decode(results);
        const prices = new Map<number, bigint>();
        const priceTimes = new Map<number, number>();
        const fresh = new Map<number, bigint>();
        for (const [index, { id }] of asked.entries()) {
          const price = read[index];
          if (price !== undefined) prices.set(id, price);
        }
        for (const [index, [id]] of withFeed.entries()) {
          const round = rounds[index];
          if (round) priceTimes.set(id, round.updatedAt);
        }
        for (const [index, { mToken }] of wrappers.entries()) {
          const [own, inside] = ofWrappers[index] ?? [];
          if (own) priceTimes.set(mToken.id, own.updatedAt);
          const price = inside && priceOf(inside, mToken.decimals);
          if (price !== undefined && price !== prices.get(mToken.id)) fresh.set(mToken.id, price);
        }
        return { prices, priceTimes, fresh };
      },
    };
  }

  /** All prices: those that were read, and the feeds' rounds for the others. */
  complete(answers: OracleAnswers, { market, feeds, wrapped }: MarketTerms): OracleAnswers {
    const prices = new Map(answers.prices);
    const priceTimes = new Map(answers.priceTimes);
    for (const { id, decimals } of market.mTokens.values()) {
      const round = wrapped.has(id) ? undefined : this.roundOf(feeds, id);
      if (this.byFeed.has(id)) {
        if (round) {
          prices.set(id, priceOf(round, decimals));
          priceTimes.set(id, round.updatedAt);
        } else this.byFeed.delete(id); // No price at this block. The next block reads it.
      } else if (round && priceOf(round, decimals) === prices.get(id)) this.byFeed.add(id);
    }
    return { prices, priceTimes, fresh: answers.fresh };
  }

  private roundOf(feeds: ReadonlyMap<number, Address>, id: number): Round | undefined {
    const feed = feeds.get(id);
    return feed ? this.feeds.roundOf(feed) : undefined;
  }
}
