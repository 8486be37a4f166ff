import { max } from '../../domain/money.js';
import type { BlueChange } from './events.js';
import type { BlueMarket, MarketTotals } from './market.js';

/** A change of a market: a supply of collateral leaves it as it is. */
export type MarketChange = Exclude<BlueChange, { kind: 'supply-collateral' }>;

export function isMarketChange(change: BlueChange): change is MarketChange {
  return change.kind !== 'supply-collateral';
}

/** A market to which the changes of blocks are applied, exact to the unit. */
export class MarketDraft<M extends BlueMarket> {
  private readonly totals: { -readonly [Key in keyof MarketTotals]: MarketTotals[Key] };
  private rate: BlueMarket['rate'];

  constructor(private readonly market: M) {
    this.totals = { ...market.totals };
    this.rate = market.rate;
  }

  /** The market after the changes. Nothing is applied any more. */
  get result(): M {
    return { ...this.market, totals: this.totals, rate: this.rate };
  }

  /**
   * A change of a block at `timestamp` (seconds). Everything but a supply of collateral books the interest up
   * to the block: a market with a rate model tells it by a log of its own.
   */
  apply(change: MarketChange, timestamp: number): void {
    const { totals } = this;
    switch (change.kind) {
      case 'rate':
        // The log of the rate model comes before the one of the interest, which books it.
        this.rate = { kind: 'adaptive-curve', rateAtTargetWad: change.rateAtTargetWad };
        return;
      case 'fee':
        totals.feeWad = change.feeWad;
        break;
      case 'interest':
        totals.supplyAssets += change.interest;
        totals.supplyShares += change.feeShares;
        totals.borrowAssets += change.interest;
        break;
      case 'supply':
        totals.supplyAssets += change.assets;
        totals.supplyShares += change.shares;
        break;
      case 'withdraw':
        totals.supplyAssets -= change.assets;
        totals.supplyShares -= change.shares;
        break;
      case 'borrow':
        totals.borrowAssets += change.assets;
        totals.borrowShares += change.shares;
        break;
      case 'repay':
        // Morpho.repay: what is repaid is rounded up, and may be a unit more than all of the debt.
        totals.borrowAssets = max(totals.borrowAssets - change.assets, 0n);
        totals.borrowShares -= change.shares;
        break;
      case 'withdraw-collateral':
        break;
      case 'liquidate':
        totals.supplyAssets -= change.badDebtAssets;
        totals.borrowAssets = max(totals.borrowAssets - change.repaidAssets, 0n) - change.badDebtAssets;
        totals.borrowShares -= change.repaidShares + change.badDebtShares;
        break;
    }
    totals.lastUpdate = timestamp;
  }
}
