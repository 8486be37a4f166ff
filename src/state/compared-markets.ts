import type { Address } from '../domain/hex.js';
import { together, type Read } from '../rpc/chain/read.js';
import type { Comparison, FollowedAccounts, MissingDebt } from './followed.js';
import type { StateView } from './state-view.js';

/** How much is compared with the chain at once. */
export interface ComparisonBudget {
  /** For each market that has its turn. The prices of the other markets are part of them. */
  readonly calls: number;
  /** Calls that one eth_call carries. */
  readonly chunk: number;
  /** So many markets have their turn; absent: all. */
  readonly turns?: number | undefined;
}

/** What is compared of a market. */
export interface ComparedMarket {
  readonly market: FollowedAccounts;
  /** Debts are undefined where they are not asked. */
  readonly read: Read<[Comparison, readonly MissingDebt[] | undefined]>;
}

const NOT_ASKED: Read<undefined> = { calls: [], decode: () => undefined };

/**
 * Chooses what is compared with the chain next. Accounts and debts come by turns, market by market: what a
 * market costs beside its accounts, it costs once in its turn, and a market of many assets still has room for
 * accounts. Prices are few, and a wrong one makes many positions wrong: those of all markets are compared
 * each time.
 */
export class ComparedMarkets {
  /** Among the markets that are served. */
  private turn = 0;

  constructor(private readonly markets: readonly FollowedAccounts[]) {}

  /** @param first the accounts of a market that have to be compared, whether or not it is its turn. */
  next(
    view: StateView,
    { calls, turns = Infinity }: ComparisonBudget,
    first: (market: string) => readonly Address[],
  ): readonly ComparedMarket[] {
    const served = this.markets.filter(({ refusal }) => refusal === undefined);
    const count = Math.min(turns, served.length);
    const from = this.turn;
    const isDue = ({ name }: FollowedAccounts, index: number): boolean =>
      (index - from + served.length) % served.length < count || first(name).length > 0;
    const due = served.filter(isDue);
    this.turn = served.length > 0 ? (from + count) % served.length : 0;
    const others = served
      .filter((market) => !due.includes(market))
      .map((market) => ({ market, read: market.comparisonOf(view.of(market), []) }));
    const ofOthers = others.reduce((sum, { read }) => sum + read.calls.length, 0);
    return [
      ...due.map((market) => {
        const debts = market.debts(view.block) ?? NOT_ASKED;
        // Half is for the market itself, however much there is beside its accounts: prices of many markets,
        // and debts in many assets. Then it is more than one eth_call.
        const beside = debts.calls.length + Math.ceil(ofOthers / due.length);
        const left = Math.max(calls - beside, Math.ceil(calls / 2));
        return {
          market,
          read: together(market.comparison(view.of(market), left, first(market.name)), debts),
        };
      }),
      ...others.map(({ market, read }) => ({ market, read: together(read, NOT_ASKED) })),
    ];
  }
}
