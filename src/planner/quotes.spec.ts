import { Interface } from 'ethers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
import { uintWord } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import { mostSeized, type Opportunity } from '../domain/opportunity.js';
import { Chain } from '../rpc/chain/chain.js';
import { bestQuotes, type Quote } from './quotes.js';

const weth = (whole: number): bigint => BigInt(whole) * 10n ** 18n;
const usdc = (whole: number): bigint => BigInt(whole) * 10n ** 6n;

/** At $2,700 for one WETH. */
const poolOf = (byte: string, wholeWeth: number, feePips = 500): FakePool =>
  new FakePool(addressOf(byte), [USDC, WETH], [usdc(wholeWeth * 2_700), weth(wholeWeth)], feePips);

const aggregate3 = new Interface([
  'function aggregate3((address,bool,bytes)[]) returns ((bool success, bytes returnData)[])',
]);

let endpoints: FakeEndpoints;
let chain: Chain;
/** What the market can pay out of the collateral. */
let payable: bigint | undefined;

beforeAll(async () => {
  endpoints = await startFakePool({ withBackup: false });
  chain = new Chain(endpoints.pool);
  endpoints.primary.on('eth_call', () =>
    aggregate3.encodeFunctionResult('aggregate3', [
      [payable === undefined ? [false, '0x'] : [true, `0x${uintWord(payable)}`]],
    ]),
  );
});

beforeEach(() => {
  payable = 2n ** 127n;
  endpoints.primary.seen.length = 0;
});

afterAll(() => endpoints.close());

async function quotesOf(pools: readonly FakePool[], ...opportunities: Opportunity[]) {
  return bestQuotes(chain, new FakeVenue(pools), opportunities, BLOCK.hash);
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

  it('ask once, for what the market can pay out, where the pools know their own state', async () => {
    await quotesOf([poolOf('01', 100_000), poolOf('02', 100_000)], opportunityOf(), opportunityOf());
    expect(endpoints.primary.seen.map(({ method }) => method)).toEqual(['eth_call']);
  });

  it('take no more than the market can pay out', async () => {
    payable = weth(1);
    const { candidate } = await quoteOf([poolOf('01', 100_000)]);
    expect(candidate.sizing).toBe('payable');
    expect(mostSeized(candidate)).toBeLessThanOrEqual(payable);
    expect(mostSeized(candidate)).toBeGreaterThan(payable - weth(1) / 10n ** 6n);
  });

  it('leave the depth of a pool unused where the market can pay out less, and take it where it can', async () => {
    const shallow = poolOf('01', 60);
    const { candidate: atDepth } = await quoteOf([shallow]);
    expect(atDepth.sizing).toBe('swap-depth');
    payable = atDepth.collateralSeized;
    expect((await quoteOf([shallow])).candidate).toEqual(atDepth);
    payable = atDepth.collateralSeized - 1n;
    expect((await quoteOf([shallow])).candidate.sizing).toBe('payable');
  });

  it('refuse a position of which the market can pay out nothing that the protocol allows', async () => {
    payable = 0n;
    expect(await quotesOf([poolOf('01', 100_000)], opportunityOf())).toMatchObject([
      { kind: 'rejected', reason: 'collateral-not-payable', detail: { collateral: 'WETH', payable: '0' } },
    ]);
  });

  it('share what the market can pay out: the most profitable position first', async () => {
    const small = opportunityOf(positionOf({ weth: 2n, usdc: 4_700n }));
    const whole = (await quoteOf([poolOf('01', 100_000)])).candidate;
    payable = mostSeized(whole) + weth(1) / 1_000n;
    expect(await quotesOf([poolOf('01', 100_000)], small, opportunityOf())).toMatchObject([
      { kind: 'rejected', reason: 'collateral-not-payable', detail: { payable: String(weth(1) / 1_000n) } },
      { kind: 'quoted', quote: { candidate: { debtToCover: whole.debtToCover } } },
    ]);
  });

  it('are not bounded where the market does not tell', async () => {
    payable = undefined;
    const { candidate } = await quoteOf([poolOf('01', 100_000)]);
    expect(candidate.sizing).toBe('close-factor');
  });
});
