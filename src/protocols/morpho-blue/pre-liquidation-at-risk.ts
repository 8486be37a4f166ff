import type { AtRisk, JudgedPrice, SizeLimits, WorthOfPair } from '../../domain/at-risk.js';
import type { Address, Hash } from '../../domain/hex.js';
import { costUsd8, min, mulDivFloor, valueUsd8 } from '../../domain/money.js';
import type { Schedule } from '../../domain/schedule.js';
import type { Origin } from './at-risk.js';
import { healthOf, isLiquidatable } from './health.js';
import type { BluePosition } from './market.js';
import {
  preSeizedFor,
  type PreLiquidation,
  type PreLiquidationInputs,
  type PreLiquidationTerms,
} from './pre-liquidation.js';
import { toAssetsUp } from './math.js';
import type { ValuedMarket } from './valued-market.js';

/** A contract that may take a part of a position now. */
export interface OpenPreLiquidation {
  readonly by: PreLiquidation;
  readonly inputs: PreLiquidationInputs;
  readonly terms: PreLiquidationTerms;
}

/** A position between the two limits, with every contract that it has authorised and that is open. */
export interface PreLiquidatable {
  readonly borrower: Address;
  readonly marketId: Hash;
  readonly position: BluePosition;
  readonly valued: ValuedMarket;
  /** At least one; the one with the highest incentive first. */
  readonly open: readonly [OpenPreLiquidation, ...OpenPreLiquidation[]];
}

/**
 * These positions, as the detector looks at them. The health factor is that of the contract: its own limit
 * over the debt. They have no pairs, because our contract does not call pre-liquidation contracts.
 */
export function preLiquidationsAtRisk(
  { protocol, morpho }: Origin,
  found: readonly PreLiquidatable[],
  limits: SizeLimits,
): AtRisk[] {
  return found.map((one) => new PreLiquidationAtRisk(protocol, morpho, one, limits));
}

class PreLiquidationAtRisk implements AtRisk {
  readonly marketId: Hash;
  readonly borrower: Address;
  readonly schedule: Schedule;
  readonly obstacle = undefined;
  readonly pairs = [];
  readonly limited = false;

  constructor(
    readonly protocol: string,
    readonly market: Address,
    private readonly one: PreLiquidatable,
    private readonly limits: SizeLimits,
  ) {
    this.marketId = one.marketId;
    this.borrower = one.borrower;
    const doors = one.open.map(({ by: { contract } }) => ({ kind: 'pre-liquidation', contract }) as const);
    this.schedule = { opensAt: 0, doors };
  }

  get healthFactorWad(): bigint {
    const { by, inputs } = this.best;
    return healthOf(inputs.totals, inputs.position, inputs.price, by.preLltvWad).healthFactorWad;
  }

  get totalCollateralUsd8(): bigint {
    return valueUsd8(this.one.position.collateral, this.one.valued.collateral);
  }

  get totalDebtUsd8(): bigint {
    return costUsd8(this.owed(this.one.position.borrowShares), this.one.valued.debt);
  }

  get debts(): AtRisk['debts'] {
    return [{ asset: this.one.valued.debt.address, amount: this.owed(this.one.position.borrowShares) }];
  }

  get prices(): readonly JudgedPrice[] {
    return this.one.valued.judgedPrices;
  }

  worthAtMost(worthOf: WorthOfPair): number {
    const { inputs, terms } = this.best;
    const { collateral, debt } = this.one.valued;
    const repaid = min(terms.repayableShares, inputs.position.borrowShares);
    const coveredUsd8 = costUsd8(this.owed(repaid), debt);
    if (coveredUsd8 === 0n) return 0;
    const mostUsd8 = min(coveredUsd8, this.limits.maxNotionalUsd8);
    const seized = min(preSeizedFor(repaid, inputs, terms), inputs.position.collateral);
    const seizedUsd8 = mulDivFloor(valueUsd8(seized, collateral), mostUsd8, coveredUsd8);
    return worthOf(collateral, debt, Number(seizedUsd8), Number(mostUsd8));
  }

  private get best(): OpenPreLiquidation {
    return this.one.open[0];
  }

  private owed(shares: bigint): bigint {
    const { borrowAssets, borrowShares } = this.best.inputs.totals;
    return toAssetsUp(shares, borrowAssets, borrowShares);
  }
}

/** Whether the debt is above this share of the collateral: rounded as Morpho does. */
export function isAbove(valued: ValuedMarket, position: BluePosition, limitWad: bigint): boolean {
  return isLiquidatable(healthOf(valued.totals, position, valued.price, limitWad));
}
