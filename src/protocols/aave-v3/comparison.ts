import { BPS, formatUnits } from '../../domain/money.js';
import type { Address } from '../../domain/hex.js';
import { each, together, type Read } from '../../rpc/chain/read.js';
import type { Comparison, MissingDebt } from '../../state/followed.js';
import type { AaveMarketView } from './at-risk.js';
import { accountData, type AccountData } from './health.js';
import { borrowIndexAt, type AaveAccount, type AaveMarket } from './market.js';
import { accountDataRead, conditionsRead, SELECTORS, uintRead, type ChainAccountData } from './reads.js';

/** A difference beyond this means that our books are wrong, not that something was rounded differently. */
const TOLERANCE_BPS = 10n;

/** How many calls are made beside those for accounts: prices, totals of debt and the sentinel. */
export function otherCalls({ market }: AaveMarketView): number {
  return 2 * market.reserves.size + 1;
}

/**
 * Compares these accounts with Pool.getUserAccountData, and every price with the oracle, at the view's block.
 * An account whose collateral, debt or health factor differs by more than 10 bps is a divergence. A price
 * that differs at all is wrong.
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
        compared: accounts.flatMap(({ address }, index) => (chainData[index] ? [address] : [])),
        divergences,
        wrongPrices: wrongPrices(view, chainConditions.prices),
      };
    },
  };
}

/**
 * The sum of the scaled debts of all accounts compared with ScaledBalanceTokenBase.scaledTotalSupply, reserve
 * by reserve. Both are sums of the same whole numbers: a token adds to its total and to the account what it
 * mints, and subtracts from both what it burns. So they are equal to the unit, in every version.
 *
 * @param timestamp of the block. Only the numbers that are shown depend on it.
 */
export function debtsRead(
  market: AaveMarket,
  scaledDebts: ReadonlyMap<number, bigint>,
  timestamp: number,
): Read<readonly MissingDebt[]> {
  const reserves = [...market.reserves.values()];
  const known = reserves.map(({ id }) => scaledDebts.get(id) ?? 0n);
  const totals = each(
    reserves.map(({ variableDebtToken, symbol }) =>
      uintRead(variableDebtToken, SELECTORS.scaledTotalSupply, `the total debt of ${symbol}`),
    ),
  );
  return {
    calls: totals.calls,
    decode: (results) => {
      const chain = totals.decode(results);
      return reserves.flatMap(({ asset, symbol, decimals, indexes }, index): MissingDebt[] => {
        const [ours, total] = [known[index] ?? 0n, chain[index] ?? 0n];
        if (ours === total) return [];
        const { debtBalance } = market.rules.tokens;
        const shown = (scaled: bigint): string =>
          formatUnits(debtBalance(scaled, borrowIndexAt(indexes, timestamp)), decimals);
        return [{ asset, symbol, known: shown(ours), total: shown(total), lacks: ours < total }];
      });
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
    beyondTolerance(ours.totalDebtUsd8, chain.totalDebtUsd8) ||
    beyondTolerance(ours.healthFactorWad, chain.healthFactorWad)
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
