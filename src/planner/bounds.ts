import type { WorthOfPair } from '../domain/at-risk.js';
import type { Address } from '../domain/hex.js';
import { BPS, unitOf, type Priced } from '../domain/money.js';
import type { Asset, LiquidationCandidate, LiquidationPair } from '../domain/opportunity.js';
import type { Router } from '../routes/router.js';

/** What floats may be wrong by, generously. */
const TOLERANCE = 1.000_001;

/**
 * What a liquidation is worth at most: as if the swap were as good as that of a small amount, and gas and
 * fees were free. The profit between two amounts is between theirs.
 */
export function worthIn(router: Router): WorthOfPair {
  const rates = new Map<Address, Map<Address, Rates>>();
  const ratesOf = (collateral: Asset, debt: Asset): Rates => {
    let ofCollateral = rates.get(collateral.address);
    if (!ofCollateral) rates.set(collateral.address, (ofCollateral = new Map<Address, Rates>()));
    let known = ofCollateral.get(debt.address);
    if (!known) ofCollateral.set(debt.address, (known = ratesBetween(collateral, debt, router)));
    return known;
  };
  return (collateral, debt, seizedUsd8, coveredUsd8) => {
    const { bought, sold } = ratesOf(collateral, debt);
    return (
      Math.max(
        bought > 0 ? seizedUsd8 - coveredUsd8 / bought : 0,
        sold > 0 ? seizedUsd8 * sold - coveredUsd8 : 0,
        0,
      ) * TOLERANCE
    );
  };
}

/** The value of debt for a value of collateral, by the prices of the oracle; 0: no way leads there. */
interface Rates {
  readonly bought: number;
  readonly sold: number;
}

function ratesBetween(collateral: Asset, debt: Asset, router: Router): Rates {
  if (collateral.address === debt.address) return { bought: 0, sold: 1 };
  const values = usd8(1, debt) / usd8(1, collateral);
  return {
    bought: router.bestPrice(collateral.address, debt.address, 'flash-swap') * values,
    sold: router.bestPrice(collateral.address, debt.address, 'sale') * values,
  };
}

/** What one pair is worth at most where it is funded by a loan with this fee, and sold: USD8. */
export function saleBoundUsd8(
  { candidates }: Pick<LiquidationPair, 'candidates'>,
  feeBps: bigint,
  router: Router,
): bigint {
  const worths = candidates.map((one) => soldUsd8(one, router, 1 + Number(feeBps) / Number(BPS)));
  return BigInt(Math.ceil(Math.max(0, ...worths) * TOLERANCE));
}

/** @param owed for a unit of the loan. */
function soldUsd8(candidate: LiquidationCandidate, router: Router, owed: number): number {
  const { collateral, debt, collateralSeized, debtToFund } = candidate;
  const isOneToken = collateral.address === debt.address;
  const price = isOneToken ? 1 : router.bestPrice(collateral.address, debt.address, 'sale');
  return price > 0 ? usd8(Number(collateralSeized) * price - Number(debtToFund) * owed, debt) : 0;
}

function usd8(amount: number, { decimals, priceUsd8 }: Priced): number {
  return (amount * Number(priceUsd8)) / Number(unitOf(decimals));
}
