import { AbiCoder, keccak256 } from 'ethers';
import type { Address, Hash } from '../../domain/hex.js';
import { adaptiveCurveRate } from './adaptive-curve.js';
import { toSharesDown, wMulDown, wTaylorCompounded } from './math.js';

const ZERO_ADDRESS: Address = '0x0000000000000000000000000000000000000000';

/** What a market is: Morpho's MarketParams. They never change, and their hash is the market's id. */
export interface MarketParams {
  readonly loanToken: Address;
  readonly collateralToken: Address;
  readonly oracle: Address;
  /** The interest rate model; the zero address: no interest. */
  readonly irm: Address;
  /** A position is healthy while its debt is worth no more than this share of its collateral. Wad. */
  readonly lltvWad: bigint;
}

/** A market as Morpho has booked it at its last accrual. Immutable: a change makes a new object. */
export interface MarketTotals {
  /** Loan token units. */
  readonly supplyAssets: bigint;
  readonly supplyShares: bigint;
  /** Loan token units. */
  readonly borrowAssets: bigint;
  readonly borrowShares: bigint;
  /** The last accrual, seconds since the epoch. */
  readonly lastUpdate: number;
  /** The share of the interest that goes to the fee recipient. Wad. */
  readonly feeWad: bigint;
}

/** How the interest of a market is known. */
export type RateModel =
  /** The market has no rate model. */
  | { readonly kind: 'none' }
  /** AdaptiveCurveIrm: computed. The rate is what the model stores, wad a second; 0 before the first use. */
  | { readonly kind: 'adaptive-curve'; readonly rateAtTargetWad: bigint }
  /** Another rate model: asked at each head. */
  | { readonly kind: 'asked' };

/** One market of Morpho Blue. */
export interface BlueMarket {
  readonly id: Hash;
  readonly params: MarketParams;
  readonly totals: MarketTotals;
  readonly rate: RateModel;
}

/** A borrower's part of one market. */
export interface BluePosition {
  /** Collateral token units. */
  readonly collateral: bigint;
  readonly borrowShares: bigint;
}

/** What is supplied plays no part for a borrower: Morpho keeps it apart from the collateral. */
export interface BlueLeg extends BluePosition {
  readonly marketId: Hash;
}

/** A borrower with all of its markets. */
export interface BlueAccount {
  readonly address: Address;
  /** By ascending id. A market in which the account has neither collateral nor debt is left out. */
  readonly legs: readonly BlueLeg[];
}

export function hasDebt({ legs }: BlueAccount): boolean {
  return legs.some(({ borrowShares }) => borrowShares > 0n);
}

/** MarketParamsLib.id */
export function marketIdOf({ loanToken, collateralToken, oracle, irm, lltvWad }: MarketParams): Hash {
  const types = ['address', 'address', 'address', 'address', 'uint256'];
  const encoded = AbiCoder.defaultAbiCoder().encode(types, [
    loanToken,
    collateralToken,
    oracle,
    irm,
    lltvWad,
  ]);
  return keccak256(encoded) as Hash;
}

export const hasRateModel = ({ irm }: MarketParams): boolean => irm !== ZERO_ADDRESS;

/** The interest of a market over a time, and what the rate model stores then. */
export interface Accrual {
  readonly totals: MarketTotals;
  readonly rate: RateModel;
}

/**
 * The market with its interest booked up to `timestamp`, exactly as Morpho._accrueInterest books it: interest
 * and fee are rounded down. The contract books nothing within the second of the last accrual.
 *
 * @param askedRateWad what an asked rate model says at that time, wad a second.
 * @throws RangeError when an asked rate model was not asked.
 */
export function accrued(
  { totals, rate }: Pick<BlueMarket, 'totals' | 'rate'>,
  timestamp: number,
  askedRateWad?: bigint,
): Accrual {
  const seconds = BigInt(timestamp - totals.lastUpdate);
  if (seconds <= 0n) return { totals, rate };
  switch (rate.kind) {
    case 'none':
      return { totals: { ...totals, lastUpdate: timestamp }, rate };
    case 'adaptive-curve': {
      const { averageWad, rateAtTargetWad } = adaptiveCurveRate(
        { ...totals, rateAtTargetWad: rate.rateAtTargetWad },
        seconds,
      );
      return {
        totals: withInterest(totals, timestamp, averageWad),
        rate: { kind: 'adaptive-curve', rateAtTargetWad },
      };
    }
    case 'asked':
      if (askedRateWad === undefined) throw new RangeError('the rate of the market is not known');
      return { totals: withInterest(totals, timestamp, askedRateWad), rate };
  }
}

function withInterest(totals: MarketTotals, timestamp: number, rateWad: bigint): MarketTotals {
  const growth = wTaylorCompounded(rateWad, BigInt(timestamp - totals.lastUpdate));
  const interest = wMulDown(totals.borrowAssets, growth);
  const supplyAssets = totals.supplyAssets + interest;
  const feeAssets = wMulDown(interest, totals.feeWad);
  const feeShares =
    totals.feeWad === 0n ? 0n : toSharesDown(feeAssets, supplyAssets - feeAssets, totals.supplyShares);
  return {
    supplyAssets,
    supplyShares: totals.supplyShares + feeShares,
    borrowAssets: totals.borrowAssets + interest,
    borrowShares: totals.borrowShares,
    lastUpdate: timestamp,
    feeWad: totals.feeWad,
  };
}
