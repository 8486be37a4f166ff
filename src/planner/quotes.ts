import { rejected, type Rejection } from '../domain/decision.js';
import type { Hash } from '../domain/hex.js';
import { valueUsd8 } from '../domain/money.js';
import type { LiquidationCandidate, LiquidationPair, Opportunity } from '../domain/opportunity.js';
import type { UniswapV3Pool } from '../liquidity/uniswap-v3.js';
import type { UniswapV3Venue } from '../liquidity/uniswap-v3.venue.js';
import { sizePair } from '../protocols/sizing.js';
import type { Chain } from '../rpc/chain/chain.js';
import { each, readAt, together } from '../rpc/chain/read.js';

/** A candidate with the pool that would fund and exit it. */
export interface Quote {
  readonly candidate: LiquidationCandidate;
  readonly pool: UniswapV3Pool;
  /** Collateral units the pool asks for `candidate.debtToFund`. */
  readonly input: bigint;
  /** Collateral seized less input, collateral units; positive. */
  readonly profit: bigint;
  readonly grossUsd8: bigint;
}

export type QuoteDecision = { readonly kind: 'quoted'; readonly quote: Quote } | Rejection;

interface Choice {
  readonly candidate: LiquidationCandidate;
  readonly pair: LiquidationPair;
  readonly pool: UniswapV3Pool;
}

/**
 * The most profitable (collateral, debt, amount, pool) of each opportunity by the quoter at `block`, before costs.
 * Two rounds at most: all edges at once, then the swap-depth optimum of the pools that are too shallow for the largest.
 */
export async function bestQuotes(
  chain: Chain,
  venue: UniswapV3Venue,
  opportunities: readonly Opportunity[],
  block: Hash,
): Promise<QuoteDecision[]> {
  await venue.findPools(
    opportunities.flatMap((opportunity) =>
      opportunity.pairs.flatMap((pair) =>
        pair.candidates
          .slice(0, 1)
          .map(({ collateral, debt }) => [collateral.address, debt.address] as const),
      ),
    ),
    block,
  );
  const choices = opportunities.map((opportunity) =>
    opportunity.pairs.flatMap((pair) => choicesOf(venue, pair)),
  );
  const [inputs, depths] = await readAt(
    chain,
    together(
      each(choices.map((own) => each(own.map((choice) => inputRead(venue, choice))))),
      each(choices.map((own) => each(largestPerPool(own).map((choice) => depthRead(venue, choice))))),
    ),
    block,
  );

  const atDepth = choices.map((own, index) =>
    largestPerPool(own).flatMap((choice, at) => swapDepthChoice(choice, depths[index]?.[at] ?? 0n)),
  );
  const depthInputs = atDepth.some((own) => own.length > 0)
    ? await readAt(
        chain,
        each(atDepth.map((own) => each(own.map((choice) => inputRead(venue, choice))))),
        block,
      )
    : [];

  return opportunities.map((_, index) => {
    const own = [...(choices[index] ?? []), ...(atDepth[index] ?? [])];
    const asked = [...(inputs[index] ?? []), ...(depthInputs[index] ?? [])];
    return best(own, asked);
  });
}

function choicesOf(venue: UniswapV3Venue, pair: LiquidationPair): Choice[] {
  return pair.candidates.flatMap((candidate) =>
    venue
      .poolsOf(candidate.collateral.address, candidate.debt.address)
      .map((pool) => ({ candidate, pair, pool })),
  );
}

function inputRead(
  venue: UniswapV3Venue,
  { candidate, pool }: Choice,
): ReturnType<UniswapV3Venue['inputFor']> {
  return venue.inputFor(pool, candidate.collateral.address, candidate.debt.address, candidate.debtToFund);
}

/** How much debt token the pool gives while the marginal unit still costs less than what the protocol pays for it. */
function depthRead(venue: UniswapV3Venue, { candidate, pool }: Choice): ReturnType<UniswapV3Venue['depth']> {
  return venue.depth(
    pool,
    candidate.collateral.address,
    candidate.debt.address,
    candidate.collateralSeized,
    candidate.debtToCover,
  );
}

/** The largest candidate of each (pair, pool), in the order of first appearance. */
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
  for (const [index, { candidate, pool }] of choices.entries()) {
    const input = inputs[index];
    if (input === undefined || input >= candidate.collateralSeized) continue;
    const profit = candidate.collateralSeized - input;
    const grossUsd8 = valueUsd8(profit, candidate.collateral);
    if (!winner || grossUsd8 > winner.grossUsd8) winner = { candidate, pool, input, profit, grossUsd8 };
  }
  return winner
    ? { kind: 'quoted', quote: winner }
    : rejected('route-too-shallow', { triedRoutes: String(choices.length) });
}
