import { rejected, type Rejection } from '../domain/decision.js';
import type { Hash } from '../domain/hex.js';
import { valueUsd8 } from '../domain/money.js';
import type { LiquidationCandidate, Opportunity } from '../domain/opportunity.js';
import type { Route } from '../domain/route.js';
import { pairKey, type TokenPair } from '../liquidity/pool.js';
import type { AskedPool, Venue } from '../liquidity/venue.js';
import { sizePair, sizePayable } from '../protocols/market-kinds.js';
import type { Chain } from '../rpc/chain/chain.js';
import { each, readAt, together, type Read } from '../rpc/chain/read.js';
import { Payables, type Payment } from './payables.js';

/** A candidate with the route that would fund it and sell its collateral. */
export interface Quote {
  readonly candidate: LiquidationCandidate;
  readonly route: Route;
  /** Collateral seized less what the route takes, collateral units; positive. */
  readonly profit: bigint;
  readonly grossUsd8: bigint;
}

export type QuoteDecision =
  { readonly kind: 'quoted'; readonly quote: Quote; readonly choice: Payment } | Rejection;

/** One amount through one pool. */
interface Choice extends Payment {
  readonly pool: AskedPool;
}

/** The pools of a pair of tokens, by {@link pairKey}. */
type PoolsByPair = ReadonlyMap<string, readonly AskedPool[]>;

/**
 * The most profitable collateral, debt, amount and route of each opportunity, by the quotes at `block` and
 * before costs. At most two round trips: first all edges, the depth of each pool and what the markets can pay
 * out of each collateral; then the amounts at which a pool's depth, or what can be paid out, ends.
 */
export async function bestQuotes(
  chain: Chain,
  venue: Venue,
  opportunities: readonly Opportunity[],
  block: Hash,
): Promise<QuoteDecision[]> {
  const pools = byPair(await venue.pools(tokenPairsOf(opportunities), block));
  const choices = opportunities.map((opportunity) => choicesOf(pools, opportunity));
  const largest = choices.map(largestPerPool);
  const [inputs, depths, payables] = await readAt(
    chain,
    together(
      each(choices.map(inputReads)),
      each(largest.map((own) => each(own.map(depthRead)))),
      Payables.read(choices.flat()),
    ),
    block,
  );

  const atEdges = largest.map((own, index) =>
    own.flatMap((choice, at) => [
      ...swapDepthChoice(choice, depths[index]?.[at] ?? 0n),
      ...payableChoice(choice, payables),
    ]),
  );
  const edgeInputs = await readAt(chain, each(atEdges.map(inputReads)), block);

  const offers = opportunities.map((_, index) => {
    const asked = [...(inputs[index] ?? []), ...(edgeInputs[index] ?? [])];
    return [...(choices[index] ?? []), ...(atEdges[index] ?? [])].map((choice, at) => ({
      choice,
      input: asked[at],
    }));
  });
  return inOrderOfProfit(offers, payables);
}

/** The most profitable position is the first to choose, because its plan is sent first. */
function inOrderOfProfit(offers: readonly (readonly Offer[])[], payables: Payables): QuoteDecision[] {
  const gross = (own: readonly Offer[]): bigint => {
    const decision = best(own, payables);
    return decision.kind === 'quoted' ? decision.quote.grossUsd8 : -1n;
  };
  const order = offers
    .map((own, index) => ({ own, index, grossUsd8: gross(own) }))
    .sort((a, b) => (a.grossUsd8 < b.grossUsd8 ? 1 : -1));
  const decisions: QuoteDecision[] = [];
  for (const { own, index } of order) {
    const decision = best(own, payables);
    decisions[index] = decision;
    if (decision.kind === 'quoted') payables.take(decision.choice);
  }
  return decisions;
}

function tokenPairsOf(opportunities: readonly Opportunity[]): TokenPair[] {
  return opportunities.flatMap(({ pairs }) =>
    pairs.flatMap(({ candidates }) =>
      candidates.slice(0, 1).map(({ collateral, debt }): TokenPair => [collateral.address, debt.address]),
    ),
  );
}

function byPair(pools: readonly AskedPool[]): PoolsByPair {
  const found = new Map<string, AskedPool[]>();
  for (const pool of pools) {
    const key = pairKey(pool.tokens);
    found.set(key, [...(found.get(key) ?? []), pool]);
  }
  return found;
}

function choicesOf(pools: PoolsByPair, { market, pairs }: Opportunity): Choice[] {
  return pairs.flatMap((pair) =>
    pair.candidates.flatMap((candidate) => {
      const { collateral, debt } = candidate;
      const own = pools.get(pairKey([collateral.address, debt.address])) ?? [];
      return own.map((pool) => ({ market, candidate, pair, pool }));
    }),
  );
}

function inputReads(choices: readonly Choice[]): Read<(bigint | undefined)[]> {
  return each(
    choices.map(({ candidate: { collateral, collateralSeized, debtToFund }, pool }) =>
      pool.amountIn(collateral.address, debtToFund, collateralSeized),
    ),
  );
}

/** How much debt token the pool gives before a unit costs more than the protocol pays for it. */
function depthRead({ candidate, pool }: Choice): Read<bigint> {
  return pool.depth(candidate.collateral.address, candidate.collateralSeized, candidate.debtToCover);
}

/** The choice with the largest amount for each pair in each pool, in the order of first appearance. */
function largestPerPool(choices: readonly Choice[]): Choice[] {
  const largest = new Map<string, Choice>();
  for (const choice of choices) {
    const { collateral, debt, debtToCover } = choice.candidate;
    const key = `${choice.pool.address}-${collateral.address}-${debt.address}`;
    const known = largest.get(key);
    if (!known || known.candidate.debtToCover < debtToCover) largest.set(key, choice);
  }
  return [...largest.values()];
}

function swapDepthChoice(choice: Choice, depth: bigint): Choice[] {
  if (depth === 0n || depth >= choice.candidate.debtToFund) return [];
  const candidate = sizePair(choice.pair, depth, 'swap-depth');
  return candidate ? [{ ...choice, candidate }] : [];
}

/** The amount at which the market has paid out all that it can of this collateral. */
function payableChoice(choice: Choice, payables: Payables): Choice[] {
  const payable = payables.of(choice);
  if (payable === undefined || payables.fits(choice)) return [];
  const candidate = sizePayable(choice.pair, payable);
  return candidate && candidate.debtToCover <= choice.candidate.debtToCover ? [{ ...choice, candidate }] : [];
}

interface Offer {
  readonly choice: Choice;
  /** What the pool takes for it; undefined where it cannot deliver. */
  readonly input: bigint | undefined;
}

function best(offers: readonly Offer[], payables: Payables): QuoteDecision {
  const [first] = offers;
  if (!first) return rejected('no-route');
  const payable = offers.filter(({ choice }) => payables.fits(choice));
  if (payable.length === 0) return payables.refusalOf(first.choice);
  let winner: Extract<QuoteDecision, { kind: 'quoted' }> | undefined;
  for (const { choice, input } of payable) {
    const { candidate } = choice;
    if (input === undefined || input >= candidate.collateralSeized) continue;
    const profit = candidate.collateralSeized - input;
    const grossUsd8 = valueUsd8(profit, candidate.collateral);
    if (winner && grossUsd8 <= winner.quote.grossUsd8) continue;
    const quote = { candidate, route: directRoute(choice, input), profit, grossUsd8 };
    winner = { kind: 'quoted', quote, choice };
  }
  return winner ?? rejected('route-too-shallow', { triedRoutes: String(payable.length) });
}

function directRoute({ candidate, pool }: Choice, quotedInput: bigint): Route {
  const hops = [pool.hop(candidate.collateral.address)];
  return { parts: [{ quotedInput, output: candidate.debtToFund, hops }] };
}
