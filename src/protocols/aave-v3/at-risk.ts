import type { AtRisk, JudgedPrice, SizeLimits, WorthOfPair } from '../../domain/at-risk.js';
import { rejected, type Rejection } from '../../domain/decision.js';
import type { Address } from '../../domain/hex.js';
import { WAD } from '../../domain/money.js';
import type { Asset } from '../../domain/opportunity.js';
import { OPEN_NOW, type Schedule } from '../../domain/schedule.js';
import type { Prices } from '../../oracles/price-guard.js';
import type { MarketView } from '../lending-market.js';
import { isBoundedByLimit, liquidationPairs } from './candidates.js';
import {
  accountData,
  isLiquidatable,
  type AccountData,
  type PriceMissing,
  type ValuedLeg,
} from './health.js';
import { roughLiquidation } from './liquidation.js';
import type { AaveAccount, AaveMarket } from './market.js';
import type { PricedConditions } from './oracle-prices.js';

/** One borrower at the block of the view, with the totals that this bot computes. */
export interface AavePosition {
  readonly account: AaveAccount;
  readonly data: AccountData | PriceMissing;
}

/** An Aave market at one block. */
export interface AaveMarketView extends MarketView, PricedConditions {
  readonly market: AaveMarket;
  /** What the market can pay out of each asset, in its units; absent where that is not known. */
  readonly payables: ReadonlyMap<Address, bigint>;
  /** Assets whose price moved more than the guard allows since the previous block. */
  readonly jumped: ReadonlySet<Address>;
  /** Positions that may be liquidated, and those with a price missing, by borrower. */
  readonly positions: ReadonlyMap<Address, AavePosition>;
  /** Positions that interest alone opens soon, the earliest first. */
  readonly openingSoon: readonly AaveOpening[];
}

/** A position that interest alone opens. */
export interface AaveOpening {
  readonly account: AaveAccount;
  /** Seconds since the epoch. */
  readonly opensAt: number;
}

/** The data of a view, without what is computed of it. */
type ViewData = Omit<AaveMarketView, 'atRisk' | 'aboutToOpen' | 'near' | 'priceUsd8'>;

/**
 * PriceOracleSentinel: below this health factor a liquidation is allowed even during the sequencer's grace
 * period.
 */
const SENTINEL_EXEMPT_BELOW_WAD = (10n ** 18n * 95n) / 100n;

/**
 * The view's positions that are at risk, with what may be done about each. Exact, as {@link AccountData} is.
 */
export function* positionsAtRisk(view: ViewData, limits: SizeLimits): Generator<AtRisk, void, undefined> {
  const assets = assetsOf(view);
  for (const { account, data } of view.positions.values()) {
    if ('priceMissing' in data) {
      yield {
        protocol: view.market.name,
        market: view.market.pool,
        borrower: account.address,
        healthFactorWad: undefined,
        totalCollateralUsd8: 0n,
        totalDebtUsd8: 0n,
        debts: [],
        worthAtMost: () => 0,
        prices: [],
        schedule: OPEN_NOW,
        obstacle: rejected('price-missing', { asset: data.priceMissing.symbol }),
        pairs: [],
        limited: false,
      };
    } else if (isLiquidatable(data.healthFactorWad))
      yield new PositionAtRisk(account.address, data, view, limits, assets);
  }
}

/** The view's positions that interest opens soon, each as it will be when it opens. */
export function* positionsAboutToOpen(
  view: ViewData,
  limits: SizeLimits,
): Generator<AtRisk, void, undefined> {
  const assets = assetsOf(view);
  for (const { account, opensAt } of view.openingSoon) {
    const conditions = { ...view.conditions, timestamp: opensAt };
    const data = accountData(view.market, account, conditions);
    if ('priceMissing' in data || !isLiquidatable(data.healthFactorWad)) continue;
    yield new PositionAtRisk(account.address, data, { ...view, conditions }, limits, assets, {
      ...OPEN_NOW,
      opensAt,
    });
  }
}

function assetsOf({ market, conditions }: ViewData): ReadonlyMap<Address, Asset> {
  return new Map(pricedAssets(market, conditions.prices).map((asset) => [asset.address, asset]));
}

type Actions = Pick<AtRisk, 'obstacle' | 'pairs' | 'limited'>;

/** A position with a price for each of its assets. */
class PositionAtRisk implements AtRisk {
  private known: Actions | undefined;

  constructor(
    readonly borrower: Address,
    private readonly data: AccountData,
    private readonly view: ViewData,
    private readonly limits: SizeLimits,
    private readonly assets: ReadonlyMap<Address, Asset>,
    readonly schedule: Schedule = OPEN_NOW,
  ) {}

  get protocol(): string {
    return this.view.market.name;
  }

  get market(): Address {
    return this.view.market.pool;
  }

  get healthFactorWad(): bigint {
    return this.data.healthFactorWad;
  }

  get totalCollateralUsd8(): bigint {
    return this.data.totalCollateralUsd8;
  }

  get totalDebtUsd8(): bigint {
    return this.data.totalDebtUsd8;
  }

  get debts(): AtRisk['debts'] {
    return this.data.legs.flatMap(({ reserve: { asset }, debt: amount }) =>
      amount === 0n ? [] : [{ asset, amount }],
    );
  }

  get prices(): readonly JudgedPrice[] {
    return pricesOf(this.view, this.data);
  }

  get obstacle(): Rejection | undefined {
    return this.actions.obstacle;
  }

  get pairs(): AtRisk['pairs'] {
    return this.actions.pairs;
  }

  get limited(): boolean {
    return this.actions.limited;
  }

  worthAtMost(worthOf: WorthOfPair): number {
    const { data, assets } = this;
    const limitUsd8 = Number(this.limits.maxNotionalUsd8);
    let best = 0;
    for (const collateral of data.legs) {
      if (collateral.collateral === 0n) continue;
      for (const debt of data.legs) {
        if (debt.debt === 0n) continue;
        const [seizedAsset, coveredAsset] = [
          assets.get(collateral.reserve.asset),
          assets.get(debt.reserve.asset),
        ];
        if (!seizedAsset || !coveredAsset) continue;
        const { seizedUsd8, coveredUsd8 } = roughLiquidation(
          this.view.market.rules,
          data,
          collateral,
          debt,
          limitUsd8,
        );
        best = Math.max(best, worthOf(seizedAsset, coveredAsset, seizedUsd8, coveredUsd8));
      }
    }
    return best;
  }

  private get actions(): Actions {
    return (this.known ??= actionsOn(this.view, this.data, this.limits));
  }
}

function pricesOf({ priceTimes, jumped }: ViewData, { legs }: AccountData): JudgedPrice[] {
  return legs.map(({ reserve: { asset, symbol } }) => ({
    symbol,
    updatedAt: priceTimes.get(asset),
    jumped: jumped.has(asset),
  }));
}

function actionsOn(
  { market, conditions, payables }: ViewData,
  data: AccountData,
  limits: SizeLimits,
): Actions {
  const none = (obstacle: Rejection): Actions => ({
    obstacle,
    pairs: [],
    limited: false,
  });
  if (!conditions.sentinelAllows && data.healthFactorWad >= SENTINEL_EXEMPT_BELOW_WAD)
    return none(rejected('sequencer-grace'));
  const usable = usableLegs(data, conditions.timestamp);
  if ('kind' in usable) return none(usable);
  const liquidatableBelowWad = conditions.sentinelAllows ? WAD : SENTINEL_EXEMPT_BELOW_WAD;
  const options = { ...limits, liquidatableBelowWad };
  const pairs = liquidationPairs(market.rules, usable, conditions.timestamp, options, payables);
  return {
    obstacle: undefined,
    pairs,
    limited: pairs.some((pair) => isBoundedByLimit(pair, limits.maxNotionalUsd8)),
  };
}

/** The position without the legs that cannot be liquidated now, or the reason why none of its legs can. */
function usableLegs(data: AccountData, timestamp: number): AccountData | Rejection {
  const inGrace = ({ reserve }: ValuedLeg): boolean => reserve.gracePeriodUntil >= timestamp;
  const stopped = ({ reserve }: ValuedLeg): boolean => reserve.paused || !reserve.active;
  const legs = data.legs.filter((leg) => !stopped(leg) && !inGrace(leg));
  const bothSides = (of: readonly ValuedLeg[]): boolean =>
    of.some((leg) => leg.collateral > 0n) && of.some((leg) => leg.debt > 0n);
  if (bothSides(legs)) return { ...data, legs };
  if (!bothSides(data.legs)) return rejected('no-collateral');
  const blocking = data.legs.find((leg) => stopped(leg)) ?? data.legs.find((leg) => inGrace(leg));
  const detail = { asset: blocking?.reserve.symbol ?? '' };
  return rejected(data.legs.some((leg) => stopped(leg)) ? 'reserve-paused' : 'grace-period', detail);
}

/** The assets of all reserves, without those that have no price. */
export function pricedAssets({ reserves }: AaveMarket, prices: Prices): Asset[] {
  return [...reserves.values()].flatMap(({ asset: address, symbol, decimals }) => {
    const priceUsd8 = prices.get(address);
    return priceUsd8 === undefined ? [] : [{ address, symbol, decimals, priceUsd8 }];
  });
}
