import type { Address, Hash } from '../../domain/hex.js';
import { uintAt, addressWord } from '../../domain/hex.js';
import type { PreLiquidationCoverage } from '../../domain/market-coverage.js';
import type { Chain } from '../../rpc/chain/chain.js';
import { each, successOf, together, type Read } from '../../rpc/chain/read.js';
import { Watchlist } from '../scan/watchlist.js';
import { marketFactors } from './factors.js';
import type { Authorisation, BlueAnswers } from './oracle-prices.js';
import type { PositionTable, RowKey } from './position-table.js';
import { isAbove, type OpenPreLiquidation, type PreLiquidatable } from './pre-liquidation-at-risk.js';
import {
  PreLiquidationBook,
  type PreLiquidationPair,
  type PreLiquidationUndo,
} from './pre-liquidation-book.js';
import type {
  PreLiquidationChange,
  PreLiquidationSettings,
  PreLiquidationSources,
} from './pre-liquidation-events.js';
import { PreLiquidationSearch } from './pre-liquidation-search.js';
import { preLiquidationTerms, type PreLiquidation } from './pre-liquidation.js';
import { SELECTORS } from './reads.js';
import type { ValuedMarket } from './valued-market.js';

/**
 * An authorisation is asked for from this share of the lower limit on, so that it is known when the position
 * gets there. Percent.
 */
const NEAR_PERCENT = 95n;
/** Rows that are looked at for authorisations that are not known, and how many are asked for, at a head. */
const MOST_LOOKED_AT = 200;
const MOST_ASKED = 100;

/**
 * The pre-liquidation contracts of one Morpho Blue, and the positions that they may take. Without a
 * configured factory it knows none, and asks nothing.
 */
export class PreLiquidations {
  private readonly book = new PreLiquidationBook();
  private readonly watchlist: Watchlist<RowKey>;
  private readonly search: PreLiquidationSearch | undefined;
  private wanted: readonly PreLiquidationPair[] = [];
  private turn = 0;
  /** Of contracts that somebody authorised: those that no market has. */
  private otherOracles: ReadonlySet<Address> = new Set();
  private positions = 0;
  private markets = 0;

  constructor(
    chain: Chain,
    private readonly settings: PreLiquidationSettings,
    private readonly table: PositionTable,
  ) {
    this.watchlist = new Watchlist(table.rows, 1);
    const { morpho, preLiquidationFactory, fromBlock = 0, preLiquidationFromBlock = 0 } = settings;
    if (!preLiquidationFactory) return;
    const from = Math.max(fromBlock, preLiquidationFromBlock);
    this.search = new PreLiquidationSearch(
      chain,
      { morpho, preLiquidationFactory, fromBlock: from },
      (contract) => this.add(contract),
    );
  }

  /** Undefined where they are not looked for. */
  get coverage(): { readonly preLiquidation?: PreLiquidationCoverage } {
    if (!this.search) return {};
    const { markets, positions } = this;
    const { isDone, failure } = this.search;
    const state = { contracts: this.book.size, markets, positions, searching: !isDone };
    return { preLiquidation: isDone || !failure ? state : { ...state, problem: failure } };
  }

  /** Oracles that no market has, of contracts that somebody authorised. */
  get oracles(): Iterable<Address> {
    return this.otherOracles;
  }

  /** Follows from this block on. @param isStart what is followed now is not of the same history. */
  begin(block: number, isStart: boolean): void {
    this.book.forgetAuthorisations();
    if (isStart) {
      this.book.clear();
      this.search?.restart(block);
    }
    this.reset();
  }

  commit(changes: readonly PreLiquidationChange[], block: number): PreLiquidationUndo {
    if (changes.some(({ kind }) => kind === 'created')) this.reset();
    return this.book.commit(changes, block);
  }

  undo(undo: PreLiquidationUndo): void {
    this.book.undo(undo);
    this.reset();
  }

  /** With the authorisations that have to be asked for at a head. @param now seconds since the epoch. */
  with(read: Read<BlueAnswers>, now: number): Read<BlueAnswers> {
    this.search?.wake(now);
    const pairs = this.wanted;
    if (pairs.length === 0) return read;
    const all = together(each(pairs.map((pair) => authorisationRead(this.settings, pair))), read);
    return {
      calls: all.calls,
      decode: (results) => {
        const [authorisations, answers] = all.decode(results);
        return { ...answers, authorisations };
      },
    };
  }

  /**
   * The positions that may be pre-liquidated at the block that was applied last, and not liquidated.
   *
   * @param touched rows that changed since the last update.
   */
  update(
    answers: BlueAnswers,
    valued: ReadonlyMap<Hash, ValuedMarket>,
    ids: readonly Hash[],
    touched: Iterable<RowKey>,
  ): PreLiquidatable[] {
    for (const { pair, isAuthorised } of answers.authorisations ?? []) this.book.learn(pair, isAuthorised);
    const worths = new Map(
      [...this.book.markets].flatMap((id) => {
        const market = valued.get(id);
        if (!market) return [];
        const { price, debtPerShare } = market;
        return [[id, { price, debtPerShare, lltvWad: this.nearLimitWad(id) }] as const];
      }),
    );
    this.markets = worths.size;
    [this.wanted, this.positions] = [[], 0];
    if (worths.size === 0) {
      this.otherOracles = new Set();
      // What is touched meanwhile is not noted.
      this.reset();
      return [];
    }
    this.watchlist.update(
      marketFactors(ids, (id) => this.table.numberOf(id), worths),
      touched,
    );
    this.wanted = this.unknown(valued);
    const found = this.open(answers, valued);
    this.positions = found.length;
    return found;
  }

  private reset(): void {
    this.watchlist.reset();
  }

  private add(contract: PreLiquidation): void {
    this.book.add(contract);
    this.reset();
  }

  private nearLimitWad(marketId: Hash): bigint {
    const limits = this.book.of(marketId).map(({ preLltvWad }) => preLltvWad);
    return nearWad(limits.reduce((least, one) => (one < least ? one : least)));
  }

  /** Pairs near the limits of which it is not known whether they are authorised: in turns. */
  private unknown(valued: ReadonlyMap<Hash, ValuedMarket>): PreLiquidationPair[] {
    const { rows } = this.watchlist;
    const unknown: PreLiquidationPair[] = [];
    const most = Math.min(rows.length, MOST_LOOKED_AT);
    for (let looked = 0; looked < most && unknown.length < MOST_ASKED; looked++) {
      const found = this.table.positionIn(rows[this.turn++ % rows.length] ?? 0);
      const market = found && valued.get(found.marketId);
      if (!market || isAbove(market, found.position, market.lltvWad)) continue;
      for (const { contract, preLltvWad } of this.book.of(found.marketId)) {
        if (unknown.length >= MOST_ASKED || this.book.isKnown(found.borrower, contract)) continue;
        if (isAbove(market, found.position, nearWad(preLltvWad)))
          unknown.push({ borrower: found.borrower, contract });
      }
    }
    return unknown;
  }

  private open(
    { prices }: Pick<BlueAnswers, 'prices'>,
    valued: ReadonlyMap<Hash, ValuedMarket>,
  ): PreLiquidatable[] {
    const others = new Set<Address>();
    const found = new Map<RowKey, PreLiquidatable>();
    for (const { borrower, contract } of this.book.authorised) {
      const by = this.book.get(contract);
      const market = by && valued.get(by.marketId);
      if (!market) continue;
      const { params } = market.market;
      const isOther = by.oracle !== params.oracle;
      if (isOther) others.add(by.oracle);
      const price = isOther ? prices.get(by.oracle) : market.price;
      const { key, position } = this.table.positionFor(borrower, by.marketId) ?? {};
      // What anybody may liquidate at Morpho is liquidated there.
      if (price === undefined || key === undefined || !position) continue;
      if (isAbove(market, position, market.lltvWad)) continue;
      const inputs = { totals: market.totals, position, price, lltvWad: market.lltvWad };
      const terms = preLiquidationTerms(inputs, by);
      if (!terms) continue;
      const before = found.get(key)?.open ?? [];
      const open = inOrder({ by, inputs, terms }, before);
      found.set(key, { borrower, marketId: by.marketId, position, valued: market, open });
    }
    this.otherOracles = others;
    return [...found.values()];
  }
}

const nearWad = (limitWad: bigint): bigint => (limitWad * NEAR_PERCENT) / 100n;

function inOrder(
  one: OpenPreLiquidation,
  others: readonly OpenPreLiquidation[],
): [OpenPreLiquidation, ...OpenPreLiquidation[]] {
  const better = others.filter(({ terms }) => terms.incentiveWad >= one.terms.incentiveWad);
  const [first = one, ...rest] = better;
  return better.length === 0
    ? [one, ...others]
    : [first, ...rest, one, ...others.filter((other) => !better.includes(other))];
}

/** Morpho.isAuthorized */
function authorisationRead(
  { morpho }: Pick<PreLiquidationSources, 'morpho'>,
  pair: PreLiquidationPair,
): Read<Authorisation> {
  const { borrower, contract } = pair;
  return {
    calls: [
      { to: morpho, data: `${SELECTORS.isAuthorized}${addressWord(borrower)}${addressWord(contract)}` },
    ],
    decode: ([result]) => {
      const data = successOf(result, `whether ${borrower} authorised ${contract}`);
      return { pair, isAuthorised: uintAt(data, 0) === 1n };
    },
  };
}
