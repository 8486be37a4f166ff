import { describe, expect, it } from 'vitest';
import { uintWord } from '../../domain/hex.js';
import type { MulticallResult } from '../chain/multicall3.js';
import { l1FeeCall, operatorFeeCall } from './gas-price-oracle.js';
import { chainFeesOf } from './fee-models.js';

const fees = chainFeesOf('op-stack');
const answer = (wei: bigint): MulticallResult => ({ success: true, data: `0x${uintWord(wei)}` });
const REVERTED: MulticallResult = { success: false, data: '0x' };
const NO_CONTRACT: MulticallResult = { success: true, data: '0x' };

describe('fees of an OP-stack chain', () => {
  it('asks for the data fee of one transaction, and for its operator fee', () => {
    const { calls } = fees.estimates(['0x01'], 700_000n);
    expect(calls).toEqual([l1FeeCall('0x01'), operatorFeeCall(700_000n)]);
  });

  it('computes the data fee of many from what the oracle says of the first and of the block', () => {
    // 100 bytes at least, at 3 * 16 * 5 + 2 * 7 = 254 millionths of a wei.
    const answers = [answer(25_400n), answer(5_000_000n), answer(3n), answer(7_000_000n), answer(2n)];
    const { calls, decode } = chainFeesOf('op-stack').estimates(['0x01', '0x0203'], 700_000n);
    const estimates = decode([...answers, answer(9n)]);
    expect(calls).toHaveLength(6);
    expect(estimates.map((of) => of?.(1n))).toEqual([
      { l1Fee: 25_400n, operatorFee: 9n },
      { l1Fee: 25_400n, operatorFee: 9n },
    ]);
  });

  it('asks the oracle for all, once it said another fee than was computed, and believes no other until then', () => {
    const other = chainFeesOf('op-stack');
    const { calls, decode } = other.estimates(['0x01', '0x0203'], 700_000n);
    const answers = calls.map((_, index) => answer(index === 0 ? 11n : 1n));
    expect(decode(answers).map((of) => of?.(1n).l1Fee)).toEqual([11n, undefined]);
    const again = other.estimates(['0x01', '0x0203'], 700_000n);
    expect(again.calls).toEqual([l1FeeCall('0x01'), l1FeeCall('0x0203'), operatorFeeCall(700_000n)]);
    const asked = again.decode([answer(11n), answer(22n), answer(1n)]);
    expect(asked.map((of) => of?.(1n).l1Fee)).toEqual([11n, 22n]);
  });

  it('computes again after a while: an endpoint that lies once costs no gas of nodes for ever', () => {
    const other = chainFeesOf('op-stack');
    const ask = (): number => {
      const { calls, decode } = other.estimates(['0x01', '0x0203'], 700_000n);
      if (calls.length === 6) decode(calls.map((_, index) => answer(index === 0 ? 11n : 1n)));
      return calls.length;
    };
    expect(ask()).toBe(6);
    const asked = Array.from({ length: 101 }, ask);
    expect(asked.filter((count) => count === 3)).toHaveLength(100);
    expect(asked.at(-1)).toBe(6);
  });

  it('estimates the operator fee in proportion for more gas than assumed, rounded up, and never lower', () => {
    const { decode } = fees.estimates(['0x01'], 700_000n);
    const [first] = decode([answer(11n), answer(1_001n)]);
    expect(first?.(700_000n)).toEqual({ l1Fee: 11n, operatorFee: 1_001n });
    expect(first?.(350_000n)).toEqual({ l1Fee: 11n, operatorFee: 1_001n });
    expect(first?.(1_050_000n)).toEqual({ l1Fee: 11n, operatorFee: 1_502n });
  });

  it('takes the data fee of the receipt where the node gives it, and asks the oracle otherwise', () => {
    const told = fees.paid({ gasUsed: 5n, l1Fee: 33n }, () => {
      throw new Error('it is not needed');
    });
    expect(told.calls).toEqual([operatorFeeCall(5n)]);
    expect(told.decode([answer(2n)])).toEqual({ l1Fee: 33n, operatorFee: 2n });
    const asked = fees.paid({ gasUsed: 5n, l1Fee: undefined }, () => '0x01');
    expect(asked.calls).toEqual([operatorFeeCall(5n), l1FeeCall('0x01')]);
    expect(asked.decode([answer(2n), answer(44n)])).toEqual({ l1Fee: 44n, operatorFee: 2n });
  });

  it.each([
    ['an older oracle reverts', REVERTED],
    ['the chain has no oracle', NO_CONTRACT],
  ])('is 0 where %s', (_, result) => {
    expect(fees.paid({ gasUsed: 5n, l1Fee: undefined }, () => '0x01').decode([result, result])).toEqual({
      l1Fee: 0n,
      operatorFee: 0n,
    });
  });

  it('does not read a cut-off answer as a fee', () => {
    const { decode } = fees.paid({ gasUsed: 5n, l1Fee: 0n }, () => '0x01');
    expect(() => decode([{ success: true, data: '0x01' }])).toThrow(RangeError);
  });
});
