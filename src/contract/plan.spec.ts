import { describe, expect, it } from 'vitest';
import type { Address } from '../domain/hex.js';
import { liquidateCall } from './contract.js';
import { packBatch, packPlan, type DebtLook, type Liquidation, type Step } from './plan.js';

const address = (byte: string): Address => `0x${byte.repeat(20)}`;
const [MARKET, BORROWER, COLLATERAL, DEBT] = ['a1', 'b2', 'c3', 'd4'].map(address) as [
  Address,
  Address,
  Address,
  Address,
];
const word16 = (value: number): string => value.toString(16).padStart(32, '0');

const liquidation = (steps: readonly Step[], changes: Partial<Liquidation> = {}): Liquidation => ({
  market: MARKET,
  borrower: BORROWER,
  tokens: { collateral: COLLATERAL, debt: DEBT },
  profitIn: 'collateral',
  minProfit: 1n,
  steps,
  ...changes,
});

/** Only the steps: the bytes after the terms (12 bytes) and the head (97 bytes). */
const packed = (...steps: Step[]): string =>
  packPlan({ deadline: 1n }, liquidation(steps)).slice(2 + 109 * 2);

/** The expected bytes follow the table at the head of Chimera.sol and the operands described in its parts. */
describe('packing a plan', () => {
  it('writes terms, head and steps in the order of the contract', () => {
    const plan = packPlan(
      { deadline: 0x6789n, lastBlock: 0x12n, bidBps: 0x0203 },
      liquidation([{ kind: 'liquidate' }], { profitIn: 'native', measureFee: true, minProfit: 0xffn }),
    );
    expect(plan).toBe(
      [
        '0x0000006789',
        '0000000012',
        '0203',
        '06', // profit in native coin (2), fee measured (4)
        'a1'.repeat(20),
        'b2'.repeat(20),
        'c3'.repeat(20),
        'd4'.repeat(20),
        word16(0xff),
        '06',
      ].join(''),
    );
  });

  it('takes at most 260 bytes of calldata for one hop on Aave', () => {
    const steps: Step[] = [
      { kind: 'buy', amountOut: 2n ** 127n, pool: { tokenIn: 'collateral', parameter: 500 } },
      { kind: 'liquidate' },
    ];
    const look = { debtToken: address('dd'), least: 2n ** 127n };
    const call = liquidateCall(packPlan({ deadline: 1n }, liquidation(steps, { look })));
    expect((call.length - 2) / 2).toBeLessThanOrEqual(260);
  });

  it('saves 36 bytes with reserve ids instead of addresses', () => {
    const byAddress = packPlan({ deadline: 1n }, liquidation([]));
    const byId = packPlan({ deadline: 1n }, liquidation([], { tokens: { collateralId: 1, debtId: 258 } }));
    expect((byAddress.length - byId.length) / 2).toBe(36);
    expect(byId.slice(2 + 12 * 2, 2 + 13 * 2)).toBe('08');
    expect(byId).toContain(`${'b2'.repeat(20)}00010102${word16(1)}`);
  });

  it('writes where the debt stands, and the least of it, behind the floor', () => {
    const looking = (look: DebtLook): string =>
      packPlan({ deadline: 1n }, liquidation([{ kind: 'liquidate' }], { look, measureFee: true })).slice(2);
    const byToken = looking({ debtToken: address('dd'), least: 0xabn });
    expect(byToken.slice(12 * 2, 13 * 2)).toBe('14'); // fee measured (4), look first (16)
    expect(byToken.slice((12 + 81) * 2)).toBe(`${word16(1)}${'dd'.repeat(20)}${word16(0xab)}06`);
    const byMarket = looking({ marketId: `0x${'1d'.repeat(32)}`, least: 1n });
    expect(byMarket.slice((12 + 81) * 2)).toBe(`${word16(1)}${'1d'.repeat(32)}${word16(1)}06`);
    expect(() => looking({ marketId: '0x1d', least: 1n })).toThrow('not a hash');
    expect(() => looking({ debtToken: address('dd'), least: 2n ** 128n })).toThrow('least debt');
  });

  it('writes pools as factory and parameter, and tokens as role or address', () => {
    const other = address('ee');
    const factory = address('fa');
    expect(
      packed(
        { kind: 'buy', amountOut: 5n, pool: { tokenIn: 'native', parameter: 3000 } },
        { kind: 'buy-on', pool: { tokenIn: other, parameter: 100, factory } },
        { kind: 'sell', shareBps: 6000, tokenOut: 'debt', pool: { tokenIn: 'collateral', parameter: 1 } },
        { kind: 'sell', shareBps: 10000, tokenOut: other, pool: { tokenIn: 'debt', parameter: 10, factory } },
        { kind: 'sell-on', tokenOut: 'native', pool: { parameter: 60 } },
      ),
    ).toBe(
      [
        `01${word16(5)}02000bb8`,
        `0213000064${'ee'.repeat(20)}${'fa'.repeat(20)}`,
        '0317700100000001',
        `03271003${'ee'.repeat(20)}1100000a${'fa'.repeat(20)}`,
        '07020000003c',
      ].join(''),
    );
  });

  it('writes a wrapper as the token that is taken apart, with the least that must come out', () => {
    const vault = address('4e');
    expect(
      packed(
        {
          kind: 'sell',
          shareBps: 10000,
          tokenOut: 'native',
          pool: { tokenIn: 'collateral', leastOut: 0xfen },
        },
        { kind: 'sell', shareBps: 10000, tokenOut: 'debt', pool: { tokenIn: vault, leastOut: 1n } },
        { kind: 'sell-on', tokenOut: 'debt', pool: { leastOut: 2n } },
      ),
    ).toBe(
      [
        `0327100220000000${word16(0xfe)}`,
        `0327100123000000${'4e'.repeat(20)}${word16(1)}`,
        `070120000000${word16(2)}`,
      ].join(''),
    );
  });

  it('writes lenders, mTokens and Morpho markets', () => {
    expect(
      packed(
        { kind: 'loan', lender: address('1e'), amount: 7n },
        { kind: 'inventory', amount: 8n },
        { kind: 'liquidate-compound', debtMToken: address('d7'), collateralMToken: address('c7') },
        {
          kind: 'liquidate-morpho',
          oracle: address('0a'),
          irm: address('1a'),
          lltv: 9n,
          amount: 10n,
          unit: 'shares',
          callback: true,
        },
      ),
    ).toBe(
      [
        `04${'1e'.repeat(20)}${word16(7)}`,
        `05${word16(8)}`,
        `06${'d7'.repeat(20)}${'c7'.repeat(20)}`,
        `06${'0a'.repeat(20)}${'1a'.repeat(20)}${word16(9)}03${word16(10)}`,
      ].join(''),
    );
  });

  it('writes the gas limit and the length of each liquidation of a batch', () => {
    const one = packPlan({ deadline: 1n }, liquidation([])).slice(2 + 12 * 2);
    const batch = packBatch({ deadline: 1n }, [
      { liquidation: liquidation([]), gasLimit: 500_000n },
      { liquidation: liquidation([]), gasLimit: 0n },
    ]);
    expect(batch.slice(2 + 12 * 2)).toBe(`0207a1200061${one}0000000061${one}`);
  });

  it.each([
    ['a deadline', () => packPlan({ deadline: 2n ** 40n }, liquidation([]))],
    ['a profit floor', () => packPlan({ deadline: 1n }, liquidation([], { minProfit: 2n ** 128n }))],
    ['a negative floor', () => packPlan({ deadline: 1n }, liquidation([], { minProfit: -1n }))],
    ['a bid', () => packPlan({ deadline: 1n, bidBps: 65_536 }, liquidation([]))],
    ['an amount', () => packed({ kind: 'inventory', amount: 2n ** 128n })],
    ['a fraction', () => packPlan({ deadline: 1n, bidBps: 1.5 }, liquidation([]))],
    ['a short address', () => packPlan({ deadline: 1n }, liquidation([], { borrower: '0xaa' }))],
  ])('refuses %s that does not fit its field', (_, pack) => {
    expect(pack).toThrow(RangeError);
  });
});
