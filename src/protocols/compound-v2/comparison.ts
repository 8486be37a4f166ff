import { formatUnits } from '../../domain/money.js';
import type { Address } from '../../domain/hex.js';
import { each, together, type Read } from '../../rpc/chain/read.js';
import type { Comparison, MissingDebt } from '../../state/followed.js';
import type { CompoundMarketView } from './at-risk.js';
import {
  borrowBalance,
  priceUsd8Of,
  type CompoundAccount,
  type CompoundMarket,
  type Leg,
  type MarketState,
} from './market.js';
import { balancesRead, enteredRead, priceRead, stateRead, type ChainBalances } from './reads.js';

/**
 * An account whose index nobody told may owe so many units more than our books say, until it borrows or
 * repays ({@link accountRead}).
 */
export const UNKNOWN_INDEX_UNITS = 2n;

/** How many calls are made beside those for accounts: prices. */
export function otherCalls({ market }: CompoundMarketView): number {
  return market.mTokens.size;
}

/** How many calls one account takes. */
export function callsOfAccount({ market }: CompoundMarketView): number {
  return 1 + 2 * market.mTokens.size;
}

/**
 * Compares these accounts with the Comptroller and its markets: memberships, mTokens, and debts as they are
 * booked. Also compares every price with the oracle. All at the view's block. An account whose numbers differ
 * is a divergence, but for {@link UNKNOWN_INDEX_UNITS} of a debt. A price that differs at all is wrong.
 */
export function comparisonRead(
  view: CompoundMarketView,
  accounts: readonly CompoundAccount[],
): Read<Comparison> {
  const { market, conditions } = view;
  const mTokens = [...market.mTokens.values()];
  const all = together(
    each(mTokens.map(({ address }) => priceRead(market.oracle, address))),
    each(
      accounts.map((account) =>
        together(
          enteredRead(market.comptroller, account.address),
          each(mTokens.map(({ address }) => balancesRead(address, account.address))),
        ),
      ),
    ),
  );
  return {
    calls: all.calls,
    decode: (results) => {
      const [prices, chain] = all.decode(results);
      const divergences = accounts.flatMap((account, index): Comparison['divergences'] => {
        const [entered, balances] = chain[index] ?? [new Set<Address>(), []];
        const detail = differencesOf(market, conditions.states, account, entered, balances);
        return Object.keys(detail).length === 0 ? [] : [{ account: account.address, detail }];
      });
      const wrongPrices = mTokens.flatMap(({ id, asset, decimals }, index): Comparison['wrongPrices'] => {
        const [ours, theirs] = [conditions.prices.get(id), prices[index]];
        if (ours === theirs) return [];
        const usd8 = (price: bigint | undefined): bigint | undefined =>
          price === undefined ? undefined : priceUsd8Of(price, decimals);
        return [{ asset, oursUsd8: usd8(ours), chainUsd8: usd8(theirs) }];
      });
      return { compared: accounts.map(({ address }) => address), divergences, wrongPrices };
    },
  };
}

/** Both sides' numbers of each market in which they differ. */
function differencesOf(
  { mTokens }: CompoundMarket,
  states: ReadonlyMap<number, MarketState>,
  { legs }: CompoundAccount,
  entered: ReadonlySet<Address>,
  balances: readonly ChainBalances[],
): Record<string, string> {
  const detail: Record<string, string> = {};
  for (const [index, { id, address, symbol }] of [...mTokens.values()].entries()) {
    const leg = legs.find(({ mTokenId }) => mTokenId === id);
    const state = states.get(id);
    const chain = balances[index] ?? { tokens: 0n, debt: 0n };
    const debt = leg && state ? borrowBalance(leg, state.totals) : 0n;
    const lacking = chain.debt - debt;
    const same =
      (leg?.tokens ?? 0n) === chain.tokens &&
      (leg?.entered ?? false) === entered.has(address) &&
      lacking >= 0n &&
      lacking <= UNKNOWN_INDEX_UNITS;
    if (same) continue;
    const text = (isIn: boolean, tokens: bigint, owed: bigint): string =>
      `${isIn ? 'entered' : 'not entered'}, ${String(tokens)} mTokens, debt ${String(owed)}`;
    detail[`our ${symbol} (${address})`] = text(leg?.entered ?? false, leg?.tokens ?? 0n, debt);
    detail[`chain ${symbol} (${address})`] = text(entered.has(address), chain.tokens, chain.debt);
  }
  return detail;
}

/** See {@link debtTolerance}. */
const TOLERANCE_SHARE = 10_000n;

/**
 * By how many units the debts of all accounts may differ from CToken.totalBorrows. Both begin equal, and each
 * of these events moves them apart by at most a unit: an accrual truncates the total, and a borrowing or a
 * repayment truncates what the account owed before it; each account is truncated once more when it is summed.
 * Nobody counted those events before we looked. So the accounts, and one event for each block of the search,
 * are allowed, but not more than 1 bp of the total beyond the accounts.
 *
 * @param blocks since the market's configured first block.
 */
export function debtTolerance(totalBorrows: bigint, accounts: number, blocks: number): bigint {
  const events = BigInt(Math.max(0, blocks));
  const most = totalBorrows / TOLERANCE_SHARE;
  return BigInt(accounts) * (1n + UNKNOWN_INDEX_UNITS) + (events < most ? events : most);
}

/**
 * The debts of these accounts compared with the totals of the markets, as both are booked.
 *
 * @param blocks see {@link debtTolerance}.
 */
export function debtsRead(
  { mTokens, clock }: CompoundMarket,
  accounts: Iterable<CompoundAccount>,
  blocks: number,
): Read<readonly MissingDebt[]> {
  // The books go on until the answers are there.
  const debts = new Map<number, Leg[]>();
  for (const { legs } of accounts)
    for (const leg of legs)
      if (leg.principal > 0n) {
        const known = debts.get(leg.mTokenId);
        if (known) known.push(leg);
        else debts.set(leg.mTokenId, [leg]);
      }
  const markets = [...mTokens.values()];
  const { calls, decode } = each(markets.map(({ address }) => stateRead(address, clock)));
  return {
    calls,
    decode: (results) => {
      const states = decode(results);
      return markets.flatMap(({ id, asset, symbol, decimals }, index): MissingDebt[] => {
        const totals = states[index]?.totals;
        if (!totals) return [];
        const total = totals.totalBorrows;
        const legs = debts.get(id) ?? [];
        const owed = legs.reduce((sum, leg) => sum + borrowBalance(leg, totals), 0n);
        const difference = owed > total ? owed - total : total - owed;
        if (difference <= debtTolerance(total, legs.length, blocks)) return [];
        const shown = (amount: bigint): string => formatUnits(amount, decimals);
        return [{ asset, symbol, known: shown(owed), total: shown(total), lacks: owed < total }];
      });
    },
  };
}
