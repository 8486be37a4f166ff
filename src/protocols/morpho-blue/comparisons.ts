import type { Address } from '../../domain/hex.js';
import type { Read } from '../../rpc/chain/read.js';
import type { Comparison } from '../../state/followed.js';
import type { ComparisonTurns } from '../scan/comparison-turns.js';
import type { MorphoBlueView } from './at-risk.js';
import { comparisonRead } from './comparison.js';
import type { FollowedMarket, MorphoBlueSettings } from './followed-market.js';
import type { MarketBooks } from './market-books.js';
import type { BluePrices } from './oracle-prices.js';
import type { PositionTable, RowKey } from './position-table.js';

/** What is compared. */
export interface ComparedParts {
  readonly table: PositionTable;
  readonly books: MarketBooks;
  readonly prices: BluePrices;
  readonly turns: ComparisonTurns<RowKey>;
}

/** Chooses what of the books is compared with the chain next. */
export class Comparisons {
  private marketTurn = 0;

  constructor(
    private readonly settings: MorphoBlueSettings,
    private readonly parts: ComparedParts,
  ) {}

  /** Prices by feeds, some markets in turns, and positions: these accounts first. */
  next(view: MorphoBlueView, budget: number, first: readonly Address[]): Read<Comparison> {
    const prices = this.pricesByFeeds(view);
    const markets = [...view.markets.values()];
    // A tenth of the calls for markets, in turns: each takes two.
    const count = Math.min(markets.length, Math.max(1, Math.floor(budget / 20)));
    const compared =
      markets.length === 0 ? [] : Array.from({ length: count }, () => this.nextMarket(markets));
    const left = Math.max(budget - prices.size - 2 * count, 1);
    const keys = this.parts.turns.next(
      left,
      first.flatMap((account) => this.parts.table.keysOf(account)),
    );
    return this.compared(keys, [...new Set(compared)], prices);
  }

  /** Only these accounts, with the prices. */
  of(view: MorphoBlueView, accounts: readonly Address[]): Read<Comparison> {
    const keys = accounts.flatMap((account) => this.parts.table.keysOf(account));
    return this.compared(keys, [], this.pricesByFeeds(view));
  }

  private pricesByFeeds({ valued }: MorphoBlueView): Map<Address, bigint> {
    return new Map(
      [...valued.values()].flatMap(({ market, price }) =>
        this.parts.prices.isByFeeds(market.params.oracle) ? [[market.params.oracle, price] as const] : [],
      ),
    );
  }

  private nextMarket(markets: readonly FollowedMarket[]): FollowedMarket {
    const market = markets[this.marketTurn++ % markets.length];
    if (!market) throw new RangeError('there are no markets');
    return market;
  }

  private compared(
    keys: readonly RowKey[],
    markets: readonly FollowedMarket[],
    prices: ReadonlyMap<Address, bigint>,
  ): Read<Comparison> {
    const { table, books } = this.parts;
    const positions = keys.flatMap((key) => table.positionWith(key) ?? []);
    const read = comparisonRead(this.settings, positions, markets, prices);
    return {
      calls: read.calls,
      decode: (results) => {
        const found = read.decode(results);
        books.doubt(found.wrongMarkets);
        return found;
      },
    };
  }
}
