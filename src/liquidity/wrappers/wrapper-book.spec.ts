import { describe, expect, it } from 'vitest';
import { addressOf, USDC, WETH } from '../../../testing/builders/opportunities.js';
import { TestClock } from '../../../testing/fakes/test-clock.js';
import { viewOfPools } from '../../../testing/pools.js';
import { addressWord, uintWord, type Address, type Hex } from '../../domain/hex.js';
import { withInsides, withWrappers, WrapperBook } from './wrapper-book.js';
import type { WrapperPool } from './wrapper-pool.js';

const [VAULT, DAI, HOLDER] = [addressOf('f0'), addressOf('d0'), addressOf('ab')];
const DECIMALS_24 = 10n ** 24n;
const answer = (data: Hex): { success: boolean; data: Hex } => ({ success: true, data });
const uint = (value: bigint): ReturnType<typeof answer> => answer(`0x${uintWord(value)}`);
const address = (value: Address): ReturnType<typeof answer> => answer(`0x${addressWord(value)}`);
const REVERTS = { success: false, data: '0x' as const };

function vaultBook(holder: Address | undefined = HOLDER): WrapperBook {
  const book = new WrapperBook([{ token: VAULT, kind: 'erc4626' }], new TestClock());
  book.serve((token) => (token === VAULT ? holder : undefined));
  return book;
}

function read(
  book: WrapperBook,
  ...answers: readonly { success: boolean; data: Hex }[]
): readonly WrapperPool[] {
  const { calls, decode } = book.reads();
  expect(calls).toHaveLength(answers.length);
  return book.view(decode(answers));
}

describe('the book of wrappers', () => {
  it('a vault is a pool of one direction, up to what its holder may redeem', () => {
    const book = vaultBook();
    const [vault] = read(book, address(DAI), uint((DECIMALS_24 * 5n) / 4n), uint(1_000n));
    expect(vault?.swapIn(VAULT, 1_000n)).toMatchObject({ amountIn: 1_000n, amountOut: 1_250n });
    expect(vault?.swapIn(VAULT, 1_000n)?.after.swapIn(VAULT, 1n)).toBeUndefined();
    expect(vault?.swapIn(VAULT, 1_001n)).toBeUndefined();
    expect(vault?.swapIn(DAI, 10n)).toBeUndefined();
    expect(vault?.swapOut(DAI, 10n)).toBeUndefined();
    expect(vault?.swapOut(VAULT, 1_249n)).toMatchObject({ amountIn: 1_000n, amountOut: 1_250n });
    expect(vault?.estimateOut(VAULT, 1_000)).toBeCloseTo(1_250);
    expect(vault?.estimateIn(VAULT, 1_249)).toBeCloseTo(999.2);
    expect([vault?.estimateOut(VAULT, 1_001), vault?.estimateIn(DAI, 1)]).toEqual([0, Infinity]);
    expect(vault?.lends).toBe(false);
    expect(book.insides).toEqual([DAI]);
  });

  it('its hop names the token itself, and the least that may come out: a thousandth less', () => {
    const [vault] = read(vaultBook(), address(DAI), uint(DECIMALS_24), uint(10_000n));
    expect(vault?.hop(VAULT, 10_000n)).toMatchObject({
      ...{ venue: 'erc4626', pool: VAULT, tokenIn: VAULT, tokenOut: DAI, leastOut: 9_990n },
    });
  });

  it.each([
    ['is no vault', [REVERTS, REVERTS, REVERTS]],
    ['is empty', [address(DAI), uint(0n), uint(10n)]],
    ['lets nothing out', [address(DAI), uint(DECIMALS_24), uint(0n)]],
    ['does not tell its limit', [address(DAI), uint(DECIMALS_24), REVERTS]],
    ['is inside itself', [address(VAULT), uint(DECIMALS_24), uint(10n)]],
  ])('a token that %s is no pool', (_, answers) => {
    expect(read(vaultBook(), ...answers)).toEqual([]);
  });

  it('a vault of which no holder is known is no pool: its limit cannot be asked', () => {
    const book = new WrapperBook([{ token: VAULT, kind: 'erc4626' }], new TestClock());
    expect(read(book, address(DAI), uint(DECIMALS_24))).toEqual([]);
  });

  it('stands among the pools, and what is inside among the tokens of which pools are looked for', () => {
    const [vault] = read(vaultBook(), address(DAI), uint(DECIMALS_24), uint(10n));
    const { pools, isWhole } = withWrappers(viewOfPools([]), vault ? [vault] : []);
    expect([[...pools.keys()], isWhole]).toEqual([[VAULT], true]);
    const weth = { address: WETH, symbol: 'WETH', decimals: 18, priceUsd8: 1n };
    expect(withInsides([weth], [DAI, WETH]).map((token) => token.address)).toEqual([WETH, DAI]);
    // Without prices nothing is looked for yet.
    expect(withInsides([], [DAI, USDC])).toEqual([]);
  });
});
