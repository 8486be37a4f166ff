import { describe, expect, it } from 'vitest';
import { addressOf, USDC, WETH } from '../../testing/builders/opportunities.js';
import type { Step } from '../contract/plan.js';
import type { Address } from '../domain/hex.js';
import type { Hop } from '../domain/route.js';
import { flashSwapSteps, saleSteps } from './steps.js';

const CBETH = addressOf('ce');
const LIQUIDATE = { kind: 'liquidate' } as const;
const tokens = { collateral: CBETH, debt: USDC };
const hop = (tokenIn: Address, tokenOut: Address, parameter: number): Hop => ({
  venue: 'uniswap-v3',
  pool: addressOf('99'),
  tokenIn,
  tokenOut,
  feePips: parameter,
  parameter,
});

describe('contract steps of a route', () => {
  it('buy the debt in the one pool, and liquidate', () => {
    const route = { parts: [{ quotedInput: 9n, output: 5n, hops: [hop(CBETH, USDC, 500)] }] };
    expect(flashSwapSteps(route, tokens, LIQUIDATE)).toEqual([
      { kind: 'buy', amountOut: 5n, pool: { tokenIn: 'collateral', parameter: 500 } },
      { kind: 'liquidate' },
    ]);
  });

  it('buy from the last pool first, which is paid by the pool before it', () => {
    const hops = [hop(CBETH, WETH, 100), hop(WETH, USDC, 500)];
    expect(flashSwapSteps({ parts: [{ quotedInput: 9n, output: 5n, hops }] }, tokens, LIQUIDATE)).toEqual([
      { kind: 'buy', amountOut: 5n, pool: { tokenIn: WETH, parameter: 500 } },
      { kind: 'buy-on', pool: { tokenIn: 'collateral', parameter: 100 } },
      { kind: 'liquidate' },
    ]);
  });

  it('buy part after part of a split, and liquidate once', () => {
    const direct = { quotedInput: 6n, output: 3n, hops: [hop(CBETH, USDC, 3_000)] };
    const overWeth = { quotedInput: 4n, output: 2n, hops: [hop(CBETH, WETH, 100), hop(WETH, USDC, 500)] };
    expect(flashSwapSteps({ parts: [direct, overWeth] }, tokens, LIQUIDATE)).toEqual([
      { kind: 'buy', amountOut: 3n, pool: { tokenIn: 'collateral', parameter: 3_000 } },
      { kind: 'buy', amountOut: 2n, pool: { tokenIn: WETH, parameter: 500 } },
      { kind: 'buy-on', pool: { tokenIn: 'collateral', parameter: 100 } },
      { kind: 'liquidate' },
    ]);
  });

  it('of a sale: borrow, liquidate, sell part after part, each pool what the one before it brought', () => {
    const lender = addressOf('1e');
    const direct = { quotedInput: 6n, output: 3n, hops: [hop(CBETH, USDC, 3_000)] };
    const overWeth = { quotedInput: 4n, output: 2n, hops: [hop(CBETH, WETH, 100), hop(WETH, USDC, 500)] };
    const route = { parts: [direct, overWeth] };
    expect(saleSteps({ lender, amount: 5n }, route, [6_000n, 10_000n], tokens, LIQUIDATE)).toEqual([
      { kind: 'loan', lender, amount: 5n },
      { kind: 'liquidate' },
      {
        ...{ kind: 'sell', shareBps: 6_000, tokenOut: 'debt' },
        pool: { tokenIn: 'collateral', parameter: 3_000 },
      },
      { kind: 'sell', shareBps: 10_000, tokenOut: WETH, pool: { tokenIn: 'collateral', parameter: 100 } },
      { kind: 'sell-on', tokenOut: 'debt', pool: { tokenIn: WETH, parameter: 500 } },
    ]);
  });

  it('of a sale within one token: borrow and liquidate', () => {
    const lender = addressOf('1e');
    expect(saleSteps({ lender, amount: 5n }, { parts: [] }, [], tokens, LIQUIDATE)).toEqual([
      { kind: 'loan', lender, amount: 5n },
      { kind: 'liquidate' },
    ]);
  });

  it('of a sale behind the collateral that the market gives first: liquidate and sell, without a loan', () => {
    const route = { parts: [{ quotedInput: 6n, output: 3n, hops: [hop(CBETH, USDC, 3_000)] }] };
    const market = { oracle: addressOf('0a'), irm: addressOf('0b'), lltv: 86n };
    const liquidate: Step = {
      ...{ kind: 'liquidate-morpho', ...market, amount: 6n, unit: 'collateral', callback: true },
    };
    expect(saleSteps(undefined, route, [10_000n], tokens, liquidate)).toEqual([
      liquidate,
      {
        ...{ kind: 'sell', shareBps: 10_000, tokenOut: 'debt' },
        pool: { tokenIn: 'collateral', parameter: 3_000 },
      },
    ]);
  });

  it('of a sale of shares: taken apart, and what was inside sold', () => {
    const lender = addressOf('1e');
    const apart = { ...hop(CBETH, WETH, 0), venue: 'erc4626', pool: CBETH, leastOut: 99n };
    const route = { parts: [{ quotedInput: 6n, output: 3n, hops: [apart, hop(WETH, USDC, 500)] }] };
    expect(saleSteps({ lender, amount: 5n }, route, [10_000n], tokens, LIQUIDATE).slice(2)).toEqual([
      {
        ...{ kind: 'sell', shareBps: 10_000, tokenOut: WETH },
        pool: { tokenIn: 'collateral', leastOut: 99n },
      },
      { kind: 'sell-on', tokenOut: 'debt', pool: { tokenIn: WETH, parameter: 500 } },
    ]);
  });
});
