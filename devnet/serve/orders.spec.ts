import { describe, expect, it } from 'vitest';
import { initialPrices } from '../parameters.js';
import { parseOrder } from './orders.js';

const PRICES = { ...initialPrices(), WETH: 200_000_000_000n };

describe('an order to the local chain', () => {
  it.each([
    ['price WETH 2400', 240_000_000_000n],
    ['  price weth 2400.5 ', 240_050_000_000n],
    ['price WETH -5%', 190_000_000_000n],
    ['price WETH +0.5%', 201_000_000_000n],
    ['price WETH 12%', 224_000_000_000n],
  ])('sets a price: %s', (line, usd8) => {
    expect(parseOrder(line, PRICES)).toEqual({ symbol: 'WETH', usd8 });
  });

  it.each(['', 'price', 'price DOGE 1', 'price WETH', 'price WETH much', 'price WETH 1 2', 'fall WETH 1'])(
    'that is not known is refused with what was expected: "%s"',
    (line) => {
      expect(() => parseOrder(line, PRICES)).toThrow('"price TOKEN 2400" or "price TOKEN -5%" was expected');
    },
  );

  it.each(['price WETH 0', 'price WETH -100%', 'price WETH -2400', 'price WETH 999999999'])(
    'far away from the price is refused: "%s"',
    (line) => {
      expect(() => parseOrder(line, PRICES)).toThrow('a price from a hundredth to a hundred times');
    },
  );
});
