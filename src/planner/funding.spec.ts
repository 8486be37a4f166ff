import { prospectsOf } from '../../testing/prospects.js';
import { describe, expect, it } from 'vitest';
import {
  addressOf,
  BLOCK,
  opportunityOf,
  USDC,
  WETH,
  withinUsdc,
} from '../../testing/builders/opportunities.js';
import { ConstantProductPool } from '../../testing/fakes/constant-product-pool.js';
import { viewOfPools } from '../../testing/pools.js';
import { USD8 } from '../domain/money.js';
import type { Opportunity } from '../domain/opportunity.js';
import type { Offer } from '../liquidity/lenders/lender.js';
import { Offers } from '../liquidity/lenders/offers.js';
import type { Pool } from '../liquidity/pool.js';
import { WrapperPool } from '../liquidity/wrappers/wrapper-pool.js';
import { quotesInTurns, type Quote, type QuoteDecision } from './quotes.js';

const weth = (whole: number): bigint => BigInt(whole) * 10n ** 18n;
const usdc = (whole: number): bigint => BigInt(whole) * 10n ** 6n;
const MARKET = addressOf('aa');
const POSITION = { market: addressOf('aa'), borrower: addressOf('b0') };
const DAI = addressOf('d0');

/** At $2,700 for one WETH. */
const poolOf = (byte: string, wholeWeth: number, lends: boolean, feePips = 500): ConstantProductPool =>
  new ConstantProductPool(
    ...([addressOf(byte), [USDC, WETH], [usdc(wholeWeth * 2_700), weth(wholeWeth)]] as const),
    ...([feePips, lends] as const),
  );
const LENDS = poolOf('01', 100_000, true);
const KEEPS = poolOf('02', 100_000, false);

const offer = (name: string, byte: string, more: Partial<Offer> = {}): Offer => ({
  ...{ name, lender: addressOf(byte), feeBps: 0n, most: usdc(1_000_000), gas: 34_000n },
  ...more,
});
const FREE = offer('free', 'e1');
const DEAR = offer('dear', 'e2', { feeBps: 5n });

function decide(pools: readonly Pool[], offers: readonly Offer[], one = opportunityOf()): QuoteDecision {
  const lenders = Offers.of(offers.map((each) => [USDC, each]));
  const gas = { block: BLOCK, nativePriceUsd8: 2_700n * USD8, bidOf: () => undefined };
  const turns = quotesInTurns({ ...gas, pools: viewOfPools(pools), lenders }, prospectsOf([one]));
  const decided = [...turns].find((turn) => turn !== undefined)?.decision;
  if (!decided) throw new Error('nothing was decided');
  return decided;
}

function quoteOf(pools: readonly Pool[], offers: readonly Offer[], one?: Opportunity): Quote {
  const decision = decide(pools, offers, one);
  if (decision.kind === 'quoted') return decision.quote;
  throw new Error(`a quote was expected, not ${decision.reason}`);
}

describe('where the debt tokens come from', () => {
  it('from the pools, where a loan would only burn more gas', () => {
    expect(quoteOf([LENDS], [FREE]).funding).toEqual({ kind: 'flash-swap' });
  });

  it('from a lender, where only pools trade the pair that do not lend', () => {
    const quote = quoteOf([KEEPS], [FREE]);
    expect(quote.funding).toMatchObject({ kind: 'loan', name: 'free', feeBps: 0n });
    expect(quote.sharesBps).toEqual([10_000n]);
    // All of the collateral is sold.
    expect(quote.route.parts[0]?.quotedInput).toBe(quote.candidate.collateralSeized);
    expect(quote.profit).toBe(quote.route.parts[0]!.output - quote.candidate.debtToFund);
  });

  it('from a lender, where the pool that does not lend is so much deeper that it pays', () => {
    const shallow = poolOf('01', 300, true);
    const flashSwap = quoteOf([shallow], []);
    const quote = quoteOf([shallow, KEEPS], [DEAR]);
    expect(quote.funding).toMatchObject({ name: 'dear', feeBps: 5n });
    expect(quote.grossUsd8).toBeGreaterThan(flashSwap.grossUsd8);
  });

  it('from the pools, where the fee of the lender is more than the better price', () => {
    const dearer = poolOf('01', 100_000, true, 600);
    const loan = offer('dear', 'e2', { feeBps: 50n });
    expect(quoteOf([dearer, KEEPS], [loan]).funding.kind).toBe('flash-swap');
    expect(quoteOf([dearer, KEEPS], [FREE]).funding.kind).toBe('loan');
  });

  it('from the cheapest lender that has enough', () => {
    const poor = offer('poor', 'e3', { most: usdc(100) });
    expect(quoteOf([KEEPS], [DEAR, poor, FREE]).funding).toMatchObject({ name: 'free' });
    const quote = quoteOf([KEEPS], [DEAR, poor]);
    expect(quote.funding).toMatchObject({ name: 'dear' });
    // The fee is paid before the profit is counted.
    const fee = (quote.candidate.debtToFund * 5n + 9_999n) / 10_000n;
    expect(quote.profit).toBe(quote.route.parts[0]!.output - quote.candidate.debtToFund - fee);
  });

  it('of a lender with too little, as much as it has', () => {
    const { candidate } = quoteOf([KEEPS], [offer('poor', 'e3', { most: usdc(2_000) })]);
    expect(candidate.sizing).toBe('lender-depth');
    expect(candidate.debtToFund).toBeLessThanOrEqual(usdc(2_000));
    expect(candidate.debtToFund).toBeGreaterThan(usdc(1_999));
  });

  it('without a lender: the reason is no-lender where a pool could sell the collateral, else no-route', () => {
    expect(decide([KEEPS], [])).toMatchObject({ reason: 'no-lender' });
    expect(decide([], [FREE])).toMatchObject({ reason: 'no-route' });
    expect(decide([], [], withinUsdc())).toMatchObject({ reason: 'no-lender' });
  });
});

describe('collateral and debt that are the same token', () => {
  it('needs a lender, and no pool', () => {
    const quote = quoteOf([], [DEAR], withinUsdc());
    const { candidate, profit, route } = quote;
    expect(route.parts).toEqual([]);
    const fee = (candidate.debtToFund * 5n + 9_999n) / 10_000n;
    expect(profit).toBe(candidate.collateralSeized - candidate.debtToFund - fee);
  });

  it('lent by its own market: its cash must be enough for the loan and for the collateral', () => {
    const one = withinUsdc();
    const [{ debtToFund, collateralSeized }] = one.pairs[0]!.candidates as [Quote['candidate']];
    const both = debtToFund + collateralSeized;
    const own = (most: bigint): Offer => offer('own', 'aa', { lender: MARKET, most });
    expect(quoteOf([], [own(both)], one).candidate.debtToFund).toBe(debtToFund);
    expect(decide([], [own(debtToFund)], one)).not.toMatchObject({
      quote: { candidate: { debtToFund } },
    });
    // Another lender needs only the loan.
    expect(quoteOf([], [offer('other', 'e1', { most: debtToFund })], one).candidate.debtToFund).toBe(
      debtToFund,
    );
  });
});

describe('collateral that is taken apart', () => {
  const shares = new WrapperPool({
    ...{ kind: 'erc4626', wrapper: WETH, inside: DAI, most: weth(1_000) },
    rate: { shares: 10n ** 24n, out: 2_700n * 10n ** 24n },
  });
  const dai = new ConstantProductPool(addressOf('03'), [DAI, USDC], [weth(10 ** 9), usdc(10 ** 9)], 100);

  it('is sold by what is inside, over a pool of any kind', () => {
    const { route, funding } = quoteOf([shares, dai], [FREE]);
    expect(funding).toMatchObject({ name: 'free' });
    expect(route.parts.map(({ hops }) => hops.map(({ venue }) => venue))).toEqual([
      ['erc4626', 'constant-product'],
    ]);
    const [first] = route.parts[0]!.hops;
    expect(first?.leastOut).toBeGreaterThan(0n);
  });

  it('is not, where no lender lends: a wrapper does not', () => {
    expect(decide([shares, dai], [])).toMatchObject({ reason: 'no-lender' });
  });

  it('keeps its reason by the position: an offer that it refuted is gone', () => {
    const lenders = Offers.of([[USDC, FREE]]);
    lenders.doubt(FREE, POSITION, USDC);
    expect(lenders.for(POSITION, USDC)).toEqual([]);
  });
});
