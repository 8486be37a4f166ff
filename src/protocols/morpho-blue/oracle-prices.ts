import type { Address, Hash } from '../../domain/hex.js';
import type { FeedBook } from '../../oracles/feed-book.js';
import { each, together, type Read } from '../../rpc/chain/read.js';
import type { FollowedMarket, Markets } from './followed-market.js';
import type { LoanAnswers, LoanPrice, LoanPrices } from './loan-prices.js';
import type { MarketTotals } from './market.js';
import { priceFromFeeds } from './oracle-shape.js';
import type { PreLiquidationPair } from './pre-liquidation-book.js';
import { askedPriceRead, askedRateRead, type PriceFault } from './reads.js';
import { WaitingOracles } from './waiting-oracles.js';

/** A price of an oracle: loan token units for 1e36 collateral token units. */
export interface OraclePrice {
  readonly price: bigint;
  /** When the oldest of its feeds last changed, seconds since the epoch; undefined: not known. */
  readonly updatedAt: number | undefined;
}

/** What was asked at a head. */
export interface BlueAnswers {
  /** Of the block, seconds since the epoch. */
  readonly timestamp: number;
  readonly prices: ReadonlyMap<Address, bigint>;
  /** Of the oracles that were asked and gave no price. */
  readonly faults: ReadonlyMap<Address, PriceFault>;
  /** Rates of asked rate models, wad a second, each with the totals it was asked with. */
  readonly rates: ReadonlyMap<Hash, { readonly of: MarketTotals; readonly rateWad: bigint }>;
  readonly loans: LoanAnswers;
  /** Of pairs near the limit of a pre-liquidation contract; absent where none was asked for. */
  readonly authorisations?: readonly Authorisation[];
}

/** Whether a borrower authorised a pre-liquidation contract. */
export interface Authorisation {
  readonly pair: PreLiquidationPair;
  readonly isAuthorised: boolean;
}

/**
 * The prices of all markets. Once the price that an oracle answered equals the one computed from the rounds
 * of its feeds, the feeds' logs give its price, and it is not asked any more. All other oracles are asked at
 * each head, all in one call.
 */
export class BluePrices {
  /** Oracles whose answer equals the price from their feeds. */
  private readonly byFeeds = new Set<Address>();
  /** Oracles whose answer once differed from it. */
  private readonly distrusted = new Set<Address>();
  private readonly waiting = new WaitingOracles();

  constructor(
    private readonly book: FeedBook,
    private readonly loanPrices: LoanPrices,
  ) {}

  /** Whether the price of an oracle comes from the logs of its feeds. */
  isByFeeds(oracle: Address): boolean {
    return this.byFeeds.has(oracle);
  }

  /** The oracle is asked from now on. */
  distrust(oracle: Address): void {
    this.byFeeds.delete(oracle);
    this.distrusted.add(oracle);
  }

  /**
   * @param timestamp of the block.
   * @param others oracles of no market, which are asked as well.
   */
  reads(
    markets: Iterable<FollowedMarket>,
    timestamp: number,
    others: Iterable<Address> = [],
  ): Read<BlueAnswers> {
    const oracles = new Set<Address>();
    const waiting = new Set<Address>();
    const asked: FollowedMarket[] = [];
    const loanTokens = new Set<Address>();
    for (const market of markets) {
      const { oracle, loanToken } = market.params;
      loanTokens.add(loanToken);
      const isAsked = !this.byFeeds.has(oracle) || !this.fromFeeds(market);
      if (isAsked) (this.waiting.faultOf(oracle) ? waiting : oracles).add(oracle);
      if (market.rate.kind === 'asked') asked.push(market);
    }
    for (const oracle of others) (this.waiting.faultOf(oracle) ? waiting : oracles).add(oracle);
    const due = this.waiting.dueAmong(waiting, timestamp);
    const all = together(
      each([...oracles].map(askedPriceRead)),
      each(asked.map(askedRateRead)),
      this.loanPrices.reads(loanTokens),
      // The last one: what is before it has its answers when this one takes the gas.
      each(due ? [askedPriceRead(due)] : []),
    );
    return {
      calls: all.calls,
      decode: (results) => {
        const [first, rates, loans, last] = all.decode(results);
        const answers = [...oracles, ...(due ? [due] : [])].map(
          (oracle, index) => [oracle, [...first, ...last][index]] as const,
        );
        return {
          timestamp,
          prices: new Map(answers.flatMap(([key, one]) => (typeof one === 'bigint' ? [[key, one]] : []))),
          faults: new Map(answers.flatMap(([key, one]) => (typeof one === 'string' ? [[key, one]] : []))),
          rates: new Map(
            asked.flatMap(({ id, totals }, index) => {
              const rateWad = rates[index];
              return rateWad === undefined ? [] : [[id, { of: totals, rateWad }] as const];
            }),
          ),
          loans,
        };
      },
    };
  }

  /** The price of each oracle; an oracle that gave none is absent. */
  complete({ prices, faults, timestamp }: BlueAnswers, markets: Markets): ReadonlyMap<Address, OraclePrice> {
    this.waiting.heard(timestamp, prices.keys(), faults);
    const found = new Map<Address, OraclePrice>();
    for (const market of markets.values()) {
      const { oracle } = market.params;
      if (found.has(oracle)) continue;
      const computed = this.fromFeeds(market);
      const answered = prices.get(oracle);
      if (answered !== undefined) {
        const agrees = computed?.price === answered;
        if (agrees && !this.distrusted.has(oracle)) this.byFeeds.add(oracle);
        found.set(oracle, { price: answered, updatedAt: agrees ? computed.updatedAt : undefined });
      } else if (this.byFeeds.has(oracle) && computed && computed.price > 0n) found.set(oracle, computed);
    }
    return found;
  }

  /** Why an oracle has no price at a head; one that waits to be asked again has the reason it waits for. */
  faultOf(oracle: Address, { faults }: BlueAnswers): PriceFault {
    // An oracle that is not asked has the price of its feeds, which may be 0.
    return faults.get(oracle) ?? this.waiting.faultOf(oracle) ?? 'oracle-zero';
  }

  /** What a loan token is worth; undefined where nothing gives a price. */
  loanPrice(token: Address, { loans }: BlueAnswers): LoanPrice | undefined {
    return this.loanPrices.of(token, loans);
  }

  private fromFeeds({ oracle }: FollowedMarket): ReturnType<typeof priceFromFeeds> {
    return oracle.kind === 'feeds' ? priceFromFeeds(oracle, (feed) => this.book.roundOf(feed)) : undefined;
  }
}
