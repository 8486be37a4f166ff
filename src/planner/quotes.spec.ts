import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakePool, FakeVenue } from '../../testing/fakes/fake-venue.js';
import { startFakePool, type FakePool as FakeEndpoints } from '../../testing/nodes/fake-pool.js';
import {
  addressOf,
  BLOCK,
  opportunityOf,
  pairOf,
  positionOf,
  USDC,
  WETH,
} from '../../testing/builders/opportunities.js';
import { USD8 } from '../domain/money.js';
import type { Opportunity } from '../domain/opportunity.js';
import { Chain } from '../rpc/chain/chain.js';
import { bestQuotes, type Quote } from './quotes.js';

const weth = (whole: number): bigint => BigInt(whole) * 10n ** 18n;
const usdc = (whole: number): bigint => BigInt(whole) * 10n ** 6n;

/** At $2,700 for one WETH. */
const poolOf = (byte: string, wholeWeth: number, feePips = 500): FakePool =>
  new FakePool(addressOf(byte), [USDC, WETH], [usdc(wholeWeth * 2_700), weth(wholeWeth)], feePips);

let endpoints: FakeEndpoints;
let chain: Chain;

beforeAll(async () => {
  endpoints = await startFakePool({ withBackup: false });
  chain = new Chain(endpoints.pool);
});

afterAll(() => endpoints.close());

async function quotesOf(pools: readonly FakePool[], ...opportunities: Opportunity[]) {
  const quotes = await bestQuotes(chain, new FakeVenue(pools), opportunities, BLOCK.hash);
  // Pools that know their own state are quoted without a call.
  expect(endpoints.primary.seen).toEqual([]);
  return quotes;
}

async function quoteOf(pools: readonly FakePool[], opportunity = opportunityOf()): Promise<Quote> {
  const [quoted] = await quotesOf(pools, opportunity);
  if (quoted?.kind !== 'quoted') throw new Error(`a quote was expected, not ${String(quoted?.reason)}`);
  return quoted.quote;
}

describe('quotes', () => {
  it('take the cheapest pool, as a route of one part with one hop', async () => {
    const { candidate, route, profit } = await quoteOf([
      poolOf('01', 100_000, 3_000),
      poolOf('02', 100_000, 500),
      poolOf('03', 100_000, 10_000),
    ]);
    const hop = {
      venue: 'fake',
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

  it('take less than the close factor allows where the pool is too shallow, and gain by it', async () => {
    const shallow = poolOf('01', 60);
    const { candidate, grossUsd8 } = await quoteOf([shallow]);
    expect(candidate.sizing).toBe('swap-depth');
    const wholeCap = pairOf().candidates[0]!;
    const input = shallow.amountIn(WETH, wholeCap.debtToFund).decode([])!;
    const grossOfCap = ((wholeCap.collateralSeized - input) * 2_700n * USD8) / weth(1);
    expect(grossUsd8).toBeGreaterThan(grossOfCap);
  });

  it('find no route where no pool trades the pair', async () => {
    const other = new FakePool(addressOf('01'), [addressOf('ee'), WETH], [weth(1), weth(1)]);
    expect(await quotesOf([other], opportunityOf())).toMatchObject([
      { kind: 'rejected', reason: 'no-route' },
    ]);
  });

  it('refuse routes that cannot deliver the debt for less than what is seized', async () => {
    // At $2,430 for one WETH, the pool takes more than the bonus of 5 % gives.
    const offPrice = new FakePool(addressOf('01'), [WETH, USDC], [weth(1_000), usdc(2_430_000)]);
    expect(await quotesOf([offPrice], opportunityOf())).toMatchObject([
      { kind: 'rejected', reason: 'route-too-shallow', detail: { triedRoutes: '1' } },
    ]);
  });

  it('are given for each opportunity, in their order', async () => {
    const small = positionOf({ weth: 2n, usdc: 4_700n });
    const quotes = await quotesOf([poolOf('01', 100_000)], opportunityOf(), opportunityOf(small));
    const sizes = quotes.map((quoted) =>
      quoted.kind === 'quoted' ? quoted.quote.candidate.debtToCover : 0n,
    );
    expect(sizes).toEqual([usdc(11_750), usdc(2_350)]);
  });
});
