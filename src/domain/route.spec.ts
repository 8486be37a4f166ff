import { describe, expect, it } from 'vitest';
import type { Address } from './hex.js';
import { poolFees, poolsOf, quotedInputOf, type Hop, type Route } from './route.js';

const address = (byte: string): Address => `0x${byte.repeat(20)}`;
const hop = (byte: string, feePips: number): Hop => ({
  venue: 'uniswap-v3',
  pool: address(byte),
  tokenIn: address('c0'),
  tokenOut: address('de'),
  feePips,
  parameter: feePips,
});
const direct: Route = { parts: [{ quotedInput: 900n, output: 5n, hops: [hop('01', 500)] }] };
const split: Route = {
  parts: [
    { quotedInput: 3_000_000n, output: 5n, hops: [hop('01', 500), hop('02', 3_000)] },
    { quotedInput: 1_000_000n, output: 5n, hops: [hop('03', 10_000)] },
  ],
};

describe('route', () => {
  it('lists its pools in the direction of the swaps', () => {
    expect(poolsOf(split)).toEqual([address('01'), address('02'), address('03')]);
  });

  it('adds up what its parts take', () => {
    expect(quotedInputOf(direct)).toBe(900n);
    expect(quotedInputOf(split)).toBe(4_000_000n);
  });

  it('pays the fee of one pool rounded up', () => {
    expect(poolFees(direct, 1_000_000n)).toBe(500n);
    expect(poolFees(direct, 1_000_001n)).toBe(501n);
  });

  it('pays the fee of each hop on the output of the hop before, and divides the input as quoted', () => {
    // 3,000,000 less 0.05 % less 0.3 %: 10,495.5 are kept. 1,000,000 less 1 %: 10,000.
    expect(poolFees(split, 4_000_000n)).toBe(10_496n + 10_000n);
  });

  it('pays no fee when the quoted input is zero', () => {
    const free: Route = { parts: [{ quotedInput: 0n, output: 5n, hops: [hop('01', 500)] }] };
    expect(poolFees(free, 0n)).toBe(0n);
  });
});
