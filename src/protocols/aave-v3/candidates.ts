import {
  mostSeized,
  type Asset,
  type LiquidationCandidate,
  type LiquidationPair,
  type Sizing,
  type SizingTerms,
} from '../../domain/opportunity.js';
import type { Address } from '../../domain/hex.js';
import { amountWithin, mulDivCeil, valueUsd8, WAD } from '../../domain/money.js';
import type { AccountData, ValuedLeg } from './health.js';
import {
  AAVE_V3,
  debtThatSeizes,
  isAaveV3,
  largestLeavingMinimum,
  liquidationResult,
  maxLiquidatableDebt,
  mostDebtPayable,
  type AaveV3Terms,
  type LiquidationResult,
} from './liquidation.js';
import { borrowIndexAt, liquidityIndexAt, type Reserve } from './market.js';
import type { LiquidationRules } from './rules/rules.js';
import { rulesOfVersion } from './versions.js';

export interface CandidateOptions {
  /** The most debt, by value, that the operator's limits allow to cover now. */
  readonly maxNotionalUsd8: bigint;
  /** Seconds for which the funded amount must stay sufficient although interest accrues. */
  readonly fundingHorizonSeconds: number;
  /** Wad. The market allows a liquidation below this health factor; default: 1. */
  readonly liquidatableBelowWad?: bigint;
}

export interface AaveV3Pair extends LiquidationPair {
  readonly terms: AaveV3Terms;
}

/**
 * Every pair of a collateral leg and a debt leg. A pair of which no amount may be liquidated has no
 * candidates.
 */
export function liquidationPairs(
  rules: Pick<LiquidationRules, 'version'>,
  { healthFactorWad, totalDebtUsd8, totalCollateralUsd8, weightedThreshold, legs }: AccountData,
  timestamp: number,
  { maxNotionalUsd8, fundingHorizonSeconds, liquidatableBelowWad = WAD }: CandidateOptions,
  payables: ReadonlyMap<Address, bigint> = new Map(),
): AaveV3Pair[] {
  const totals = { healthFactorWad, totalDebtUsd8, totalCollateralUsd8, weightedThreshold };
  const limits = { liquidatableBelowWad, maxNotionalUsd8 };
  const position = { kind: AAVE_V3, rulesVersion: rules.version, ...totals, ...limits } as const;
  const debts = legs.filter((leg) => leg.debt > 0n);
  const collaterals = legs.filter((leg) => leg.collateral > 0n);
  return collaterals.flatMap((collateral) =>
    debts.map((debt) => {
      const terms = { ...position, collateral, debt, timestamp, fundingHorizonSeconds };
      const payable = payables.get(collateral.reserve.asset);
      return { terms, payable, candidates: edges(terms) };
    }),
  );
}

/** Whether the operator's limit, rather than the protocol, bounds what may be covered of a pair. */
export function isBoundedByLimit({ terms }: AaveV3Pair, maxNotionalUsd8: bigint): boolean {
  return maxLiquidatableDebt(terms) > amountWithin(maxNotionalUsd8, pricedAsset(terms.debt));
}

/**
 * The amounts among which the best profit is: everything the close factor allows, the most that leaves the
 * protocol's minimum behind, and the operator's limit when it is less. Amounts that would revert are left
 * out.
 */
export function edges(terms: AaveV3Terms): LiquidationCandidate[] {
  const cap = maxLiquidatableDebt(terms);
  const limit = amountWithin(terms.maxNotionalUsd8, pricedAsset(terms.debt));
  const leavingMinimum = largestLeavingMinimum(terms);
  const found: LiquidationCandidate[] = [];
  const add = (amount: bigint | undefined, sizing: Sizing): void => {
    if (amount === undefined || amount <= 0n) return;
    const candidate = sizedCandidate(terms, amount, sizing);
    if (
      candidate &&
      candidate.debtToCover <= limit &&
      !found.some((c) => c.debtToCover === candidate.debtToCover)
    )
      found.push(candidate);
  };
  add(cap, 'close-factor');
  // Without a minimum, a little less than the cap is worth no search of its own.
  if (rulesOfVersion(terms.rulesVersion).forbidsDust || found.length === 0)
    add(leavingMinimum, 'leaves-minimum');
  if (limit < cap) {
    add(limit, 'notional-limit');
    // An amount at the limit may leave too little behind. A smaller amount may not.
    if (leavingMinimum !== undefined && limit > leavingMinimum) add(leavingMinimum, 'notional-limit');
  }
  return found;
}

/**
 * The candidate that covers `debtToCover` (debt token units), or undefined where liquidationCall would
 * revert, now or before the funding horizon ends.
 *
 * @throws TypeError when the terms are of another family.
 */
export function sizedCandidate(
  terms: SizingTerms,
  debtToCover: bigint,
  sizing: Sizing,
): LiquidationCandidate | undefined {
  if (!isAaveV3(terms)) throw new TypeError(`"${terms.kind}" are not the terms of an Aave v3 liquidation`);
  const result = liquidationResult(terms, debtToCover);
  if (!result || result.debtCovered <= 0n || result.collateralSeized <= 0n) return undefined;
  const debtToFund = funding(terms, result);
  // It clears a side now. With the interest until inclusion, the close factor would leave some of it behind.
  if (result.clears === 'collateral' && debtToFund > maxLiquidatableDebt(terms)) return undefined;
  if (result.clears !== 'none' && result.debtCovered > maxLiquidatableDebt(atHorizon(terms)))
    return undefined;
  return {
    collateral: pricedAsset(terms.collateral),
    debt: pricedAsset(terms.debt),
    sizing: result.clears === 'none' ? sizing : result.clears === 'debt' ? 'all-debt' : 'all-collateral',
    debtToCover: result.debtCovered,
    debtToFund,
    collateralSeized: result.collateralSeized,
    protocolFee: result.protocolFee,
  };
}

/**
 * The largest candidate that needs no more than `payable` units of collateral, or undefined where none does.
 * An amount that leaves too little behind is lowered to one that does not.
 *
 * @throws TypeError when the terms are of another family.
 */
export function payableCandidate(terms: SizingTerms, payable: bigint): LiquidationCandidate | undefined {
  if (!isAaveV3(terms)) throw new TypeError(`"${terms.kind}" are not the terms of an Aave v3 liquidation`);
  const amounts = [mostDebtPayable(terms, payable), largestLeavingMinimum(terms)];
  for (const amount of amounts) {
    const candidate = amount === undefined ? undefined : sizedCandidate(terms, amount, 'payable');
    if (candidate && mostSeized(candidate) <= payable) return candidate;
  }
  return undefined;
}

/** Wad, added to a health factor that interest may have raised until inclusion: 1 bp. */
const HEALTH_FACTOR_MARGIN_WAD = WAD / 10_000n;

/**
 * The terms with the interest until the funding horizon, where that can make the close factor apply: both
 * sides may have grown to MIN_BASE_MAX_CLOSE_FACTOR_THRESHOLD (2,000 USD), or the debt beyond the share that
 * may be covered. Other legs of the position are taken as they are now: they can only raise that share.
 */
function atHorizon(terms: AaveV3Terms): AaveV3Terms {
  const { timestamp, debt, collateral, fundingHorizonSeconds, totalDebtUsd8, healthFactorWad } = terms;
  const later = timestamp + fundingHorizonSeconds;
  const grown = (
    usd8: bigint,
    before: bigint,
    indexAt: typeof borrowIndexAt,
    { indexes }: Reserve,
  ): bigint =>
    usd8 === 0n
      ? 0n
      : mulDivCeil(usd8 + before, indexAt(indexes, later), indexAt(indexes, timestamp)) + 1n - before;
  const { debtCovered = 0n, collateralTaken = 0n } = terms.earlier ?? {};
  const coveredUsd8 = valueUsd8(debtCovered, pricedAsset(debt));
  const takenUsd8 = valueUsd8(collateralTaken, pricedAsset(collateral));
  const debtUsd8 = grown(debt.debtUsd8, coveredUsd8, borrowIndexAt, debt.reserve);
  const collateralUsd8 = grown(collateral.collateralUsd8, takenUsd8, liquidityIndexAt, collateral.reserve);
  return {
    ...terms,
    healthFactorWad: healthFactorWad + HEALTH_FACTOR_MARGIN_WAD,
    totalDebtUsd8: totalDebtUsd8 + debtUsd8 - debt.debtUsd8,
    debt: { ...debt, debtUsd8 },
    collateral: { ...collateral, collateralUsd8 },
  };
}

/**
 * Debt token units to hold, rounded up. A call that clears a side must still clear it at inclusion, when
 * interest has made that side larger. The units that the protocol does not take come back. A partial amount
 * needs no addition.
 */
function funding(terms: AaveV3Terms, { debtCovered, clears }: LiquidationResult): bigint {
  const { timestamp, debt, collateral, fundingHorizonSeconds, earlier } = terms;
  const later = timestamp + fundingHorizonSeconds;
  const grown = (
    amount: bigint,
    before: bigint,
    indexAt: typeof borrowIndexAt,
    { indexes }: Reserve,
  ): bigint =>
    mulDivCeil(amount + before, indexAt(indexes, later), indexAt(indexes, timestamp)) + 1n - before;
  switch (clears) {
    case 'none':
      return debtCovered;
    case 'debt':
      return grown(debtCovered, earlier?.debtCovered ?? 0n, borrowIndexAt, debt.reserve);
    case 'collateral': {
      const taken = earlier?.collateralTaken ?? 0n;
      return debtThatSeizes(grown(collateral.collateral, taken, liquidityIndexAt, collateral.reserve), terms);
    }
  }
}

/** What we would keep if the swap were free: value seized less value covered, USD8; may be negative. */
export function bonusUsd8(candidate: LiquidationCandidate): bigint {
  return (
    valueUsd8(candidate.collateralSeized, candidate.collateral) -
    valueUsd8(candidate.debtToCover, candidate.debt)
  );
}

export function pricedAsset({ reserve, priceUsd8 }: ValuedLeg): Asset {
  return { address: reserve.asset, symbol: reserve.symbol, decimals: reserve.decimals, priceUsd8 };
}
