import { BPS } from '../../domain/money.js';
import type { Address } from '../../domain/hex.js';
import { each, together, type Read } from '../../rpc/chain/read.js';
import type { Comparison } from '../../state/followed.js';
import type { AaveMarketView } from './at-risk.js';
import { accountData, type AccountData } from './health.js';
import type { AaveAccount } from './market.js';
import type { PositionTable } from './position-table.js';
import { accountDataRead, conditionsRead, type ChainAccountData } from './reads.js';
import type { Watchlist } from './watchlist.js';

/** A difference beyond this means that our books are wrong, not that something was rounded differently. */
const TOLERANCE_BPS = 10n;

/** Chooses the accounts to compare with the chain, in turns. */
export class ComparisonTurns {
  private watched = 0;
  private row = 0;

  constructor(
    private readonly table: PositionTable,
    private readonly watchlist: Watchlist,
  ) {}

  /**
   * The watched accounts, and some of the other accounts in turn. When more accounts are watched than fit
   * into `count`, the watched accounts take turns as well.
   */
  next(count: number): AaveAccount[] {
    const found = new Map<Address, AaveAccount>();
    const add = (row: number | undefined): void => {
      const account = row === undefined ? undefined : this.table.accountIn(row);
      if (account) found.set(account.address, account);
    };
    const { rows } = this.watchlist;
    const { rowCount } = this.table;
    const watched = Math.min(rows.length, count - Math.min(Math.floor(count / 10), rowCount));
    for (let index = 0; index < watched; index++) add(rows[(this.watched + index) % rows.length]);
    this.watched += watched;
    for (let left = rowCount; left > 0 && found.size < count; left--) add(this.row++ % rowCount);
    return [...found.values()];
  }
}

/** How many calls the prices and the sentinel take. */
export function priceCalls({ market }: AaveMarketView): number {
  return market.reserves.size + 1;
}

/**
 * Compares these accounts with Pool.getUserAccountData, and every price with the oracle, at the view's block.
 * An account whose collateral or debt differs by more than 10 bps is a divergence. A price that differs at
 * all is wrong.
 */
export function comparisonRead(view: AaveMarketView, accounts: readonly AaveAccount[]): Read<Comparison> {
  const { market, conditions } = view;
  const both = together(
    conditionsRead(market, conditions.timestamp),
    each(accounts.map(({ address }) => accountDataRead(market, address))),
  );
  return {
    calls: both.calls,
    decode: (results) => {
      const [chainConditions, chainData] = both.decode(results);
      const divergences = accounts.flatMap((account, index): Comparison['divergences'] => {
        const chain = chainData[index];
        // Computed with the chain's prices: a wrong price in our state does not make the position wrong.
        const ours = accountData(market, account, chainConditions);
        if (!chain || 'priceMissing' in ours || !differs(ours, chain)) return [];
        return [{ account: account.address, detail: bothSides(ours, chain) }];
      });
      return {
        compared: accounts.length,
        divergences,
        wrongPrices: wrongPrices(view, chainConditions.prices),
      };
    },
  };
}

function wrongPrices(
  { market, conditions }: AaveMarketView,
  chainPrices: ReadonlyMap<Address, bigint>,
): Comparison['wrongPrices'] {
  return [...market.reserves.values()].flatMap(({ asset }) => {
    const [oursUsd8, chainUsd8] = [conditions.prices.get(asset), chainPrices.get(asset)];
    return oursUsd8 === chainUsd8 ? [] : [{ asset, oursUsd8, chainUsd8 }];
  });
}

function differs(ours: AccountData, chain: ChainAccountData): boolean {
  return (
    beyondTolerance(ours.totalCollateralUsd8, chain.totalCollateralUsd8) ||
    beyondTolerance(ours.totalDebtUsd8, chain.totalDebtUsd8)
  );
}

function beyondTolerance(ours: bigint, chain: bigint): boolean {
  const difference = ours > chain ? ours - chain : chain - ours;
  return difference * BPS > chain * TOLERANCE_BPS;
}

function bothSides(ours: AccountData, chain: ChainAccountData): Record<string, string> {
  return {
    ourCollateralUsd8: String(ours.totalCollateralUsd8),
    chainCollateralUsd8: String(chain.totalCollateralUsd8),
    ourDebtUsd8: String(ours.totalDebtUsd8),
    chainDebtUsd8: String(chain.totalDebtUsd8),
    ourHealthFactorWad: String(ours.healthFactorWad),
    chainHealthFactorWad: String(chain.healthFactorWad),
  };
}
