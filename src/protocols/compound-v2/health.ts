import type { Address } from '../../domain/hex.js';
import { UINT256_MAX, WAD } from '../../domain/money.js';
import {
  borrowBalance,
  exchangeRate,
  standsStill,
  totalsAt,
  type CompoundAccount,
  type CompoundMarket,
  type Leg,
  type MarketConditions,
  type MarketTotals,
  type MToken,
} from './market.js';
import { mulExp, mulScalarTruncate } from './math.js';

/** One market of a position, with everything that a liquidation needs. Plain data. */
export interface PositionLeg
  extends
    Omit<Leg, 'mTokenId'>,
    Pick<
      MToken,
      'asset' | 'symbol' | 'decimals' | 'collateralFactorWad' | 'seizeShareWad' | 'deprecated' | 'isNative'
    > {
  readonly mToken: Address;
  /** {@link MarketConditions.prices}. */
  readonly price: bigint;
  /** As the market has booked it. */
  readonly stored: MarketTotals;
  /** With the interest until {@link MarketConditions.at}. */
  readonly accrued: MarketTotals;
  /** Whether a liquidation may touch it: it is listed, and its interest can be booked. */
  readonly usable: boolean;
}

/** A position of a Comptroller. Plain data. */
export interface Position {
  readonly closeFactorWad: bigint;
  readonly incentiveWad: bigint;
  readonly legs: readonly PositionLeg[];
}

/** The oracle had no price for this asset of the account, which the Comptroller refuses (PRICE_ERROR). */
export interface PriceMissing {
  readonly priceMissing: MToken;
}

/** The position of an account at the conditions. A market that is not there any more is left out. */
export function positionOf(
  market: CompoundMarket,
  account: CompoundAccount,
  { at, states, prices }: MarketConditions,
): Position | PriceMissing {
  const legs: PositionLeg[] = [];
  for (const { mTokenId, entered, tokens, principal, interestIndex } of account.legs) {
    const mToken = market.mTokens.get(mTokenId);
    const state = states.get(mTokenId);
    if (!mToken || !state) continue;
    const price = prices.get(mTokenId);
    if (price === undefined) {
      if (entered) return { priceMissing: mToken };
      // It counts for nothing, and cannot be seized.
      continue;
    }
    // Field by field: spreads make an object of this size ten times as slow, and it is made for every account
    // that may be liquidatable.
    legs.push({
      mToken: mToken.address,
      asset: mToken.asset,
      symbol: mToken.symbol,
      decimals: mToken.decimals,
      entered,
      tokens,
      principal,
      interestIndex,
      price,
      collateralFactorWad: mToken.collateralFactorWad,
      seizeShareWad: mToken.seizeShareWad,
      deprecated: mToken.deprecated,
      isNative: mToken.isNative,
      stored: state.totals,
      accrued: totalsAt(state, mToken, at),
      usable: mToken.listed && !standsStill(state),
    });
  }
  return { closeFactorWad: market.closeFactorWad, incentiveWad: market.incentiveWad, legs };
}

/** USD, wad. */
export interface Liquidity {
  readonly sumCollateral: bigint;
  readonly sumBorrow: bigint;
}

/**
 * Comptroller.getAccountLiquidity, with the interest of some markets booked before. Each product is truncated
 * as on chain: tokensToDenom = (collateral factor · exchange rate) · price, then times the mTokens.
 *
 * @param booked the mTokens whose interest counts. A liquidation books that of its debt and of its
 *   collateral, and of no other market; the view of the Comptroller books none.
 */
export function liquidityOf({ legs }: Pick<Position, 'legs'>, booked: readonly Address[]): Liquidity {
  return sumOf(legs.map((leg) => addedBy(leg, booked.includes(leg.mToken) ? leg.accrued : leg.stored)));
}

/**
 * {@link liquidityOf} with the interest of a pair booked, for all pairs of a position. What the other legs
 * add is the same for each of them.
 */
export function liquidityOfPairs({
  legs,
}: Pick<Position, 'legs'>): (debt: PositionLeg, collateral: PositionLeg) => Liquidity {
  const stored = new Map(legs.map((leg) => [leg, addedBy(leg, leg.stored)]));
  const all = sumOf([...stored.values()]);
  const interests = new Map<PositionLeg, Liquidity>();
  const interestOf = (leg: PositionLeg): Liquidity => {
    const known = interests.get(leg);
    if (known) return known;
    const [before, after] = [stored.get(leg) ?? NOTHING, addedBy(leg, leg.accrued)];
    const interest = {
      sumCollateral: after.sumCollateral - before.sumCollateral,
      sumBorrow: after.sumBorrow - before.sumBorrow,
    };
    interests.set(leg, interest);
    return interest;
  };
  return (debt, collateral) =>
    sumOf([all, interestOf(debt), ...(debt === collateral ? [] : [interestOf(collateral)])]);
}

const NOTHING: Liquidity = { sumCollateral: 0n, sumBorrow: 0n };

function addedBy(leg: PositionLeg, totals: MarketTotals): Liquidity {
  const { entered, collateralFactorWad, price } = leg;
  if (!entered) return NOTHING;
  // Most legs have one side only.
  const sumCollateral =
    leg.tokens &&
    mulScalarTruncate(mulExp(mulExp(collateralFactorWad, exchangeRate(totals)), price), leg.tokens);
  const sumBorrow = leg.principal && mulScalarTruncate(price, borrowBalance(leg, totals));
  return { sumCollateral, sumBorrow };
}

function sumOf(parts: readonly Liquidity[]): Liquidity {
  let [sumCollateral, sumBorrow] = [0n, 0n];
  for (const part of parts) {
    sumCollateral += part.sumCollateral;
    sumBorrow += part.sumBorrow;
  }
  return { sumCollateral, sumBorrow };
}

/**
 * Collateral over debt, wad, rounded down: below 1 exactly where the Comptroller sees a shortfall.
 * UINT256_MAX without debt.
 */
export function healthFactorOf({ sumCollateral, sumBorrow }: Liquidity): bigint {
  return sumBorrow === 0n ? UINT256_MAX : (sumCollateral * WAD) / sumBorrow;
}

/** Below the liquidation limit, 0 is never the answer of a division here. */
const isDebt = (leg: PositionLeg): boolean => leg.principal > 0n;
const isCollateral = (leg: PositionLeg): boolean => leg.tokens > 0n;

export const debtsOf = ({ legs }: Position): PositionLeg[] => legs.filter(isDebt);
export const collateralsOf = ({ legs }: Position): PositionLeg[] => legs.filter(isCollateral);

/**
 * The health factor of a position: the lowest over its pairs, because a liquidation of a pair counts the
 * interest of this pair alone. Without a pair it is the one of the Comptroller's view.
 */
export function lowestHealthFactor(position: Position): bigint {
  let lowest: bigint | undefined;
  const liquidity = liquidityOfPairs(position);
  for (const debt of debtsOf(position))
    for (const collateral of collateralsOf(position)) {
      const ofPair = healthFactorOf(liquidity(debt, collateral));
      if (lowest === undefined || ofPair < lowest) lowest = ofPair;
    }
  return lowest ?? healthFactorOf(liquidityOf(position, []));
}
