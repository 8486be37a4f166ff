import type { Address } from '../../domain/hex.js';
import { min } from '../../domain/money.js';
import type { SizingTerms } from '../../domain/opportunity.js';
import { healthFactorOf, liquidityOf, type Liquidity, type Position, type PositionLeg } from './health.js';
import { borrowBalance, exchangeRate, type MarketTotals } from './market.js';
import { divExp, mulExp, mulScalarTruncate } from './math.js';

/** The kind of this family. */
export const COMPOUND_V2 = 'compound-v2';

/** What decides a liquidation of one collateral and one debt of a position. Plain data. */
export interface CompoundV2Terms extends SizingTerms {
  readonly kind: typeof COMPOUND_V2;
  readonly position: Position;
  /** The mTokens of the pair. They may be the same. */
  readonly collateral: Address;
  readonly debt: Address;
  /** The most debt, by value, that may be covered now. */
  readonly maxNotionalUsd8: bigint;
}

export function isCompoundV2(terms: SizingTerms): terms is CompoundV2Terms {
  return terms.kind === COMPOUND_V2;
}

/** @throws TypeError when the terms are of another family. */
export function compoundTerms(terms: SizingTerms): CompoundV2Terms {
  if (isCompoundV2(terms)) return terms;
  throw new TypeError(`"${terms.kind}" are not the terms of a Compound v2 liquidation`);
}

type Pair = Pick<CompoundV2Terms, 'position' | 'collateral' | 'debt'>;

/** @throws RangeError when the position has nothing in the market. */
export function legOf({ legs }: Pick<Position, 'legs'>, mToken: Address): PositionLeg {
  const leg = legs.find((one) => one.mToken === mToken);
  if (!leg) throw new RangeError(`the position has nothing in ${mToken}`);
  return leg;
}

/**
 * Why CToken.liquidateBorrow refuses: codes of ComptrollerErrorReporter.Error, which it reports without a
 * revert, and the reasons with which it reverts.
 */
export type Refusal = (typeof CODE)[keyof typeof CODE] | 'repays-too-much' | 'seizes-too-much' | 'no-amount';

export const CODE = { insufficientShortfall: 3, marketNotListed: 9, tooMuchRepay: 17 } as const;

/** What CToken.liquidateBorrow takes and gives, and what CToken.redeem pays for the seized mTokens. */
export interface LiquidationResult {
  /** Units of the debt asset. */
  readonly debtCovered: bigint;
  /** mTokens that the borrower loses. */
  readonly tokensSeized: bigint;
  /** mTokens of these that the protocol keeps. */
  readonly protocolTokens: bigint;
  /** Units of the collateral asset that the liquidator gets for the rest. */
  readonly collateralSeized: bigint;
  /** Units of the collateral asset that the protocol's mTokens are worth, at the price of the rest. */
  readonly protocolFee: bigint;
  /** The position after it, before anything else in the same block. */
  readonly after: Position;
}

/**
 * The most debt one call may cover: units of the debt asset (Comptroller.liquidateBorrowAllowed). All of it
 * in a deprecated market.
 */
export function mostRepayable({ position, debt: mToken }: Pair): bigint {
  const debt = legOf(position, mToken);
  const balance = borrowBalance(debt, debt.accrued);
  return debt.deprecated ? balance : mulScalarTruncate(position.closeFactorWad, balance);
}

/** Whether the Comptroller allows a liquidation of the pair in the next block. */
export function isOpen({ position, collateral, debt }: Pair): boolean {
  return isPairOpen(legOf(position, debt), legOf(position, collateral), () =>
    liquidityOf(position, [debt, collateral]),
  );
}

/** As {@link isOpen}. @param liquidity tells it with the interest of the pair booked. */
export function isPairOpen(
  debt: PositionLeg,
  collateral: PositionLeg,
  liquidity: (debt: PositionLeg, collateral: PositionLeg) => Liquidity,
): boolean {
  if (!debt.usable || !collateral.usable) return false;
  if (debt.deprecated) return true;
  const { sumCollateral, sumBorrow } = liquidity(debt, collateral);
  return sumBorrow > sumCollateral;
}

/** Wad: what the pair's own liquidation sees. */
export function healthFactorOfPair({ position, collateral, debt }: Pair): bigint {
  return healthFactorOf(liquidityOf(position, [debt, collateral]));
}

/**
 * MTokens to seize for one unit of debt, wad (Comptroller.liquidateCalculateSeizeTokens). Undefined where the
 * contract divides by zero.
 */
function seizeRatio({ position, collateral: seized, debt }: Pair): bigint | undefined {
  const collateral = legOf(position, seized);
  const numerator = mulExp(position.incentiveWad, legOf(position, debt).price);
  const denominator = mulExp(collateral.price, exchangeRate(collateral.accrued));
  return denominator === 0n ? undefined : divExp(numerator, denominator);
}

/** The most debt for which no more than so many mTokens are seized; undefined: any amount. */
export function mostDebtForTokens(pair: Pair, tokens: bigint): bigint | undefined {
  const ratio = seizeRatio(pair);
  if (ratio === undefined) return 0n;
  // The largest amount with floor(ratio · amount / 1e18) ≤ tokens.
  return ratio === 0n ? undefined : ((tokens + 1n) * 10n ** 18n - 1n) / ratio;
}

/**
 * What a liquidation that repays `amount` units of the debt asset does in the next block, exactly, followed
 * by
 * the redemption of what was seized (CToken.liquidateBorrowFresh, seizeInternal, redeemFresh). Whether the
 * market has the cash for the redemption is not looked at.
 */
export function liquidate(pair: Pair, amount: bigint): LiquidationResult | Refusal {
  const { position } = pair;
  const debt = legOf(position, pair.debt);
  const held = legOf(position, pair.collateral);
  if (!debt.usable || !held.usable) return CODE.marketNotListed;
  const owed = borrowBalance(debt, debt.accrued);
  if (debt.deprecated) {
    if (amount > owed) return 'repays-too-much';
  } else if (!isOpen(pair)) return CODE.insufficientShortfall;
  else if (amount > mostRepayable(pair)) return CODE.tooMuchRepay;
  // The rounded sum of all debts may be less than this one.
  if (amount > debt.accrued.totalBorrows) return 'repays-too-much';
  const ratio = seizeRatio(pair);
  if (amount === 0n || ratio === undefined) return 'no-amount';
  const tokensSeized = mulScalarTruncate(ratio, amount);
  if (tokensSeized > held.tokens) return 'seizes-too-much';

  const repaid = booked(debt, {
    ...debt.accrued,
    cash: debt.accrued.cash + amount,
    totalBorrows: debt.accrued.totalBorrows - amount,
  });
  const debtAfter = { ...repaid, principal: owed - amount, interestIndex: debt.accrued.borrowIndex };
  const collateral = pair.collateral === pair.debt ? debtAfter : booked(held, held.accrued);
  const protocolTokens = mulScalarTruncate(held.seizeShareWad, tokensSeized);
  const tokensGiven = tokensSeized - protocolTokens;
  const reserved = mulScalarTruncate(exchangeRate(collateral.stored), protocolTokens);
  const seized: MarketTotals = {
    ...collateral.stored,
    totalReserves: collateral.stored.totalReserves + reserved,
    totalSupply: collateral.stored.totalSupply - protocolTokens,
  };
  const collateralSeized = mulScalarTruncate(exchangeRate(seized), tokensGiven);
  const collateralAfter = {
    ...booked(collateral, {
      ...seized,
      cash: seized.cash - collateralSeized,
      totalSupply: seized.totalSupply - tokensGiven,
    }),
    tokens: collateral.tokens - tokensSeized,
  };
  const legs = position.legs.map((leg) =>
    leg.mToken === pair.collateral ? collateralAfter : leg.mToken === pair.debt ? debtAfter : leg,
  );
  return {
    debtCovered: amount,
    tokensSeized,
    protocolTokens,
    collateralSeized,
    protocolFee: tokensGiven === 0n ? 0n : (protocolTokens * collateralSeized) / tokensGiven,
    after: { ...position, legs },
  };
}

/** The leg of a market that has just booked this. */
function booked(leg: PositionLeg, totals: MarketTotals): PositionLeg {
  return { ...leg, stored: totals, accrued: totals };
}

/**
 * The most debt that one call may cover without paying out more collateral than this, units of the debt
 * asset: searched, because more debt never seizes less.
 *
 * @param payable units of the collateral asset.
 */
export function mostDebtPayable(pair: Pair, payable: bigint): bigint {
  const allTokens = mostDebtForTokens(pair, legOf(pair.position, pair.collateral).tokens);
  const most = mostRepayable(pair);
  let [fits, beyond] = [0n, (allTokens === undefined ? most : min(most, allTokens)) + 1n];
  while (beyond - fits > 1n) {
    const middle = (fits + beyond) / 2n;
    const result = liquidate(pair, middle);
    if (typeof result === 'object' && result.collateralSeized <= payable) fits = middle;
    else beyond = middle;
  }
  return fits;
}
