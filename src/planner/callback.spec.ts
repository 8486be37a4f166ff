import { describe, expect, it } from 'vitest';
import { MORPHO_COLLATERAL, MORPHO_DEBT, morphoOpportunity } from '../../testing/builders/morpho.js';
import { addressOf, BLOCK } from '../../testing/builders/opportunities.js';
import { ConstantProductPool } from '../../testing/fakes/constant-product-pool.js';
import { viewOfPools } from '../../testing/pools.js';
import { prospectsOf } from '../../testing/prospects.js';
import { USD8 } from '../domain/money.js';
import { Offers } from '../liquidity/lenders/offers.js';
import { draftOf } from './drafts.js';
import { quotesInTurns, type Quote } from './quotes.js';

const cbBTC = (whole: number): bigint => BigInt(whole) * 10n ** 8n;
const usdc = (whole: number): bigint => BigInt(whole) * 10n ** 6n;
const context = { block: BLOCK, nativePriceUsd8: 2_700n * USD8, bidOf: () => undefined };
const OPPORTUNITY = morphoOpportunity();

/** Deep, at $90,000 for one cbBTC. @param lends whether it can fund a flash swap. */
const poolOf = (lends: boolean): ConstantProductPool =>
  new ConstantProductPool(
    ...([
      addressOf('01'),
      [MORPHO_DEBT.address, MORPHO_COLLATERAL.address],
      [usdc(90_000_000), cbBTC(1_000)],
    ] as const),
    ...([500, lends] as const),
  );

function quoteOn(lends: boolean): Quote {
  const free = { name: 'free', lender: addressOf('e1'), feeBps: 0n, most: usdc(1_000_000), gas: 0n };
  const lenders = Offers.of([[MORPHO_DEBT.address, free]]);
  const world = { ...context, pools: viewOfPools([poolOf(lends)]), lenders };
  const turns = [...quotesInTurns(world, prospectsOf([OPPORTUNITY]))];
  const decision = turns.find((turn) => turn !== undefined)?.decision;
  if (decision?.kind !== 'quoted') throw new Error('a quote was expected');
  return decision.quote;
}

describe('a market of Morpho Blue, which gives the collateral before it takes the debt', () => {
  it('needs no lender: all of the collateral is sold, and what is left are debt tokens', () => {
    const quote = quoteOn(false);
    expect(quote.funding).toEqual({ kind: 'callback' });
    expect(quote.route.parts[0]?.quotedInput).toBe(quote.candidate.collateralSeized);
    expect(quote.profit).toBe(quote.route.parts[0]!.output - quote.candidate.debtToFund);
    expect(quote.profit).toBeGreaterThan(0n);
    expect(quote.grossUsd8).toBe(quote.profit * 100n);
  });

  it('is not liquidated with a loan, also where one is free', () => {
    expect(['callback', 'flash-swap']).toContain(quoteOn(true).funding.kind);
  });

  it('becomes the step with the callback, and sales, with the profit in debt tokens', () => {
    const draft = draftOf(OPPORTUNITY, quoteOn(false), context, 5n * USD8);
    if ('kind' in draft) throw new Error(draft.reason);
    const [liquidation] = draft.liquidations;
    expect(liquidation).toMatchObject({
      ...{ profitIn: 'debt', minProfit: usdc(5), look: { marketId: OPPORTUNITY.marketId } },
      steps: [{ kind: 'liquidate-morpho', callback: true }, { kind: 'sell' }],
    });
  });
});
