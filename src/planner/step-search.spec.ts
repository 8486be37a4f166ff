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
import { prospectsOf } from '../../testing/prospects.js';
import { viewOfPools } from '../../testing/pools.js';
import { bySize, type Bidder } from '../domain/bid.js';
import { USD8, WAD } from '../domain/money.js';
import type { LiquidationPair } from '../domain/opportunity.js';
import { NO_OFFERS } from '../liquidity/lenders/offers.js';
import { afterStep } from '../protocols/market-kinds.js';
import { grossUsd8Of, quotesInTurns, stepsOf, type Quote } from './quotes.js';

const GAS = { block: { ...BLOCK, baseFeePerGas: 5_000_000n }, nativePriceUsd8: 2_700n * USD8 };
/** Deep, at $2,700 for one WETH. */
const deep = new ConstantProductPool(
  addressOf('01'),
  [USDC, WETH],
  [270_000_000n * 10n ** 6n, 100_000n * 10n ** 18n],
  500,
);

function quoteOf(
  position: Parameters<typeof positionOf>[0],
  baseFeePerGas = 5_000_000n,
  bidOf: Bidder = () => undefined,
): Quote {
  const data = positionOf(position);
  const context = { ...GAS, block: { ...GAS.block, baseFeePerGas }, pools: viewOfPools([deep]), bidOf };
  for (const turn of quotesInTurns(
    { ...context, lenders: NO_OFFERS },
    prospectsOf([opportunityOf(data, pairOf(data))]),
  ))
    if (turn?.decision.kind === 'quoted') return turn.decision.quote;
  throw new Error('a quote was expected');
}

const covered = (quote: Quote): bigint =>
  stepsOf(quote).reduce((sum, { candidate }) => sum + candidate.debtToCover, 0n);

describe('two liquidations of one position in one transaction', () => {
  it('cover more than the close factor allows one: the first leaves the position open to the second', () => {
    const one = quoteOf({ healthFactorWad: (WAD * 97n) / 100n });
    const two = quoteOf({ healthFactorWad: (WAD * 97n) / 100n, open: true });
    expect(stepsOf(one)).toHaveLength(1);
    expect(stepsOf(two).map(({ candidate }) => candidate.sizing)).toEqual(['leaves-open', 'close-factor']);
    // x = (0.9995 − 0.97) / (0.9995 − 1.05 · 0.83) of the debt, and half of the rest.
    const share = Number(covered(two)) / 23_500e6;
    expect(share).toBeCloseTo(0.2304 + 0.7696 / 2, 3);
    expect(grossUsd8Of(two) * 100n).toBeGreaterThan(grossUsd8Of(one) * 120n);
  });

  it('each on the position and the pool as the first one leaves them', () => {
    const [first, second] = stepsOf(quoteOf({ healthFactorWad: (WAD * 97n) / 100n, open: true }));
    const pair = pairOf(positionOf({ healthFactorWad: (WAD * 97n) / 100n, open: true }));
    const left: LiquidationPair | undefined = afterStep([pair], pair, first!.candidate)[0];
    expect(left?.candidates).toContainEqual(second!.candidate);
    const pool = deep.swapOut(WETH, first!.candidate.debtToFund)!.after;
    const input = pool.swapOut(WETH, second!.candidate.debtToFund)!.amountIn;
    expect(second!.profit).toBe(second!.candidate.collateralSeized - input);
  });

  it('all of a small debt, which the first brings below 2,000 USD', () => {
    const quote = quoteOf({ weth: 1n, usdc: 2_200n, healthFactorWad: (WAD * 97n) / 100n, open: true });
    expect(stepsOf(quote).map(({ candidate }) => candidate.sizing)).toEqual(['leaves-open', 'all-debt']);
    // The burn of the first rounds down.
    expect(covered(quote) - 2_200n * 10n ** 6n).toBeLessThanOrEqual(1n);
    expect(covered(quote)).toBeGreaterThanOrEqual(2_200n * 10n ** 6n);
  });

  it('just below a health factor of 1 there is no room for a first: a small move of a price would close it', () => {
    expect(stepsOf(quoteOf({ healthFactorWad: (WAD * 9_996n) / 10_000n, open: true }))).toHaveLength(1);
  });

  it('are not made where the gas of the second costs more than it brings', () => {
    // $168 for 250,000 gas at 250 gwei.
    expect(
      stepsOf(quoteOf({ healthFactorWad: (WAD * 97n) / 100n, open: true }, 250_000_000_000n)),
    ).toHaveLength(1);
  });

  it('are not made where a tip that wins costs more for the second than it brings', () => {
    const open = { healthFactorWad: (WAD * 97n) / 100n, open: true };
    const offering = (perGasWei: bigint): Bidder => {
      const bid = { model: 'least-that-wins', perGasWei, mostPerGasWei: perGasWei, why: 'a rival' } as const;
      return () => bid;
    };
    expect(stepsOf(quoteOf(open, 5_000_000n, offering(10_000_000_000n)))).toHaveLength(2);
    // The same $168, as a tip of 250 gwei.
    expect(stepsOf(quoteOf(open, 5_000_000n, offering(250_000_000_000n)))).toHaveLength(1);
  });

  it('a share of the profit as a bid leaves the second worth it: only its own part is offered', () => {
    const open = { healthFactorWad: (WAD * 97n) / 100n, open: true };
    const policy = { baseBribeBps: 4_000, maxBribeBps: 4_000, minProfitUsd8: 5n * USD8 };
    expect(stepsOf(quoteOf(open, 5_000_000n, bySize(policy)))).toHaveLength(2);
  });

  it('the best single one is kept, in case that they do not both succeed', () => {
    const { alone } = quoteOf({ healthFactorWad: (WAD * 97n) / 100n, open: true });
    const { pair: _closed, ...single } = quoteOf({ healthFactorWad: (WAD * 97n) / 100n });
    expect(alone).toMatchObject(single);
  });
});
