import type { Address } from '../../domain/hex.js';
import { updateTimesRead } from '../../oracles/chainlink.js';
import type { FeedBook } from '../../oracles/feed-book.js';
import { together, type Read } from '../../rpc/chain/read.js';
import { pricedAddresses, type MarketConditions } from './market.js';
import type { MarketTerms } from './market-terms.js';
import { conditionsRead } from './reads.js';

/** The conditions of a market at a block, and the times at which its prices last changed. */
export interface PricedConditions {
  readonly conditions: MarketConditions;
  /** By asset, seconds since the epoch; absent for a source that has no rounds. */
  readonly priceTimes: ReadonlyMap<Address, number>;
}

/**
 * The prices of a market's oracle. Once the price that was read for an asset equals the last round of its
 * feed, the feed's logs give this price, and it is not read any more. All other prices are read at each head.
 */
export class OraclePrices {
  /** Assets whose price equals the last round of their feed. */
  private readonly byFeed = new Set<Address>();

  constructor(private readonly feeds: FeedBook) {}

  /** The sources changed: every price is read again. */
  reset(): void {
    this.byFeed.clear();
  }

  /**
   * What has to be read at a block: the prices that no log gives, and the sentinel.
   *
   * @param timestamp of the block.
   */
  reads({ market, sources }: MarketTerms, timestamp: number): Read<PricedConditions> {
    // A feed that is no longer trusted is asked at this very head: no block is without a price.
    for (const [asset, source] of sources) if (!this.feeds.roundOf(source)) this.byFeed.delete(asset);
    const asked = [...sources].filter(([asset]) => !this.byFeed.has(asset));
    const assets = pricedAddresses(market);
    const both = together(
      conditionsRead(
        market,
        timestamp,
        assets.filter((asset) => !this.byFeed.has(asset)),
      ),
      updateTimesRead(asked.map(([, source]) => source)),
    );
    return {
      calls: both.calls,
      decode: (results) => {
        const [conditions, times] = both.decode(results);
        const priceTimes = new Map<Address, number>();
        for (const [index, [asset]] of asked.entries()) {
          const time = times[index];
          if (time !== undefined) priceTimes.set(asset, time);
        }
        return { conditions, priceTimes };
      },
    };
  }

  /** All prices: those that were read, and the feeds' rounds for the others. */
  complete({ conditions, priceTimes }: PricedConditions, { sources }: MarketTerms): PricedConditions {
    const prices = new Map(conditions.prices);
    const times = new Map(priceTimes);
    for (const [asset, source] of sources) {
      const round = this.feeds.roundOf(source);
      if (this.byFeed.has(asset)) {
        if (round) {
          prices.set(asset, round.answer);
          times.set(asset, round.updatedAt);
        } else this.byFeed.delete(asset); // No price at this block. The next block reads it.
      } else if (round && round.answer === prices.get(asset)) this.byFeed.add(asset);
    }
    return { conditions: { ...conditions, prices }, priceTimes: times };
  }
}
