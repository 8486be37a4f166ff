import type { Address, Hash } from '../../domain/hex.js';
import { latestRoundRead, type Round } from '../../oracles/chainlink.js';
import type { FeedBook } from '../../oracles/feed-book.js';
import { each, together, type Read } from '../../rpc/chain/read.js';
import type { TokenPrices } from '../token-prices.js';
import type { MorphoBlueSettings } from './followed-market.js';

/** What a loan token is worth. */
export interface LoanPrice {
  readonly priceUsd8: bigint;
  /** When its feed last changed, seconds since the epoch; undefined: another market's oracle told it. */
  readonly updatedAt: number | undefined;
}

/** What was asked about loan tokens at a head. */
export interface LoanAnswers {
  /** Of feeds that no log tells. */
  readonly rounds: ReadonlyMap<Address, Round>;
  /** By the oracles of other markets, USD8. */
  readonly elsewhere: ReadonlyMap<Address, bigint>;
}

/**
 * What loan tokens are worth in USD: by a feed, or by the oracle of another market. The oracles of Morpho's
 * own markets tell nothing here: whoever makes a market chooses its oracle, and a wrong price would make a
 * worthless profit look like a large one.
 */
export class LoanPrices {
  constructor(
    private readonly book: FeedBook,
    private readonly feeds: MorphoBlueSettings['feeds'],
    private readonly others: TokenPrices,
  ) {}

  /** Looks for the tokens that have no feed. @throws RetryError */
  look(tokens: Iterable<Address>, block: Hash): Promise<void> {
    return this.others.look(
      [...tokens].filter((token) => !this.feedOf(token)),
      block,
    );
  }

  /** Whether something says what a token is worth. */
  isPriced(token: Address): boolean {
    return this.feedOf(token) !== undefined || this.others.readOf(token) !== undefined;
  }

  /** @param tokens of the markets that are asked. */
  reads(tokens: ReadonlySet<Address>): Read<LoanAnswers> {
    const feeds = this.feeds.map(({ feed }) => feed).filter((feed) => !this.book.roundOf(feed));
    const asked = [...tokens].flatMap((token) => {
      const read = this.feedOf(token) ? undefined : this.others.readOf(token);
      return read ? [{ token, read }] : [];
    });
    const all = together(each(feeds.map(latestRoundRead)), each(asked.map(({ read }) => read)));
    return {
      calls: all.calls,
      decode: (results) => {
        const [rounds, prices] = all.decode(results);
        return {
          rounds: new Map(
            feeds.flatMap((feed, index) => {
              const round = rounds[index];
              return round ? [[feed, round] as const] : [];
            }),
          ),
          elsewhere: new Map(
            asked.flatMap(({ token }, index) => {
              const price = prices[index];
              return price === undefined ? [] : [[token, price] as const];
            }),
          ),
        };
      },
    };
  }

  /** Undefined where nothing gives a price now. */
  of(token: Address, { rounds, elsewhere }: LoanAnswers): LoanPrice | undefined {
    const feed = this.feedOf(token);
    const round = feed && (this.book.roundOf(feed) ?? rounds.get(feed));
    if (round) return { priceUsd8: round.answer, updatedAt: round.updatedAt };
    const priceUsd8 = elsewhere.get(token);
    return priceUsd8 === undefined ? undefined : { priceUsd8, updatedAt: undefined };
  }

  private feedOf(token: Address): Address | undefined {
    return this.feeds.find((one) => one.token === token)?.feed;
  }
}
