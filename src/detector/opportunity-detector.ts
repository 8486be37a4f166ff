import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import type { AtRisk, SizeLimits } from '../domain/at-risk.js';
import { rejected, type Rejection } from '../domain/decision.js';
import { chainDescription } from '../domain/chain-description.js';
import { Clock } from '../domain/clock.js';
import { max, valueUsd8 } from '../domain/money.js';
import type { LiquidationCandidate, LiquidationPair, Opportunity } from '../domain/opportunity.js';
import { PLAN_LIFETIME_SECONDS } from '../domain/plan.js';
import { positionIdOf, type PositionId } from '../domain/position-id.js';
import type { Schedule } from '../domain/schedule.js';
import { FeedBook } from '../oracles/feed-book.js';
import { nativePriceObjection } from '../oracles/native-price.js';
import { PriceGuard } from '../oracles/price-guard.js';
import { LendingMarkets, type MarketView } from '../protocols/lending-market.js';
import { DoubtedPositions } from '../state/doubted-positions.js';
import type { StateView } from '../state/state-view.js';

/** What the detector says of one position with a health factor below 1. */
export type Detection =
  | { readonly kind: 'opportunity'; readonly opportunity: Opportunity }
  | (Rejection &
      PositionId & {
        readonly protocol: string;
        /** Undefined when a price is missing, so that it cannot be known. */
        readonly healthFactorWad: bigint | undefined;
      });

/** The positions of a view with a health factor below 1. Each is looked at when it is inspected. */
export interface Detecting {
  readonly positions: readonly AtRisk[];
  inspect(position: AtRisk): Detection;
}

/**
 * State to opportunities: exact health factors, and a reason for every position below 1 that is left alone.
 */
@Injectable()
export class OpportunityDetector {
  constructor(
    private readonly markets: LendingMarkets,
    private readonly feeds: FeedBook,
    private readonly guard: PriceGuard,
    private readonly config: ChimeraConfig,
    private readonly doubts: DoubtedPositions = new DoubtedPositions(new Clock()),
  ) {}

  /**
   * Little is computed before a position is inspected: in a crash not all of them are in one block.
   *
   * @param maxNotionalUsd8 the most debt, by value, that one liquidation may cover now.
   */
  look(view: StateView, maxNotionalUsd8: bigint): Detecting {
    return this.detecting(view, maxNotionalUsd8, view.nextTimestamp, (market, limits) =>
      openNext(market, limits, view),
    );
  }

  /**
   * The positions that interest alone opens in the block after the next one: a plan for them leaves with the
   * next head. As they will be then, with the prices of now.
   */
  lookAhead(view: StateView, maxNotionalUsd8: bigint): Detecting {
    return this.detecting(view, maxNotionalUsd8, view.laterTimestamp, (market, limits) =>
      openLater(market, limits, view),
    );
  }

  /** @param blockTime of the block for which plans are made: seconds since the epoch. */
  private detecting(
    view: StateView,
    maxNotionalUsd8: bigint,
    blockTime: number,
    positionsOf: (market: MarketView, limits: SizeLimits) => Iterable<AtRisk>,
  ): Detecting {
    const limits = { maxNotionalUsd8, fundingHorizonSeconds: PLAN_LIFETIME_SECONDS };
    const nativeObjection = this.nativeObjection(view);
    return {
      positions: this.markets.all.flatMap((market) => [...positionsOf(view.of(market), limits)]),
      inspect: (position) => {
        const result = this.inspect(
          position,
          { block: view.block, blockTime },
          maxNotionalUsd8,
          nativeObjection,
        );
        if (!('reason' in result)) return { kind: 'opportunity', opportunity: result };
        const { protocol, healthFactorWad } = position;
        return { ...result, protocol, ...positionIdOf(position), healthFactorWad };
      },
    };
  }

  /** What the oracles of the markets that have it say of the wrapped native token, USD8. */
  marketNativePricesUsd8(view: StateView): readonly bigint[] {
    const { wrappedNative } = chainDescription(this.config.network.chainId);
    return this.markets.all.flatMap((market) => view.of(market).priceUsd8(wrappedNative) ?? []);
  }

  /** Gas, fees and the bid are valued with the price of the native token. */
  private nativeObjection(view: StateView): Rejection | undefined {
    const { native, nativeJumped } = view.of(this.feeds);
    const prices = this.marketNativePricesUsd8(view);
    const price = { symbol: 'native', updatedAt: native?.updatedAt, jumped: nativeJumped };
    return nativePriceObjection(native, prices) ?? this.guard.objection(price, view.block.timestamp);
  }

  private inspect(
    position: AtRisk,
    { block, blockTime }: Pick<StateView, 'block'> & { readonly blockTime: number },
    maxNotionalUsd8: bigint,
    nativeObjection: Rejection | undefined,
  ): Opportunity | Rejection {
    const { healthFactorWad, prices, obstacle, limited } = position;
    if (healthFactorWad === undefined) return obstacle ?? rejected('price-missing');
    if (this.doubts.isSetAside(position.protocol, position.borrower)) return rejected('set-aside');
    if (nativeObjection) return nativeObjection;
    for (const price of prices) {
      const objection = this.guard.objection(price, block.timestamp);
      if (objection) return objection;
    }
    const closed = scheduleObjection(position.schedule, blockTime);
    if (closed) return closed;
    if (obstacle) return obstacle;

    const pairs = position.pairs.filter(({ candidates }) => candidates.length > 0);
    const bonusUsd8 = largestBonusUsd8(pairs);
    if (bonusUsd8 === undefined) {
      if (!limited) return rejected('no-collateral');
      const reason = maxNotionalUsd8 === 0n ? 'daily-volume-reached' : 'notional-above-limit';
      return rejected(reason, { headroomUsd8: String(maxNotionalUsd8) });
    }
    const { minProfitUsd8 } = this.config.planner;
    if (bonusUsd8 < minProfitUsd8)
      return rejected('bonus-below-floor', {
        bonusUsd8: String(bonusUsd8),
        floorUsd8: String(minProfitUsd8),
      });
    const { protocol, schedule, totalCollateralUsd8, totalDebtUsd8 } = position;
    const totals = { healthFactorWad, totalCollateralUsd8, totalDebtUsd8 };
    return { protocol, ...positionIdOf(position), block, schedule, ...totals, pairs };
  }
}

/** Why the position is not open to our own call in a block of this time. */
function scheduleObjection({ opensAt, doors }: Schedule, blockTime: number): Rejection | undefined {
  if (!doors.some(({ kind }) => kind === 'direct')) {
    const wrappers = doors.flatMap((door) => (door.kind === 'oev-wrapper' ? [door.wrapper] : []));
    if (wrappers.length > 0) return rejected('only-through-wrapper', { wrapper: wrappers.join(', ') });
    const contracts = doors.flatMap((door) => (door.kind === 'pre-liquidation' ? [door.contract] : []));
    return rejected('only-through-pre-liquidation', { contract: contracts.join(', ') });
  }
  return opensAt > blockTime
    ? rejected('not-open-yet', { opensAt: String(opensAt), nextBlockTime: String(blockTime) })
    : undefined;
}

/** What is at risk, and what interest alone opens in the next block. */
function* openNext(
  market: MarketView,
  limits: SizeLimits,
  { nextTimestamp }: StateView,
): Generator<AtRisk, void, undefined> {
  yield* market.atRisk(limits);
  for (const position of market.aboutToOpen(limits)) {
    if (position.schedule.opensAt > nextTimestamp) return;
    yield position;
  }
}

/** What interest alone opens in the block after the next one. */
function* openLater(
  market: MarketView,
  limits: SizeLimits,
  { nextTimestamp, laterTimestamp }: StateView,
): Generator<AtRisk, void, undefined> {
  for (const position of market.aboutToOpen(limits)) {
    const { opensAt } = position.schedule;
    if (opensAt > laterTimestamp) return;
    if (opensAt > nextTimestamp) yield position;
  }
}

/** The best that any pair could give if swapping were free: an upper bound of the profit. */
function largestBonusUsd8(pairs: readonly LiquidationPair[]): bigint | undefined {
  const bonuses = pairs.flatMap((pair) => pair.candidates.map(bonusUsd8));
  return bonuses.length === 0 ? undefined : bonuses.reduce(max);
}

/**
 * What the liquidator would keep if the swap were free: value seized less value covered, USD8; may be
 * negative.
 */
function bonusUsd8({ collateral, collateralSeized, debt, debtToCover }: LiquidationCandidate): bigint {
  return valueUsd8(collateralSeized, collateral) - valueUsd8(debtToCover, debt);
}
