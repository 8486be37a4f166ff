import type { JudgedPrice } from '../../domain/at-risk.js';
import type { Address } from '../../domain/hex.js';
import type { Asset } from '../../domain/opportunity.js';
import { debtPerShareAtMost } from './debt-estimate.js';
import type { FollowedMarket } from './followed-market.js';
import type { LoanPrice } from './loan-prices.js';
import { accrued, type BlueMarket, type MarketTotals } from './market.js';
import type { OraclePrice } from './oracle-prices.js';

/**
 * What decides the positions of a market at a time. There are hundreds of markets at each head, and few of
 * them have a position at risk: so the interest is computed at the first question.
 */
export class MarketAtTime<Market extends BlueMarket = BlueMarket> {
  private booked: MarketTotals | undefined;

  constructor(
    readonly market: Market,
    /** Seconds since the epoch. */
    readonly timestamp: number,
    /** Loan token units for 1e36 collateral token units. */
    readonly price: bigint,
    /** What an asked rate model said, wad a second. */
    readonly askedRateWad?: bigint,
  ) {}

  get lltvWad(): bigint {
    return this.market.params.lltvWad;
  }

  /** With the interest up to the time. */
  get totals(): MarketTotals {
    return (this.booked ??= accrued(this.market, this.timestamp, this.askedRateWad).totals);
  }

  /** For a scan: loan token units that a borrow share owes, never less than by `totals`. */
  get debtPerShare(): number {
    return debtPerShareAtMost(this.market, this.timestamp, this.askedRateWad);
  }
}

/** Where the value of a market's tokens comes from. */
export interface ValuedBy {
  readonly oracle: OraclePrice;
  readonly loan: LoanPrice;
  /** USD8 for a whole token. */
  readonly collateralUsd8: bigint;
  /** Oracles and loan tokens whose price jumped. */
  readonly jumped: ReadonlySet<Address>;
}

/** A market with its prices: at the block of a view, or some seconds later with the same prices. */
export class ValuedMarket extends MarketAtTime<FollowedMarket> {
  constructor(
    market: FollowedMarket,
    timestamp: number,
    private readonly by: ValuedBy,
    askedRateWad?: bigint,
  ) {
    super(market, timestamp, by.oracle.price, askedRateWad);
  }

  get collateral(): Asset {
    const { address, symbol, decimals } = this.market.collateral;
    return { address, symbol, decimals, priceUsd8: this.by.collateralUsd8 };
  }

  get debt(): Asset {
    const { address, symbol, decimals } = this.market.loan;
    return { address, symbol, decimals, priceUsd8: this.by.loan.priceUsd8 };
  }

  get judgedPrices(): readonly JudgedPrice[] {
    const { collateral, loan, params } = this.market;
    const { oracle, loan: loanPrice, jumped } = this.by;
    return [
      {
        symbol: `${collateral.symbol}/${loan.symbol}`,
        updatedAt: oracle.updatedAt,
        jumped: jumped.has(params.oracle),
      },
      { symbol: loan.symbol, updatedAt: loanPrice.updatedAt, jumped: jumped.has(loan.address) },
    ];
  }

  at(timestamp: number): ValuedMarket {
    return new ValuedMarket(this.market, timestamp, this.by, this.askedRateWad);
  }
}
