import { max } from '../../domain/money.js';
import type { BlueChange } from './events.js';
import type { BlueMarket, MarketTotals } from './market.js';

/**
 * A market after a change of a block at `timestamp` (seconds), exact to the unit. Everything but a supply of
 * collateral books the interest up to the block: a market with a rate model tells it by a log of its own.
 */
export function changedMarket<M extends BlueMarket>(market: M, change: BlueChange, timestamp: number): M {
  if (change.kind === 'supply-collateral') return market;
  if (change.kind === 'rate') {
    const { rateAtTargetWad } = change;
    return { ...market, rate: { kind: 'adaptive-curve', rateAtTargetWad } };
  }
  return { ...market, totals: { ...changedTotals(market.totals, change), lastUpdate: timestamp } };
}

function changedTotals(totals: MarketTotals, change: BlueChange): MarketTotals {
  const { supplyAssets, supplyShares, borrowAssets, borrowShares } = totals;
  switch (change.kind) {
    case 'fee':
      return { ...totals, feeWad: change.feeWad };
    case 'interest':
      return {
        ...totals,
        supplyAssets: supplyAssets + change.interest,
        supplyShares: supplyShares + change.feeShares,
        borrowAssets: borrowAssets + change.interest,
      };
    case 'supply':
      return {
        ...totals,
        supplyAssets: supplyAssets + change.assets,
        supplyShares: supplyShares + change.shares,
      };
    case 'withdraw':
      return {
        ...totals,
        supplyAssets: supplyAssets - change.assets,
        supplyShares: supplyShares - change.shares,
      };
    case 'borrow':
      return {
        ...totals,
        borrowAssets: borrowAssets + change.assets,
        borrowShares: borrowShares + change.shares,
      };
    case 'repay':
      // Morpho.repay: what is repaid is rounded up, and may be a unit more than all of the debt.
      return {
        ...totals,
        borrowAssets: max(borrowAssets - change.assets, 0n),
        borrowShares: borrowShares - change.shares,
      };
    case 'rate':
    case 'supply-collateral':
    case 'withdraw-collateral':
      return totals;
    case 'liquidate':
      return {
        ...totals,
        supplyAssets: supplyAssets - change.badDebtAssets,
        borrowAssets: max(borrowAssets - change.repaidAssets, 0n) - change.badDebtAssets,
        borrowShares: borrowShares - change.repaidShares - change.badDebtShares,
      };
  }
}
