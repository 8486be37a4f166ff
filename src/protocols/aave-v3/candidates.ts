import type { Asset, LiquidationCandidate, LiquidationPair, Sizing } from '../../domain/opportunity.js';
import { amountWithin, mulDivCeil, valueUsd8 } from '../../domain/money.js';
import type { AccountData, ValuedLeg } from './health.js';
import {
  debtThatSeizes,
  largestLeavingMinimum,
  liquidationResult,
  maxLiquidatableDebt,
  type LiquidationPairData,
  type LiquidationResult,
} from './liquidation.js';
import { borrowIndexAt, liquidityIndexAt, type Reserve } from './market.js';
import type { LiquidationRules } from './versions.js';

export interface CandidateOptions {
  /** The most debt, by value, that may be covered now. */
  readonly maxNotionalUsd8: bigint;
  /** Seconds for which the funded amount must stay sufficient although interest accrues. */
  readonly fundingHorizonSeconds: number;
}

/** A (collateral, debt) choice of one position, able to size any amount by the protocol's own maths. */
export class AaveLiquidationPair implements LiquidationPair {
  readonly candidates: readonly LiquidationCandidate[];

  constructor(
    readonly data: LiquidationPairData,
    private readonly options: CandidateOptions,
  ) {
    this.candidates = this.edges();
  }

  /** Whether the operator's limit, rather than the protocol, bounds what may be covered. */
  get aboveLimit(): boolean {
    return (
      maxLiquidatableDebt(this.data) > amountWithin(this.options.maxNotionalUsd8, pricedAsset(this.data.debt))
    );
  }

  /**
   * The amounts on which the best profit can lie: everything the close factor allows, the most that leaves the
   * protocol's minimum behind, and the operator's limit when that is less. Amounts that would revert are left out.
   */
  private edges(): LiquidationCandidate[] {
    const cap = maxLiquidatableDebt(this.data);
    const limit = amountWithin(this.options.maxNotionalUsd8, pricedAsset(this.data.debt));
    const leavingMinimum = largestLeavingMinimum(this.data);
    const found: LiquidationCandidate[] = [];
    const add = (amount: bigint | undefined, sizing: Sizing): void => {
      if (amount === undefined || amount <= 0n) return;
      const candidate = this.sized(amount, sizing);
      if (
        candidate &&
        candidate.debtToCover <= limit &&
        !found.some((c) => c.debtToCover === candidate.debtToCover)
      )
        found.push(candidate);
    };
    add(cap, 'close-factor');
    add(leavingMinimum, 'leaves-minimum');
    if (limit < cap) {
      add(limit, 'notional-limit');
      // The limit itself may leave dust where a smaller amount does not.
      if (leavingMinimum !== undefined && limit > leavingMinimum) add(leavingMinimum, 'notional-limit');
    }
    return found;
  }

  /** The candidate that covers `debtToCover` (debt token units), or undefined where liquidationCall would revert, now or soon. */
  readonly sized = (debtToCover: bigint, sizing: Sizing): LiquidationCandidate | undefined => {
    const result = liquidationResult(this.data, debtToCover);
    if (!result || result.debtCovered <= 0n || result.collateralSeized <= 0n) return undefined;
    const debtToFund = this.funding(result);
    // All collateral now, but by the time of inclusion the close factor would leave a remainder too small to be left.
    if (result.clears === 'collateral' && debtToFund > maxLiquidatableDebt(this.data)) return undefined;
    return {
      collateral: pricedAsset(this.data.collateral),
      debt: pricedAsset(this.data.debt),
      sizing: result.clears === 'none' ? sizing : result.clears === 'debt' ? 'all-debt' : 'all-collateral',
      debtToCover: result.debtCovered,
      debtToFund,
      collateralSeized: result.collateralSeized,
      protocolFee: result.protocolFee,
    };
  };

  /**
   * Clearing a side must still clear it at inclusion, when interest has made that side larger; what the protocol does
   * not take comes back. A partial amount is taken as it is. Rounded up.
   */
  private funding({ debtCovered, clears }: LiquidationResult): bigint {
    const { timestamp, debt, collateral } = this.data;
    const grown = (amount: bigint, indexAt: typeof borrowIndexAt, { indexes }: Reserve): bigint =>
      mulDivCeil(
        amount,
        indexAt(indexes, timestamp + this.options.fundingHorizonSeconds),
        indexAt(indexes, timestamp),
      ) + 1n;
    switch (clears) {
      case 'none':
        return debtCovered;
      case 'debt':
        return grown(debtCovered, borrowIndexAt, debt.reserve);
      case 'collateral':
        return debtThatSeizes(grown(collateral.collateral, liquidityIndexAt, collateral.reserve), this.data);
    }
  }
}

/** Every pair of a collateral leg and a debt leg of the position. */
export function liquidationPairs(
  rules: LiquidationRules,
  position: AccountData,
  timestamp: number,
  options: CandidateOptions,
): AaveLiquidationPair[] {
  const debts = position.legs.filter((leg) => leg.debt > 0n);
  const collaterals = position.legs.filter((leg) => leg.collateral > 0n);
  return collaterals.flatMap((collateral) =>
    debts.map((debt) => new AaveLiquidationPair({ rules, position, collateral, debt, timestamp }, options)),
  );
}

/** What the liquidator would keep if the swap were free: value seized less value covered, USD8; may be negative. */
export function bonusUsd8(candidate: LiquidationCandidate): bigint {
  return (
    valueUsd8(candidate.collateralSeized, candidate.collateral) -
    valueUsd8(candidate.debtToCover, candidate.debt)
  );
}

function pricedAsset({ reserve, priceUsd8 }: ValuedLeg): Asset {
  return { address: reserve.asset, symbol: reserve.symbol, decimals: reserve.decimals, priceUsd8 };
}
