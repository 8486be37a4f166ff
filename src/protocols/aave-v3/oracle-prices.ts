import type { Address } from '../../domain/hex.js';
import { updateTimesRead } from '../../oracles/chainlink.js';
import type { FeedBook } from '../../oracles/feed-book.js';
import { together, type Read } from '../../rpc/chain/read.js';
import type { MarketConditions } from './market.js';
import type { MarketTerms } from './market-terms.js';
import { conditionsRead } from './reads.js';

/** The conditions of a market at a block, with the times at which its prices last changed. */
export interface PricedConditions {
  readonly conditions: MarketConditions;
  /** By asset, seconds since the epoch; absent for a source that has no rounds. */
  readonly priceTimes: ReadonlyMap<Address, number>;
}

/**
 * The prices of a market's oracle. An asset whose asked price was once equal to its feed's round is not asked
 * any more: the log of the feed tells it. All others are asked at each head.
 */
export class OraclePrices {
  /** Assets whose price is the last round of their feed. */
  private readonly byFeed = new Set<Address>();

  constructor(private readonly feeds: FeedBook) {}

  /** The sources changed: every price is asked again. */
  reset(): void {
    this.byFeed.clear();
  }

  /**
   * What has to be asked at a block: the prices that no log tells, and the sentinel.
   *
   * @param timestamp of the block.
   */
  reads({ market, sources }: MarketTerms, timestamp: number): Read<PricedConditions> {
    const asked = [...sources].filter(([asset]) => !this.byFeed.has(asset));
    const assets = [...market.reserves.values()].map(({ asset }) => asset);
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

  /** All prices: what was asked, and the feeds' rounds for the others. */
  complete({ conditions, priceTimes }: PricedConditions, { sources }: MarketTerms): PricedConditions {
    const prices = new Map(conditions.prices);
    const times = new Map(priceTimes);
    for (const [asset, source] of sources) {
      const round = this.feeds.roundOf(source);
      if (this.byFeed.has(asset)) {
        if (round) {
          prices.set(asset, round.answer);
          times.set(asset, round.updatedAt);
        } else this.byFeed.delete(asset); // This block has no price of it. At the next one it is asked.
      } else if (round && round.answer === prices.get(asset)) this.byFeed.add(asset);
    }
    return { conditions: { ...conditions, prices }, priceTimes: times };
  }
}
