import type { Hash } from '../../domain/hex.js';
import { costUsd8, valueUsd8 } from '../../domain/money.js';
import type { Asset } from '../../domain/opportunity.js';
import type { Holding, NearPosition } from '../../domain/near-position.js';
import type { Watchlist } from '../scan/watchlist.js';
import type { Origin } from './at-risk.js';
import { healthOf } from './health.js';
import type { PositionTable, RowKey } from './position-table.js';
import type { ValuedMarket } from './valued-market.js';

/**
 * Of each row of the watchlist that may be below the health factor: the position, or undefined where it is
 * not below it or its market has no price. A position that changed since the view counts as it is when it is
 * asked for.
 */
export function* positionsNear(
  { protocol, morpho: market }: Origin,
  valued: ReadonlyMap<Hash, ValuedMarket>,
  table: PositionTable,
  watchlist: Watchlist<RowKey>,
  belowWad: bigint,
): Generator<NearPosition | undefined, void, undefined> {
  for (const row of watchlist.below(Number(belowWad) / 1e18)) {
    const found = table.positionIn(row);
    const at = found && valued.get(found.marketId);
    const health = at && healthOf(at.totals, found.position, at.price, at.lltvWad);
    if (!health || health.healthFactorWad >= belowWad) {
      yield undefined;
      continue;
    }
    const { healthFactorWad, borrowed } = health;
    const { collateral } = found.position;
    const totalCollateralUsd8 = valueUsd8(collateral, at.collateral);
    const totalDebtUsd8 = costUsd8(borrowed, at.debt);
    yield {
      ...{ protocol, market, marketId: found.marketId, borrower: found.borrower },
      ...{ healthFactorWad, totalCollateralUsd8, totalDebtUsd8 },
      collaterals: collateral === 0n ? [] : [holding(at.collateral, collateral, totalCollateralUsd8)],
      debts: [holding(at.debt, borrowed, totalDebtUsd8)],
    };
  }
}

function holding({ address: asset, symbol, decimals }: Asset, amount: bigint, usd8: bigint): Holding {
  return { asset, symbol, decimals, amount, valueUsd8: usd8 };
}
