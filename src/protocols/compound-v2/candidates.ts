import type { Step } from '../../contract/plan.js';
import type { Address } from '../../domain/hex.js';
import { amountWithin, min } from '../../domain/money.js';
import type {
  Asset,
  LiquidationCandidate,
  LiquidationPair,
  Sizing,
  SizingTerms,
} from '../../domain/opportunity.js';
import { collateralsOf, debtsOf, type Position, type PositionLeg } from './health.js';
import {
  COMPOUND_V2,
  compoundTerms,
  isOpen,
  legOf,
  liquidate,
  mostDebtForTokens,
  mostDebtPayable,
  mostRepayable,
  type CompoundV2Terms,
} from './liquidation.js';
import { priceUsd8Of } from './market.js';

export interface CompoundV2Pair extends LiquidationPair {
  readonly terms: CompoundV2Terms;
}

/**
 * Every pair of a debt and a collateral that a liquidation may take now. Debts of the native coin are left
 * out: our contract pays in tokens.
 *
 * @param maxNotionalUsd8 the most debt, by value, that the operator's limits allow to cover now.
 */
export function liquidationPairs(position: Position, maxNotionalUsd8: bigint): CompoundV2Pair[] {
  return collateralsOf(position).flatMap((collateral) =>
    debtsOf(position).flatMap((debt): CompoundV2Pair[] => {
      if (debt.isNative) return [];
      const terms: CompoundV2Terms = {
        kind: COMPOUND_V2,
        position,
        maxNotionalUsd8,
        collateral: collateral.mToken,
        debt: debt.mToken,
      };
      if (!isOpen(terms)) return [];
      return [{ terms, payable: payableOf(position, collateral.mToken), candidates: edges(terms) }];
    }),
  );
}

/** What the market can pay out for redeemed mTokens: its cash. Units of the asset. */
export function payableOf(position: Pick<Position, 'legs'>, mToken: Address): bigint {
  return legOf(position, mToken).stored.cash;
}

/** Whether the operator's limit, rather than the protocol, bounds what may be covered of a pair. */
export function isBoundedByLimit({ terms }: CompoundV2Pair): boolean {
  return mostRepayable(terms) > limitOf(terms);
}

/**
 * The amounts among which the best profit is: everything the close factor allows, the debt for which all
 * mTokens of this collateral are seized, and the operator's limit when it is less. None of them needs more
 * for the interest until inclusion: debt and exchange rate grow, so that more may be repaid and less is
 * seized.
 */
export function edges(terms: CompoundV2Terms): LiquidationCandidate[] {
  const limit = limitOf(terms);
  const debt = legOf(terms.position, terms.debt);
  const most = mostRepayable(terms);
  const all = mostDebtForTokens(terms, legOf(terms.position, terms.collateral).tokens);
  const amount = all === undefined ? most : min(most, all);
  const sizing = amount < most ? 'all-collateral' : debt.deprecated ? 'all-debt' : 'close-factor';
  const candidate = sizedCandidate(terms, min(amount, limit), limit < amount ? 'notional-limit' : sizing);
  return candidate ? [candidate] : [];
}

function limitOf({ position, debt, maxNotionalUsd8 }: CompoundV2Terms): bigint {
  return amountWithin(maxNotionalUsd8, pricedAsset(legOf(position, debt)));
}

/**
 * The candidate that covers `debtToCover` (debt token units), or undefined where the market would refuse it.
 *
 * @throws TypeError when the terms are of another family.
 */
export function sizedCandidate(
  sizing: SizingTerms,
  debtToCover: bigint,
  reason: Sizing,
): LiquidationCandidate | undefined {
  const terms = compoundTerms(sizing);
  const result = liquidate(terms, debtToCover);
  if (typeof result !== 'object' || result.collateralSeized <= 0n) return undefined;
  const { debtCovered, collateralSeized, protocolFee } = result;
  return {
    collateral: pricedAsset(legOf(terms.position, terms.collateral)),
    debt: pricedAsset(legOf(terms.position, terms.debt)),
    sizing: reason,
    debtToCover: debtCovered,
    // Compound pulls what it was told to, or nothing.
    debtToFund: debtCovered,
    collateralSeized,
    protocolFee,
  };
}

/**
 * The largest candidate that needs no more than `payable` units of collateral, or undefined where none does.
 *
 * @throws TypeError when the terms are of another family.
 */
export function payableCandidate(sizing: SizingTerms, payable: bigint): LiquidationCandidate | undefined {
  const terms = compoundTerms(sizing);
  return sizedCandidate(terms, mostDebtPayable(terms, payable), 'payable');
}

/** The step of our contract. @throws TypeError when the terms are of another family. */
export function compoundStep(sizing: SizingTerms): Step {
  const { collateral, debt } = compoundTerms(sizing);
  return { kind: 'liquidate-compound', debtMToken: debt, collateralMToken: collateral };
}

export function pricedAsset({ asset, symbol, decimals, price }: PositionLeg): Asset {
  return { address: asset, symbol, decimals, priceUsd8: priceUsd8Of(price, decimals) };
}
