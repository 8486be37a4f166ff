import type { AtRisk, SizeLimits } from '../../domain/at-risk.js';
import type { Address, Hash } from '../../domain/hex.js';
import type { FaultyMarket, UnservedReason } from '../../domain/market-coverage.js';
import { mulDivFloor, unitOf, valueUsd8 } from '../../domain/money.js';
import type { Asset } from '../../domain/opportunity.js';
import type { PriceGuard, Prices } from '../../oracles/price-guard.js';
import { positionsAtRisk, type MorphoBlueView, type ValuedPosition } from './at-risk.js';
import type { FollowedMarket, Markets, MorphoBlueSettings } from './followed-market.js';
import { healthOf } from './health.js';
import { ORACLE_PRICE_SCALE } from './math.js';
import type { BlueAnswers, BluePrices, OraclePrice } from './oracle-prices.js';
import type { TablePosition } from './position-table.js';
import { ValuedMarket } from './valued-market.js';

const NOTHING: ReadonlySet<Address> = new Set();

type AtRiskView = Pick<MorphoBlueView, 'valued' | 'positions' | 'timestamp'>;

/** What markets and positions are worth at a block. */
export interface Valued {
  readonly valued: ReadonlyMap<Hash, ValuedMarket>;
  /** Of the markets that were asked for: those whose price or rate is missing. */
  readonly faulty: readonly FaultyMarket[];
  readonly priceUsd8: (asset: Address) => bigint | undefined;
  readonly atRisk: (view: AtRiskView, limits: SizeLimits) => Iterable<AtRisk>;
}

/** Values the markets at each block, and judges how their prices moved. */
export class Valuation {
  private judged:
    { readonly by: BlueAnswers; readonly prices: Prices; readonly jumped: ReadonlySet<Address> } | undefined;
  private assets: ReadonlyMap<Address, Asset> = new Map();
  /** What loan tokens were last worth, USD8. */
  private readonly loanUsd8 = new Map<Address, bigint>();

  constructor(
    private readonly prices: BluePrices,
    private readonly guard: PriceGuard,
    private readonly settings: MorphoBlueSettings,
  ) {}

  /** What may be seized or repaid, as of the last block; a token of several markets once. */
  get tokens(): readonly Asset[] {
    return [...this.assets.values()];
  }

  /** Another block without a block before it: no price has jumped. */
  reset(): void {
    this.judged = undefined;
  }

  /**
   * Why a market is not worth a call; undefined for one that is large enough. Without a price of its loan
   * token it is, for the moment.
   */
  whyNotServed({ loan, totals }: FollowedMarket): UnservedReason | undefined {
    if (totals.borrowShares === 0n) return 'no-debt';
    const priceUsd8 = this.loanUsd8.get(loan.address);
    if (priceUsd8 === undefined) return undefined;
    const { decimals } = loan;
    const borrowedUsd8 = valueUsd8(totals.borrowAssets, { decimals, priceUsd8 });
    return borrowedUsd8 >= this.settings.minMarketUsd8 ? undefined : 'too-small';
  }

  at(answers: BlueAnswers, markets: Markets, served: readonly FollowedMarket[]): Valued {
    const oracles = this.prices.complete(answers, markets);
    const loanPrices = new Map<Address, bigint>();
    const loanTokens = [...markets.values()].map(({ loan }) => loan.address);
    for (const token of new Set([...this.settings.feeds.map((one) => one.token), ...loanTokens])) {
      const price = this.prices.loanPrice(token, answers);
      if (price) loanPrices.set(token, price.priceUsd8);
    }
    for (const [token, price] of loanPrices) this.loanUsd8.set(token, price);
    this.judge(answers, oracles, loanPrices);
    const valued = new Map<Hash, ValuedMarket>();
    const faulty: FaultyMarket[] = [];
    const assets = new Map<Address, Asset>();
    for (const market of served) {
      const one = this.valuedMarket(market, answers, oracles.get(market.params.oracle));
      if (typeof one === 'string') {
        const pair = `${market.collateral.symbol}/${market.loan.symbol}`;
        faulty.push({ marketId: market.id, pair, reason: one });
        continue;
      }
      valued.set(market.id, one);
      if (!assets.has(market.loan.address)) assets.set(market.loan.address, one.debt);
      if (!assets.has(market.collateral.address)) assets.set(market.collateral.address, one.collateral);
    }
    this.assets = assets;
    const { name: protocol, morpho } = this.settings;
    return {
      valued,
      faulty,
      priceUsd8: (asset) => loanPrices.get(asset) ?? assets.get(asset)?.priceUsd8,
      atRisk: (view, limits) => positionsAtRisk({ protocol, morpho }, view, limits),
    };
  }

  /** Of these positions, those whose exact health factor is below this. */
  below(
    healthFactorWad: bigint,
    positions: readonly TablePosition[],
    valued: ReadonlyMap<Hash, ValuedMarket>,
  ): ValuedPosition[] {
    return positions.flatMap((one): ValuedPosition[] => {
      const market = valued.get(one.marketId);
      if (!market) return [];
      const health = healthOf(market.totals, one.position, market.price, market.lltvWad);
      return health.healthFactorWad < healthFactorWad ? [{ ...one, health }] : [];
    });
  }

  /** The same answers again, with more accounts, are not another block: they are not judged again. */
  private judge(answers: BlueAnswers, oracles: ReadonlyMap<Address, OraclePrice>, loans: Prices): void {
    if (this.judged?.by === answers) return;
    const prices = new Map([
      ...loans,
      ...[...oracles].map(([oracle, { price }]) => [oracle, price] as const),
    ]);
    this.judged = { by: answers, prices, jumped: this.guard.jumped(this.judged?.prices, prices) };
  }

  /** Or why there is none: a price, or the rate of an asked rate model, is missing. */
  private valuedMarket(
    market: FollowedMarket,
    answers: BlueAnswers,
    oracle: OraclePrice | undefined,
  ): ValuedMarket | UnservedReason {
    const loanPrice = this.prices.loanPrice(market.loan.address, answers);
    const asked = answers.rates.get(market.id);
    // The rate was asked of the market as it was before the block: another market has another rate.
    const askedRateWad = asked?.of === market.totals ? asked.rateWad : undefined;
    if (!oracle) return this.prices.faultOf(market.params.oracle, answers);
    if (!loanPrice) return 'loan-token-without-price';
    if (market.rate.kind === 'asked' && askedRateWad === undefined) return 'rate-unknown';
    const { collateral, loan } = market;
    const collateralUsd8 = mulDivFloor(
      oracle.price * unitOf(collateral.decimals),
      loanPrice.priceUsd8,
      ORACLE_PRICE_SCALE * unitOf(loan.decimals),
    );
    if (collateralUsd8 === 0n) return 'collateral-worthless';
    const by = { oracle, loan: loanPrice, collateralUsd8, jumped: this.judged?.jumped ?? NOTHING };
    return new ValuedMarket(market, answers.timestamp, by, askedRateWad);
  }
}
