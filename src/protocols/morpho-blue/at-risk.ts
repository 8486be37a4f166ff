import type { AtRisk, JudgedPrice, SizeLimits, WorthOfPair } from '../../domain/at-risk.js';
import { rejected, type Rejection } from '../../domain/decision.js';
import type { Address, Hash } from '../../domain/hex.js';
import { costUsd8, valueUsd8 } from '../../domain/money.js';
import { OPEN_NOW, type Schedule } from '../../domain/schedule.js';
import type { MarketView } from '../lending-market.js';
import { isBoundedByLimit, liquidationPair, MORPHO_BLUE, type MorphoBluePair } from './candidates.js';
import type { Markets } from './followed-market.js';
import { isLiquidatable, type PositionHealth } from './health.js';
import type { BluePosition } from './market.js';
import { liquidationIncentive } from './math.js';
import type { TablePosition } from './position-table.js';
import type { ValuedMarket } from './valued-market.js';

/** One position at the block of the view. */
export interface ValuedPosition extends TablePosition {
  readonly health: PositionHealth;
}

/** A position that interest alone opens. */
export interface BlueOpening extends ValuedPosition {
  /** Seconds since the epoch. */
  readonly opensAt: number;
  /** Its market at that time, with the prices of the view. */
  readonly valued: ValuedMarket;
}

/** Morpho Blue at one block. */
export interface MorphoBlueView extends MarketView {
  readonly timestamp: number;
  readonly markets: Markets;
  /** The markets that have a price. */
  readonly valued: ReadonlyMap<Hash, ValuedMarket>;
  /** Positions that may be liquidated. */
  readonly positions: readonly ValuedPosition[];
}

/** Of which contract the positions are. */
export interface Origin {
  readonly protocol: string;
  readonly morpho: Address;
}

/** The positions that are at risk, each market of a borrower by itself. Exact. */
export function* positionsAtRisk(
  { protocol, morpho }: Origin,
  { valued, positions, timestamp }: Pick<MorphoBlueView, 'valued' | 'positions' | 'timestamp'>,
  limits: SizeLimits,
): Generator<AtRisk, void, undefined> {
  for (const one of positions) {
    const { borrower, marketId, health } = one;
    const identity = { protocol, market: morpho, marketId, borrower };
    const market = valued.get(marketId);
    if (market && isLiquidatable(health))
      yield new PositionAtRisk(identity, one.position, health, market, timestamp, limits);
  }
}

/** Those that interest opens soon, each as it will be when it opens. */
export function* positionsAboutToOpen(
  { protocol, morpho: market }: Origin,
  openings: readonly BlueOpening[],
  limits: SizeLimits,
): Generator<AtRisk, void, undefined> {
  for (const { borrower, marketId, position, health, opensAt, valued } of openings) {
    const identity = { protocol, market, marketId, borrower };
    const schedule = { ...OPEN_NOW, opensAt };
    yield new PositionAtRisk(identity, position, health, valued, opensAt, limits, schedule);
  }
}

class PositionAtRisk implements AtRisk {
  readonly protocol: string;
  readonly market: Address;
  readonly marketId: Hash;
  readonly borrower: Address;
  private known: MorphoBluePair | undefined;

  constructor(
    {
      protocol,
      market,
      marketId,
      borrower,
    }: Pick<AtRisk, 'protocol' | 'market' | 'borrower'> & { marketId: Hash },
    private readonly position: BluePosition,
    private readonly health: PositionHealth,
    private readonly valued: ValuedMarket,
    private readonly timestamp: number,
    private readonly limits: SizeLimits,
    readonly schedule: Schedule = OPEN_NOW,
  ) {
    this.protocol = protocol;
    this.market = market;
    this.marketId = marketId;
    this.borrower = borrower;
  }

  get healthFactorWad(): bigint {
    return this.health.healthFactorWad;
  }

  get totalCollateralUsd8(): bigint {
    return valueUsd8(this.position.collateral, this.valued.collateral);
  }

  get totalDebtUsd8(): bigint {
    return costUsd8(this.health.borrowed, this.valued.debt);
  }

  get debts(): AtRisk['debts'] {
    return [{ asset: this.valued.debt.address, amount: this.health.borrowed }];
  }

  get prices(): readonly JudgedPrice[] {
    return this.valued.judgedPrices;
  }

  get obstacle(): Rejection | undefined {
    return this.position.collateral === 0n ? rejected('no-collateral') : undefined;
  }

  get pairs(): AtRisk['pairs'] {
    return this.obstacle ? [] : [this.pair];
  }

  get limited(): boolean {
    return !this.obstacle && isBoundedByLimit(this.pair.terms, this.limits);
  }

  worthAtMost(worthOf: WorthOfPair): number {
    const { collateral, debt, lltvWad } = this.valued;
    const incentive = Number(liquidationIncentive(lltvWad)) / 1e18;
    const collateralUsd8 = Number(this.totalCollateralUsd8);
    const mostUsd8 = Math.min(Number(this.totalDebtUsd8), Number(this.limits.maxNotionalUsd8));
    const coveredUsd8 = Math.min(mostUsd8, collateralUsd8 / incentive);
    return worthOf(collateral, debt, coveredUsd8 * incentive, coveredUsd8);
  }

  private get pair(): MorphoBluePair {
    return (this.known ??= this.computed());
  }

  private computed(): MorphoBluePair {
    const { market, totals, price, lltvWad, collateral, debt } = this.valued;
    const later = this.timestamp + this.limits.fundingHorizonSeconds;
    return liquidationPair({
      kind: MORPHO_BLUE,
      marketId: this.marketId,
      oracle: market.params.oracle,
      irm: market.params.irm,
      ...{ lltvWad, collateral, debt, position: this.position, price, totals },
      laterTotals: this.valued.at(later).totals,
      maxNotionalUsd8: this.limits.maxNotionalUsd8,
    });
  }
}
