import { describe, expect, it } from 'vitest';
import { uintWord, type Hex } from '../../domain/hex.js';
import type { MulticallResult } from '../chain/multicall3.js';
import { ARB_GAS_INFO, posterFees, sizeOnL1 } from './arbitrum-fees.js';
import { chainFeesOf } from './fee-models.js';

const GWEI = 10n ** 9n;
const fees = chainFeesOf('arbitrum');
const NEVER = (): never => {
  throw new Error('it is not needed');
};

/** An answer of getPricesInWei, by the price of a unit on L1 and both base fees. */
function prices(perUnitWei: bigint, leastWei: bigint, baseFeeWei: bigint): MulticallResult {
  const perByte = perUnitWei * 16n;
  const words = [perByte * 140n, perByte, baseFeeWei * 20_000n, leastWei, baseFeeWei - leastWei, baseFeeWei];
  return { success: true, data: `0x${words.map((word) => uintWord(word)).join('')}` };
}

describe('fees of Arbitrum', () => {
  it('asks for the prices once, however many transactions there are', () => {
    const { calls } = fees.estimates(['0x01', '0x02', '0x03'], 700_000n);
    expect(calls).toEqual([{ to: ARB_GAS_INFO, data: '0x41b247a8' }]);
  });

  it('estimates 16 units for each compressed byte, padded as nitro pads, and the gas in which that is paid', () => {
    // 84 bytes and 16 of padding, 1 % more: 1,616 units.
    const told = posterFees(84, {
      perByteWei: 16n * 3n * GWEI,
      leastBaseFeeWei: GWEI / 100n,
      baseFeeWei: GWEI / 100n,
    });
    expect(told.l1Fee).toBe(1_616n * 3n * GWEI);
    // 10 % more wei, at the least base fee.
    expect(told.l1Gas).toBe((1_616n * 3n * 110n * 100n) / 100n);
    const congested = posterFees(84, {
      perByteWei: 16n * 3n * GWEI,
      leastBaseFeeWei: GWEI / 100n,
      baseFeeWei: GWEI,
    });
    // 7/8 of the base fee, rounded up: 4,848 * 1.1 / 0.875.
    expect(congested).toEqual({ l1Fee: told.l1Fee, operatorFee: 0n, l1Gas: 6_095n });
  });

  it('the amount of gas of the call changes nothing', () => {
    const { decode } = fees.estimates(['0x01', `0x${'ab'.repeat(500)}`], 700_000n);
    const [small, other] = decode([prices(GWEI, GWEI / 100n, GWEI / 100n)]);
    expect(small?.(1n)).toEqual(small?.(10_000_000n));
    expect(small?.(1n).l1Gas).toBeGreaterThan(0n);
    expect(other?.(1n).l1Gas).toBeGreaterThanOrEqual(small?.(1n).l1Gas ?? 0n);
  });

  it('zeros and repetitions are compressed, random bytes are not', () => {
    const random = Array.from({ length: 1_000 }, (_, at) => (at * at * 7_919 + at * 104_729) % 251);
    const hex = (bytes: readonly number[]): Hex => `0x${Buffer.from(bytes).toString('hex')}`;
    expect(sizeOnL1(hex(random.map(() => 0)))).toBeLessThan(200);
    expect(sizeOnL1(hex(random))).toBeGreaterThan(250);
  });

  it('nothing is paid beside the gas of a receipt, and nothing is asked', () => {
    const { calls, decode } = fees.paid({ gasUsed: 5n, l1Fee: undefined }, NEVER);
    expect(calls).toEqual([]);
    expect(decode([])).toEqual({ l1Fee: 0n, operatorFee: 0n });
  });

  const FAILURES: readonly [string, MulticallResult][] = [
    ['reverts', { success: false, data: '0x' }],
    ['is not there', { success: true, data: '0x' }],
    ['answers too little', { success: true, data: '0x01' }],
  ];
  it.each(FAILURES)('an ArbGasInfo that %s is no free transaction', (_, result) => {
    expect(() => fees.estimates(['0x01'], 1n).decode([result])).toThrow('ArbGasInfo gave no prices');
  });
});

describe('fees of Ethereum', () => {
  it('nothing is paid beside the gas, and nothing is asked', () => {
    const ethereum = chainFeesOf('gas-only');
    const { calls, decode } = ethereum.estimates(['0x01', '0x02'], 700_000n);
    expect(calls).toEqual([]);
    expect(decode([]).map((of) => of?.(1n))).toEqual([
      { l1Fee: 0n, operatorFee: 0n },
      { l1Fee: 0n, operatorFee: 0n },
    ]);
    const paid = ethereum.paid({ gasUsed: 5n, l1Fee: undefined }, NEVER);
    expect([paid.calls, paid.decode([])]).toEqual([[], { l1Fee: 0n, operatorFee: 0n }]);
  });
});
