import type { Address } from '../domain/hex.js';
import { BPS, mulDivCeil } from '../domain/money.js';
import type { Pool } from '../liquidity/pool.js';
import { AmountSearch } from './amounts.js';
import { Divider, type Division } from './division.js';
import { buyExactly, NO_EXIT, sellAll, type Exit } from './exit.js';
import type { Form, FormKind } from './form.js';
import { MOST_HOPS, type Search } from './path.js';
import { PathFinder } from './paths.js';
import { PoolGraph } from './pool-graph.js';
import type { Plan, Sized, Trade } from './trade.js';

/** How many of the best by floats are computed exactly. */
const MOST_EXACT = 2;
/** Of the best value: whatever is further behind is not computed exactly. */
const FLOAT_TOLERANCE = 0.0001;

/**
 * The best way from a collateral to a debt through pools of one state, and the best amount. It reads nothing
 * but the pools, and knows no time: the same pools give the same plan, in whatever order they come.
 *
 * Floats choose what is worth computing. What is returned was computed exactly, to the unit, on the pools'
 * own integer maths.
 */
export class Router {
  private constructor(
    private readonly graph: PoolGraph,
    private readonly paths: PathFinder,
  ) {}

  /** @param pools all of them, each once, at the same block. */
  static of(pools: Iterable<Pool>): Router {
    const graph = PoolGraph.of(pools);
    return new Router(graph, PathFinder.of(graph));
  }

  /** The router after a route was used: see {@link Exit.changed}. */
  after(changed: ReadonlyMap<Address, Pool>): Router {
    if (changed.size === 0) return this;
    const graph = this.graph.with(changed);
    const between = [...changed.values()].flatMap(({ tokens: [first, second] }) => {
      const [one, other] = [graph.token(first), graph.token(second)];
      return one === undefined || other === undefined ? [] : [[one, other] as const];
    });
    return new Router(graph, this.paths.after(graph, between));
  }

  /**
   * The amount and the route of a trade with the highest profit after the gas of the hops.
   *
   * A trade within one token needs no exit: its route has no parts. It needs a loan, so its form is `sale`.
   *
   * @returns undefined where no amount is profitable.
   */
  best<S extends Sized>(trade: Trade<S>, form: Form): Plan<S> | undefined {
    if (trade.collateral === trade.debt) return withoutExit(trade, form);
    const search = this.search(trade.collateral, trade.debt, form);
    if (!search) return undefined;
    const loanFactor = form.kind === 'sale' ? 1 + Number(form.loanFeeBps) / Number(BPS) : 1;
    const choices = new AmountSearch(
      trade,
      form.kind,
      loanFactor,
      (amount) => this.paths.worthTrying(search, amount),
      new Divider(this.graph, search),
      new Divider(this.graph.asked, search),
    ).choices();
    const [first] = choices;
    if (!first || first.value <= 0) return undefined;
    let best: Plan<S> | undefined;
    let computed = 0;
    for (const { size, division, value } of choices) {
      if (computed === MOST_EXACT || value < first.value * (1 - FLOAT_TOLERANCE)) if (best) break;
      const exit = this.exact(search.kind, division, size);
      if (!exit) continue;
      computed += 1;
      const plan = planOf(size, exit, form);
      if (!best || plan.netProfit > best.netProfit) best = plan;
    }
    return best && best.netProfit > 0n ? best : undefined;
  }

  /**
   * The least collateral for exactly `amountOut` debt units by flash swaps. A part more is taken only where
   * it saves more than its gas.
   *
   * @param hopCost gas of one hop, in collateral units.
   * @returns undefined where no route gives that much.
   */
  bestExactOut(collateral: Address, debt: Address, amountOut: bigint, hopCost = 0n): Exit | undefined {
    const form: Form = { kind: 'flash-swap', hopCost };
    const size = { debtToFund: amountOut, collateralSeized: 0n };
    return this.bestExit(collateral, debt, form, size, (exit) => -exit.amountIn);
  }

  /**
   * The most debt for exactly `amountIn` collateral units by sales.
   *
   * @param hopCost gas of one hop, in debt units.
   * @returns undefined where no route takes that much.
   */
  bestExactIn(collateral: Address, debt: Address, amountIn: bigint, hopCost = 0n): Exit | undefined {
    const form: Form = { kind: 'sale', hopCost, loanFeeBps: 0n };
    const size = { debtToFund: 0n, collateralSeized: amountIn };
    return this.bestExit(collateral, debt, form, size, (exit) => exit.amountOut);
  }

  /**
   * The best price of a small amount: debt units for one unit of collateral. No larger amount has a better
   * one. A float: it may order, never decide. 0 where there is no way.
   */
  bestPrice(collateral: Address, debt: Address, kind: FormKind): number {
    if (collateral === debt) return 1;
    const search = this.search(collateral, debt, { kind });
    return search ? this.paths.bestPrice(search) : 0;
  }

  /** Whether any path of at most {@link MOST_HOPS} pools leads from the collateral to the debt. */
  reaches(collateral: Address, debt: Address, kind: FormKind): boolean {
    const [from, to] = [this.graph.token(collateral), this.graph.token(debt)];
    if (from === undefined || to === undefined) return false;
    let reached = new Set([from]);
    for (let hop = 0; hop < MOST_HOPS && !reached.has(to); hop += 1) {
      const links = [...reached].flatMap((token) => this.graph.from(token));
      const usable = links.filter(({ pool }) => kind === 'sale' || this.graph.lends(pool));
      reached = new Set([...reached, ...usable.map(({ other }) => other)]);
    }
    return reached.has(to);
  }

  private bestExit(
    collateral: Address,
    debt: Address,
    form: Form,
    size: Sized,
    worth: (exit: Exit) => bigint,
  ): Exit | undefined {
    const search = this.search(collateral, debt, form);
    if (!search) return undefined;
    const amount = Number(form.kind === 'sale' ? size.collateralSeized : size.debtToFund);
    const divisions = new Divider(this.graph, search).best(this.paths.worthTrying(search, amount), amount);
    const net = (exit: Exit): bigint => worth(exit) - form.hopCost * BigInt(exit.hops);
    return divisions
      .flatMap((division) => this.exact(form.kind, division, size) ?? [])
      .reduce<Exit | undefined>((best, exit) => (best && net(best) >= net(exit) ? best : exit), undefined);
  }

  private search(
    collateral: Address,
    debt: Address,
    form: Pick<Form, 'kind'> & Partial<Pick<Form, 'hopCost'>>,
  ): Search | undefined {
    const [from, to] = [this.graph.token(collateral), this.graph.token(debt)];
    if (from === undefined || to === undefined) return undefined;
    return { kind: form.kind, collateral: from, debt: to, hopCost: Number(form.hopCost ?? 0n) };
  }

  private exact(kind: FormKind, { paths, amounts }: Division, size: Sized): Exit | undefined {
    if (kind === 'sale') return sellAll(this.graph, paths, amounts, size.collateralSeized);
    return buyExactly(this.graph, paths, whole(amounts, size.debtToFund));
  }
}

/** Amounts in the proportions of these, in units, that are `total` together. */
function whole(amounts: readonly number[], total: bigint): bigint[] {
  const sum = amounts.reduce((all, one) => all + one, 0);
  const parts = amounts.slice(1).map((one) => BigInt(Math.floor((one / sum) * Number(total))));
  return [parts.reduce((rest, one) => rest - one, total), ...parts];
}

function planOf<S extends Sized>(size: S, exit: Exit, form: Form): Plan<S> {
  const profit =
    form.kind === 'sale'
      ? exit.amountOut - owed(size, form.loanFeeBps)
      : size.collateralSeized - exit.amountIn;
  return { size, exit, profit, netProfit: profit - form.hopCost * BigInt(exit.hops) };
}

/** Debt units: the loan with its fee. */
function owed({ debtToFund }: Sized, loanFeeBps: bigint): bigint {
  return debtToFund + mulDivCeil(debtToFund, loanFeeBps, BPS);
}

function withoutExit<S extends Sized>(trade: Trade<S>, form: Form): Plan<S> | undefined {
  if (form.kind !== 'sale') return undefined;
  let best: Plan<S> | undefined;
  for (const amount of new Set([trade.most, ...trade.edges, trade.least])) {
    const size = trade.size(amount);
    if (!size) continue;
    const profit = size.collateralSeized - owed(size, form.loanFeeBps);
    if (profit > (best?.profit ?? 0n)) best = { size, exit: NO_EXIT, profit, netProfit: profit };
  }
  return best;
}
