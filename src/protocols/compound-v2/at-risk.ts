import type { AtRisk, JudgedPrice, SizeLimits, WorthOfPair } from '../../domain/at-risk.js';
import { rejected, type Rejection } from '../../domain/decision.js';
import type { Address } from '../../domain/hex.js';
import { UINT256_MAX } from '../../domain/money.js';
import type { Asset } from '../../domain/opportunity.js';
import { OPEN_NOW, type Schedule } from '../../domain/schedule.js';
import type { MarketView } from '../lending-market.js';
import { isBoundedByLimit, liquidationPairs } from './candidates.js';
import {
  collateralsOf,
  debtsOf,
  liquidityOfPairs,
  lowestHealthFactor,
  positionOf,
  type Position,
  type PositionLeg,
  type PriceMissing,
} from './health.js';
import { isPairOpen } from './liquidation.js';
import {
  borrowBalance,
  exchangeRate,
  priceUsd8Of,
  valueAt,
  type CompoundAccount,
  type CompoundMarket,
  type MarketConditions,
} from './market.js';
import { mulScalarTruncate } from './math.js';

/** One borrower at the block of the view. */
export interface CompoundPosition {
  readonly account: CompoundAccount;
  readonly data: Position | PriceMissing;
  /** The wrapper that opens it at a price which the market does not use yet; undefined: it is open. */
  readonly wrapper: Address | undefined;
}

/** A position that interest alone opens. */
export interface CompoundOpening {
  readonly account: CompoundAccount;
  /** Seconds since the epoch. */
  readonly opensAt: number;
  /** {@link MarketConditions.at} of that time. */
  readonly at: bigint;
}

/** What decides about the positions of a view. */
export interface ViewData {
  readonly market: CompoundMarket;
  readonly conditions: MarketConditions;
  /** By the id of the mToken: seconds since the epoch. */
  readonly priceTimes: ReadonlyMap<number, number>;
  /** Assets whose price moved more than the guard allows since the previous block. */
  readonly jumped: ReadonlySet<Address>;
  /** Positions that may be liquidated, and those with a price missing, by borrower. */
  readonly positions: ReadonlyMap<Address, CompoundPosition>;
  /** Positions that interest alone opens soon, the earliest first. */
  readonly openingSoon: readonly CompoundOpening[];
}

/** A Comptroller and its markets at one block. */
export interface CompoundMarketView extends MarketView, ViewData {}

/** The view's positions that are at risk, with what may be done about each. */
export function* positionsAtRisk(view: ViewData, limits: SizeLimits): Generator<AtRisk, void, undefined> {
  for (const { account, data, wrapper } of view.positions.values()) {
    if ('priceMissing' in data) yield unpriced(account.address, data, view);
    else if (opens(data)) yield new PositionAtRisk(account.address, data, scheduleOf(wrapper), view, limits);
  }
}

/** The view's positions that interest opens soon, each as it will be when it opens. */
export function* positionsAboutToOpen(
  view: ViewData,
  limits: SizeLimits,
): Generator<AtRisk, void, undefined> {
  for (const { account, opensAt, at } of view.openingSoon) {
    const conditions = { ...view.conditions, at };
    const data = positionOf(view.market, account, conditions);
    if ('priceMissing' in data || !opens(data)) continue;
    const schedule = { ...OPEN_NOW, opensAt };
    yield new PositionAtRisk(account.address, data, schedule, { ...view, conditions }, limits);
  }
}

function scheduleOf(wrapper: Address | undefined): Schedule {
  return wrapper ? { opensAt: 0, doors: [{ kind: 'oev-wrapper', wrapper }] } : OPEN_NOW;
}

/** Whether a liquidation of any pair is allowed, also of one that our contract cannot pay for. */
export function opens(position: Position): boolean {
  const liquidity = liquidityOfPairs(position);
  const collaterals = collateralsOf(position);
  return debtsOf(position).some((debt) =>
    collaterals.some((collateral) => isPairOpen(debt, collateral, liquidity)),
  );
}

function unpriced(borrower: Address, { priceMissing }: PriceMissing, { market }: ViewData): AtRisk {
  return {
    ...{ protocol: market.name, market: market.comptroller, borrower, schedule: OPEN_NOW },
    healthFactorWad: undefined,
    totalCollateralUsd8: 0n,
    totalDebtUsd8: 0n,
    debts: [],
    worthAtMost: () => 0,
    prices: [],
    obstacle: rejected('price-missing', { asset: priceMissing.symbol }),
    pairs: [],
    limited: false,
  };
}

type Actions = Pick<AtRisk, 'obstacle' | 'pairs' | 'limited'>;

/** A position with a price for each market that it has entered. */
class PositionAtRisk implements AtRisk {
  private known: Actions | undefined;

  constructor(
    readonly borrower: Address,
    private readonly position: Position,
    readonly schedule: Schedule,
    private readonly view: ViewData,
    private readonly limits: SizeLimits,
  ) {}

  get protocol(): string {
    return this.view.market.name;
  }

  get market(): Address {
    return this.view.market.comptroller;
  }

  /** The lowest over its pairs. */
  get healthFactorWad(): bigint {
    const lowest = lowestHealthFactor(this.position);
    return lowest === UINT256_MAX ? 0n : lowest;
  }

  /** Of all that may be seized. */
  get totalCollateralUsd8(): bigint {
    return collateralsOf(this.position).reduce((sum, leg) => sum + collateralUsd8(leg), 0n);
  }

  get totalDebtUsd8(): bigint {
    return debtsOf(this.position).reduce((sum, leg) => sum + debtUsd8(leg), 0n);
  }

  get debts(): AtRisk['debts'] {
    return debtsOf(this.position).map((leg) => ({
      asset: leg.asset,
      amount: borrowBalance(leg, leg.accrued),
    }));
  }

  get prices(): readonly JudgedPrice[] {
    const { market, priceTimes, jumped } = this.view;
    const ids = new Map([...market.mTokens.values()].map(({ address, id }) => [address, id]));
    return this.position.legs.map(({ mToken, asset, symbol }) => ({
      symbol,
      updatedAt: priceTimes.get(ids.get(mToken) ?? -1),
      jumped: jumped.has(asset),
    }));
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
    const { closeFactorWad, incentiveWad } = this.position;
    const limitUsd8 = Number(this.limits.maxNotionalUsd8);
    const assets = new Map(pricedAssets(this.view).map((asset) => [asset.address, asset]));
    let best = 0;
    for (const debt of debtsOf(this.position)) {
      if (debt.isNative) continue;
      const share = debt.deprecated ? 1 : Number(closeFactorWad) / 1e18;
      for (const collateral of collateralsOf(this.position)) {
        const [seized, covered] = [assets.get(collateral.asset), assets.get(debt.asset)];
        if (!seized || !covered) continue;
        const incentive = Number(incentiveWad) / 1e18;
        const most = Math.min(Number(debtUsd8(debt)) * share, limitUsd8);
        const coveredUsd8 = Math.min(most, Number(collateralUsd8(collateral)) / incentive);
        const kept = 1 - Number(collateral.seizeShareWad) / 1e18;
        best = Math.max(best, worthOf(seized, covered, coveredUsd8 * incentive * kept, coveredUsd8));
      }
    }
    return best;
  }

  private get actions(): Actions {
    return (this.known ??= this.possible());
  }

  private possible(): Actions {
    const none = (obstacle: Rejection): Actions => ({ obstacle, pairs: [], limited: false });
    if (this.view.market.seizePaused) return none(rejected('reserve-paused', { asset: 'all' }));
    const pairs = liquidationPairs(this.position, this.limits.maxNotionalUsd8);
    if (pairs.length === 0) {
      const native = debtsOf(this.position).find(({ isNative }) => isNative);
      return none(native ? rejected('debt-in-native', { asset: native.symbol }) : rejected('no-collateral'));
    }
    return { obstacle: undefined, pairs, limited: pairs.some((pair) => isBoundedByLimit(pair)) };
  }
}

function collateralUsd8({ tokens, accrued, price }: PositionLeg): bigint {
  return valueAt(mulScalarTruncate(exchangeRate(accrued), tokens), price);
}

function debtUsd8(leg: PositionLeg): bigint {
  return valueAt(borrowBalance(leg, leg.accrued), leg.price);
}

/** The assets of all markets that have a price, each once. */
export function pricedAssets({ market, conditions }: Pick<ViewData, 'market' | 'conditions'>): Asset[] {
  const assets = new Map<Address, Asset>();
  for (const { id, asset: address, symbol, decimals } of market.mTokens.values()) {
    const price = conditions.prices.get(id);
    if (price !== undefined && !assets.has(address))
      assets.set(address, { address, symbol, decimals, priceUsd8: priceUsd8Of(price, decimals) });
  }
  return [...assets.values()];
}
