import { rejected, type Rejection } from '../domain/decision.js';
import type { Hash } from '../domain/hex.js';
import { valueUsd8 } from '../domain/money.js';
import type { LiquidationCandidate, LiquidationPair, Opportunity } from '../domain/opportunity.js';
import type { Route } from '../domain/route.js';
import { pairKey, type Pool, type TokenPair, type Venue } from '../liquidity/venue.js';
import { sizePair } from '../protocols/market-kinds.js';
import type { Chain } from '../rpc/chain/chain.js';
import { each, readAt, together, type Read } from '../rpc/chain/read.js';

/** A candidate with the route that would fund it and sell its collateral. */
export interface Quote {
  readonly candidate: LiquidationCandidate;
  readonly route: Route;
  /** Collateral seized less what the route takes, collateral units; positive. */
  readonly profit: bigint;
  readonly grossUsd8: bigint;
}

export type QuoteDecision = { readonly kind: 'quoted'; readonly quote: Quote } | Rejection;

/** One amount through one pool. */
interface Choice {
  readonly candidate: LiquidationCandidate;
  readonly pair: LiquidationPair;
  readonly pool: Pool;
}

/** The pools of a pair of tokens, by {@link pairKey}. */
type PoolsByPair = ReadonlyMap<string, readonly Pool[]>;

/**
 * The most profitable collateral, debt, amount and route of each opportunity, by the quotes at `block` and
 * before costs. At most two round trips: first all edges and the depth of each pool, then the amounts at
 * which a pool's depth ends.
 */
export async function bestQuotes(
  chain: Chain,
  venue: Venue,
  opportunities: readonly Opportunity[],
  block: Hash,
): Promise<QuoteDecision[]> {
  const pools = byPair(await venue.pools(tokenPairsOf(opportunities), block));
  const choices = opportunities.map(({ pairs }) => pairs.flatMap((pair) => choicesOf(pools, pair)));
  const largest = choices.map(largestPerPool);
  const [inputs, depths] = await readAt(
    chain,
    together(each(choices.map(inputReads)), each(largest.map((own) => each(own.map(depthRead))))),
    block,
  );

  const atDepth = largest.map((own, index) =>
    own.flatMap((choice, at) => swapDepthChoice(choice, depths[index]?.[at] ?? 0n)),
  );
  const depthInputs = await readAt(chain, each(atDepth.map(inputReads)), block);

  return opportunities.map((_, index) => {
    const own = [...(choices[index] ?? []), ...(atDepth[index] ?? [])];
    const asked = [...(inputs[index] ?? []), ...(depthInputs[index] ?? [])];
    return best(own, asked);
  });
}

function tokenPairsOf(opportunities: readonly Opportunity[]): TokenPair[] {
  return opportunities.flatMap(({ pairs }) =>
    pairs.flatMap(({ candidates }) =>
      candidates.slice(0, 1).map(({ collateral, debt }): TokenPair => [collateral.address, debt.address]),
    ),
  );
}

function byPair(pools: readonly Pool[]): PoolsByPair {
  const found = new Map<string, Pool[]>();
  for (const pool of pools) {
    const key = pairKey(pool.tokens);
    found.set(key, [...(found.get(key) ?? []), pool]);
  }
  return found;
}

function choicesOf(pools: PoolsByPair, pair: LiquidationPair): Choice[] {
  return pair.candidates.flatMap((candidate) => {
    const { collateral, debt } = candidate;
    const own = pools.get(pairKey([collateral.address, debt.address])) ?? [];
    return own.map((pool) => ({ candidate, pair, pool }));
  });
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

function best(choices: readonly Choice[], inputs: readonly (bigint | undefined)[]): QuoteDecision {
  if (choices.length === 0) return rejected('no-route');
  let winner: Quote | undefined;
  for (const [index, choice] of choices.entries()) {
    const { candidate } = choice;
    const input = inputs[index];
    if (input === undefined || input >= candidate.collateralSeized) continue;
    const profit = candidate.collateralSeized - input;
    const grossUsd8 = valueUsd8(profit, candidate.collateral);
    if (!winner || grossUsd8 > winner.grossUsd8)
      winner = { candidate, route: directRoute(choice, input), profit, grossUsd8 };
  }
  return winner
    ? { kind: 'quoted', quote: winner }
    : rejected('route-too-shallow', { triedRoutes: String(choices.length) });
}

function directRoute({ candidate, pool }: Choice, quotedInput: bigint): Route {
  const hops = [pool.hop(candidate.collateral.address)];
  return { parts: [{ quotedInput, output: candidate.debtToFund, hops }] };
}
