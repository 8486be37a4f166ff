import { prospectsOf } from '../../testing/prospects.js';
import { describe, expect, it } from 'vitest';
import {
  addressOf,
  BLOCK,
  opportunityOf,
  pairOf,
  positionOf,
  USDC,
  WETH,
} from '../../testing/builders/opportunities.js';
import { ConstantProductPool } from '../../testing/fakes/constant-product-pool.js';
import { viewOfPools } from '../../testing/pools.js';
import { USD8 } from '../domain/money.js';
import { mostSeized, type Opportunity } from '../domain/opportunity.js';
import { NO_OFFERS } from '../liquidity/lenders/offers.js';
import type { PoolsView } from '../liquidity/pool-book.js';
import type { Pool } from '../liquidity/pool.js';
import { quotesInTurns, type Quote, type QuoteDecision } from './quotes.js';

const weth = (whole: number): bigint => BigInt(whole) * 10n ** 18n;
const usdc = (whole: number): bigint => BigInt(whole) * 10n ** 6n;
/** A hop burns about a dime. */
const GAS = {
  block: { ...BLOCK, baseFeePerGas: 600_000_000n },
  nativePriceUsd8: 2_700n * USD8,
  bidOf: () => undefined,
};
const contextOf = (pools: PoolsView, lenders = NO_OFFERS): Parameters<typeof quotesInTurns>[0] => ({
  ...GAS,
  pools,
  lenders,
});

/** At $2,700 for one WETH. */
const poolOf = (byte: string, wholeWeth: number, feePips = 500): ConstantProductPool =>
  new ConstantProductPool(addressOf(byte), [USDC, WETH], [usdc(wholeWeth * 2_700), weth(wholeWeth)], feePips);

/** Its market can pay out only so much of the collateral. */
const payable = (units: bigint | undefined, opportunity = opportunityOf()): Opportunity => ({
  ...opportunity,
  pairs: opportunity.pairs.map((pair) => ({ ...pair, payable: units })),
});

function quotesOf(pools: readonly Pool[], ...opportunities: Opportunity[]): QuoteDecision[] {
  const decisions: QuoteDecision[] = [];
  for (const turn of quotesInTurns(contextOf(viewOfPools(pools)), prospectsOf(opportunities)))
    if (turn) decisions[opportunities.indexOf(turn.opportunity)] = turn.decision;
  return decisions;
}

function quoteOf(pools: readonly Pool[], opportunity = opportunityOf()): Quote {
  const [quoted] = quotesOf(pools, opportunity);
  if (quoted?.kind !== 'quoted') throw new Error(`a quote was expected, not ${String(quoted?.reason)}`);
  return quoted.quote;
}

describe('quotes', () => {
  it('take the cheapest pool, as a route of one part with one hop', () => {
    const { candidate, route, profit } = quoteOf([
      poolOf('01', 100_000, 3_000),
      poolOf('02', 100_000, 500),
      poolOf('03', 100_000, 10_000),
    ]);
    const hop = {
      venue: 'constant-product',
      pool: addressOf('02'),
      tokenIn: WETH,
      tokenOut: USDC,
      feePips: 500,
      parameter: 500,
    };
    const quotedInput = candidate.collateralSeized - profit;
    expect(route).toEqual({ parts: [{ quotedInput, output: candidate.debtToFund, hops: [hop] }] });
    expect(candidate.sizing).toBe('close-factor');
    expect(profit).toBeGreaterThan(0n);
  });

  it('take less than the close factor allows where the pool is too shallow, and gain by it', () => {
    const shallow = poolOf('01', 60);
    const { candidate, grossUsd8 } = quoteOf([shallow]);
    expect(candidate.sizing).toBe('swap-depth');
    const wholeCap = pairOf().candidates[0]!;
    const input = shallow.swapOut(WETH, wholeCap.debtToFund)!.amountIn;
    const grossOfCap = ((wholeCap.collateralSeized - input) * 2_700n * USD8) / weth(1);
    expect(grossUsd8).toBeGreaterThan(grossOfCap);
  });

  it('find no route where no pool trades the pair', () => {
    const other = new ConstantProductPool(addressOf('01'), [addressOf('ee'), WETH], [weth(1), weth(1)]);
    expect(quotesOf([other], opportunityOf())).toMatchObject([{ kind: 'rejected', reason: 'no-route' }]);
  });

  it('refuse routes that cannot deliver the debt for less than what is seized', () => {
    // At $2,430 for one WETH, the pool takes more than the bonus of 5 % gives.
    const offPrice = new ConstantProductPool(addressOf('01'), [WETH, USDC], [weth(1_000), usdc(2_430_000)]);
    expect(quotesOf([offPrice], opportunityOf())).toMatchObject([
      { kind: 'rejected', reason: 'route-too-shallow', detail: { pairs: '1' } },
    ]);
  });

  it('are given for each opportunity, in their order', () => {
    const small = positionOf({ weth: 2n, usdc: 4_700n });
    const quotes = quotesOf([poolOf('01', 100_000)], opportunityOf(), opportunityOf(small));
    const sizes = quotes.map((quoted) =>
      quoted.kind === 'quoted' ? quoted.quote.candidate.debtToCover : 0n,
    );
    expect(sizes).toEqual([usdc(11_750), usdc(2_350)]);
  });

  it('take no more than the market can pay out', () => {
    const { candidate } = quoteOf([poolOf('01', 100_000)], payable(weth(1)));
    expect(candidate.sizing).toBe('payable');
    expect(mostSeized(candidate)).toBeLessThanOrEqual(weth(1));
    expect(mostSeized(candidate)).toBeGreaterThan(weth(1) - weth(1) / 10n ** 6n);
  });

  it('take less than the depth of a pool where the market can pay out less, and the depth where it can', () => {
    const shallow = poolOf('01', 60);
    const { candidate: atDepth, grossUsd8 } = quoteOf([shallow]);
    expect(atDepth.sizing).toBe('swap-depth');
    const { collateralSeized } = atDepth;
    expect(quoteOf([shallow], payable(collateralSeized)).grossUsd8 * 1_000n).toBeGreaterThan(
      grossUsd8 * 999n,
    );
    const less = quoteOf([shallow], payable(collateralSeized / 2n)).candidate;
    expect(less.sizing).toBe('payable');
    expect(mostSeized(less)).toBeLessThanOrEqual(collateralSeized / 2n);
  });

  it('refuse a position of which the market can pay out nothing that the protocol allows', () => {
    expect(quotesOf([poolOf('01', 100_000)], payable(0n))).toMatchObject([
      { kind: 'rejected', reason: 'collateral-not-payable', detail: { collateral: 'WETH', payable: '0' } },
    ]);
  });

  it('share what the market can pay out: the most profitable position first', () => {
    const small = opportunityOf(positionOf({ weth: 2n, usdc: 4_700n }));
    const whole = quoteOf([poolOf('01', 100_000)]).candidate;
    const cash = mostSeized(whole) + weth(1) / 1_000n;
    const [rest, first] = quotesOf([poolOf('01', 100_000)], payable(cash, small), payable(cash));
    expect(first).toMatchObject({ quote: { candidate: { debtToCover: whole.debtToCover } } });
    expect(rest).toMatchObject({ quote: { candidate: { sizing: 'payable' } } });
    if (rest?.kind === 'quoted')
      expect(mostSeized(rest.quote.candidate)).toBeLessThanOrEqual(weth(1) / 1_000n);
  });

  it('are not bounded where the market does not tell', () => {
    const { candidate } = quoteOf([poolOf('01', 100_000)], payable(undefined));
    expect(candidate.sizing).toBe('close-factor');
  });

  it('go over two pools where none trades the pair', () => {
    const hub = addressOf('dd');
    const first = new ConstantProductPool(addressOf('01'), [hub, WETH], [weth(2_700_000), weth(1_000)], 500);
    const second = new ConstantProductPool(
      addressOf('02'),
      [hub, USDC],
      [weth(2_700_000), usdc(2_700_000)],
      500,
    );
    const { route } = quoteOf([first, second]);
    expect(route.parts.map(({ hops }) => hops.map(({ pool }) => pool))).toEqual([
      [first.address, second.address],
    ]);
  });

  it('are split over two pools where neither is deep, and earn more by it', () => {
    const pools = [poolOf('01', 120), poolOf('02', 120)];
    const [first] = pools;
    const split = quoteOf(pools);
    expect(split.route.parts).toHaveLength(2);
    expect(split.grossUsd8).toBeGreaterThan(quoteOf([first!]).grossUsd8);
  });

  it('two that meet in a pool: the second one is sized for what the first one leaves', () => {
    const shallow = poolOf('01', 330);
    const [first, second] = quotesOf(
      [shallow],
      opportunityOf(),
      opportunityOf(undefined, undefined, addressOf('b1')),
    );
    if (first?.kind !== 'quoted' || second?.kind !== 'quoted') throw new Error('two quotes were expected');
    const size = ({ quote }: { quote: Quote }): bigint => quote.candidate.debtToCover;
    expect(size(second)).toBeLessThan(size(first));
    expect(second.quote.grossUsd8).toBeGreaterThan(0n);
  });

  it('say that pools are being read where a route may still be found', () => {
    const turns = quotesInTurns(
      contextOf({ pools: new Map(), isWhole: false }),
      prospectsOf([opportunityOf()]),
    );
    expect([...turns]).toMatchObject([{ decision: { kind: 'rejected', reason: 'pools-not-read' } }]);
  });
});
