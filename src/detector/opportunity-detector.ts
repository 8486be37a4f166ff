import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { rejected, type Rejection } from '../domain/decision.js';
import type { Address } from '../domain/hex.js';
import { max } from '../domain/money.js';
import type { LiquidationPair, Opportunity } from '../domain/opportunity.js';
import { PLAN_LIFETIME_SECONDS } from '../domain/plan.js';
import { PriceGuard } from '../oracles/price-guard.js';
import { bonusUsd8, liquidationPairs } from '../protocols/aave-v3/candidates.js';
import { isLiquidatable, type AccountData, type ValuedLeg } from '../protocols/aave-v3/health.js';
import type { MarketView, Position, StateView } from '../state/state-view.js';

/** What the detector says of one position with a health factor below 1. */
export type Detection =
  | { readonly kind: 'opportunity'; readonly opportunity: Opportunity }
  | (Rejection & {
      readonly protocol: string;
      readonly borrower: Address;
      /** Undefined when a price is missing, so that it cannot be known. */
      readonly healthFactorWad: bigint | undefined;
    });

const SENTINEL_EXEMPT_BELOW_WAD = (10n ** 18n * 95n) / 100n;

/** State to opportunities: exact health factors, and a reason for every position below 1 that is left alone. */
@Injectable()
export class OpportunityDetector {
  constructor(
    private readonly guard: PriceGuard,
    private readonly config: ChimeraConfig,
  ) {}

  /** @param maxNotionalUsd8 the most debt, by value, that one liquidation may cover now. */
  detect(view: StateView, maxNotionalUsd8: bigint): Detection[] {
    const detections: Detection[] = [];
    for (const market of view.markets) {
      for (const position of market.positions.values()) {
        const detection = this.inspect(view, market, position, maxNotionalUsd8);
        if (detection) detections.push(detection);
      }
    }
    return detections;
  }

  private inspect(
    view: StateView,
    { market, conditions, jumped, priceTimes }: MarketView,
    { account, data }: Position,
    maxNotionalUsd8: bigint,
  ): Detection | undefined {
    const no = (rejection: Rejection, healthFactorWad?: bigint): Detection => ({
      ...rejection,
      protocol: market.name,
      borrower: account.address,
      healthFactorWad,
    });
    if ('priceMissing' in data) return no(rejected('price-missing', { asset: data.priceMissing.symbol }));
    const { healthFactorWad } = data;
    if (!isLiquidatable(healthFactorWad)) return undefined;

    // Gas, fees and the bid are valued with it.
    const native = { symbol: 'native', updatedAt: view.nativePriceTime, jumped: false };
    const nativeObjection = this.guard.objection(native, conditions.timestamp);
    if (nativeObjection) return no(nativeObjection, healthFactorWad);
    for (const { reserve } of data.legs) {
      const price = {
        symbol: reserve.symbol,
        updatedAt: priceTimes.get(reserve.asset),
        jumped: jumped.has(reserve.asset),
      };
      const objection = this.guard.objection(price, conditions.timestamp);
      if (objection) return no(objection, healthFactorWad);
    }
    if (!conditions.sentinelAllows && healthFactorWad >= SENTINEL_EXEMPT_BELOW_WAD)
      return no(rejected('sequencer-grace'), healthFactorWad);

    const usable = usableLegs(data, conditions.timestamp);
    if ('kind' in usable) return no(usable, healthFactorWad);
    const possible = liquidationPairs(market.rules, usable, conditions.timestamp, {
      maxNotionalUsd8,
      fundingHorizonSeconds: PLAN_LIFETIME_SECONDS,
    });
    const pairs = possible.filter((pair) => pair.candidates.length > 0);
    const bonus = largestBonusUsd8(pairs);
    if (bonus === undefined) {
      if (!possible.some((pair) => pair.aboveLimit)) return no(rejected('no-collateral'), healthFactorWad);
      const reason = maxNotionalUsd8 === 0n ? 'daily-volume-reached' : 'notional-above-limit';
      return no(rejected(reason, { headroomUsd8: String(maxNotionalUsd8) }), healthFactorWad);
    }
    if (bonus < this.config.planner.minProfitUsd8) {
      const detail = { bonusUsd8: String(bonus), floorUsd8: String(this.config.planner.minProfitUsd8) };
      return no(rejected('bonus-below-floor', detail), healthFactorWad);
    }
    return {
      kind: 'opportunity',
      opportunity: {
        protocol: market.name,
        market: market.pool,
        borrower: account.address,
        block: view.block,
        healthFactorWad,
        totalCollateralUsd8: data.totalCollateralUsd8,
        totalDebtUsd8: data.totalDebtUsd8,
        pairs,
      },
    };
  }
}

/** The position without the legs that cannot be part of a liquidation now, or why nothing of it can. */
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

/** The best any pair could give if swapping were free: an upper bound of the profit. */
function largestBonusUsd8(pairs: readonly LiquidationPair[]): bigint | undefined {
  const bonuses = pairs.flatMap((pair) => pair.candidates.map(bonusUsd8));
  return bonuses.length === 0 ? undefined : bonuses.reduce(max);
}
