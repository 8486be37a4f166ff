import type { Address } from '../../domain/hex.js';
import type { Holding, NearPosition } from '../../domain/near-position.js';
import type { Watchlist } from '../scan/watchlist.js';
import { collateralsOf, debtsOf, lowestHealthFactor, positionOf, type PositionLeg } from './health.js';
import {
  borrowBalance,
  exchangeRate,
  valueAt,
  type CompoundMarket,
  type MarketConditions,
} from './market.js';
import { mulScalarTruncate } from './math.js';
import type { PositionTable } from './position-table.js';

/**
 * Of each row of the watchlist that may be below the health factor: the position, or undefined where it is
 * not below it or has no price. An account that changed since the view counts as it is when it is asked for.
 */
export function* positionsNear(
  { market, conditions }: { readonly market: CompoundMarket; readonly conditions: MarketConditions },
  table: PositionTable,
  watchlist: Watchlist<Address>,
  belowWad: bigint,
): Generator<NearPosition | undefined, void, undefined> {
  for (const row of watchlist.below(Number(belowWad) / 1e18)) {
    const account = table.accountIn(row);
    const position = account && positionOf(market, account, conditions);
    const isValued = position && !('priceMissing' in position);
    const healthFactorWad = isValued ? lowestHealthFactor(position) : belowWad;
    if (!isValued || healthFactorWad >= belowWad) {
      yield undefined;
      continue;
    }
    const collaterals = collateralsOf(position).map(suppliedOf);
    const debts = debtsOf(position).map(owedOf);
    yield {
      ...{ protocol: market.name, market: market.comptroller, borrower: account.address, healthFactorWad },
      totalCollateralUsd8: sumOf(collaterals),
      totalDebtUsd8: sumOf(debts),
      ...{ collaterals, debts },
    };
  }
}

/** Rounded down, as a redemption is. */
function suppliedOf(leg: PositionLeg): Holding {
  return holding(leg, mulScalarTruncate(exchangeRate(leg.accrued), leg.tokens));
}

function owedOf(leg: PositionLeg): Holding {
  return holding(leg, borrowBalance(leg, leg.accrued));
}

function holding({ asset, symbol, decimals, price }: PositionLeg, amount: bigint): Holding {
  return { asset, symbol, decimals, amount, valueUsd8: valueAt(amount, price) };
}

function sumOf(holdings: readonly Holding[]): bigint {
  return holdings.reduce((sum, { valueUsd8 }) => sum + valueUsd8, 0n);
}
