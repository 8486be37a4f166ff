import type { Holding, NearPosition } from '../../domain/near-position.js';
import type { Watchlist } from '../scan/watchlist.js';
import type { Address } from '../../domain/hex.js';
import { accountData, type ValuedLeg } from './health.js';
import type { AaveMarket, MarketConditions } from './market.js';
import type { PositionTable } from './position-table.js';

/**
 * Of each row of the watchlist that may be below the health factor: the position, or undefined where it is
 * not below it or has no price. An account that changed since the view counts as it is when it is asked for.
 */
export function* positionsNear(
  { market, conditions }: { readonly market: AaveMarket; readonly conditions: MarketConditions },
  table: PositionTable,
  watchlist: Watchlist<Address>,
  belowWad: bigint,
): Generator<NearPosition | undefined, void, undefined> {
  for (const row of watchlist.below(Number(belowWad) / 1e18)) {
    const account = table.accountIn(row);
    const data = account && accountData(market, account, conditions);
    if (!data || 'priceMissing' in data || data.healthFactorWad >= belowWad) {
      yield undefined;
      continue;
    }
    const { healthFactorWad, totalCollateralUsd8, totalDebtUsd8, legs } = data;
    yield {
      ...{ protocol: market.name, market: market.pool, borrower: account.address },
      ...{ healthFactorWad, totalCollateralUsd8, totalDebtUsd8 },
      collaterals: legs
        .filter(({ collateral }) => collateral > 0n)
        .map((leg) => holding(leg, leg.collateral, leg.collateralUsd8)),
      debts: legs.filter(({ debt }) => debt > 0n).map((leg) => holding(leg, leg.debt, leg.debtUsd8)),
    };
  }
}

function holding({ reserve }: ValuedLeg, amount: bigint, valueUsd8: bigint): Holding {
  const { asset, symbol, decimals } = reserve;
  return { asset, symbol, decimals, amount, valueUsd8 };
}
