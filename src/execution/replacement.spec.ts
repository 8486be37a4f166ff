import { describe, expect, it } from 'vitest';
import type { TransactionCall } from '../domain/plan.js';
import { cancellationOf, expectedGasWei, raisedFees } from './replacement.js';

const SENDER = `0x${'5e'.repeat(20)}` as const;
const GWEI = 10n ** 9n;
const call: TransactionCall = {
  to: SENDER,
  data: '0x01',
  gasLimit: 500_000n,
  maxFeePerGas: 1_000_000_001n,
  maxPriorityFeePerGas: 100_000_001n,
};

describe('replacement', () => {
  it('F20 raises both fees by at least a tenth, rounded up', () => {
    const { maxFeePerGas, maxPriorityFeePerGas } = raisedFees(call, 0n);
    expect(maxFeePerGas * 10n).toBeGreaterThanOrEqual(call.maxFeePerGas * 11n);
    expect(maxPriorityFeePerGas * 10n).toBeGreaterThanOrEqual(call.maxPriorityFeePerGas * 11n);
    expect([maxFeePerGas, maxPriorityFeePerGas]).toEqual([1_125_000_002n, 112_500_002n]);
    expect(raisedFees({ maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }, 0n)).toEqual({
      maxFeePerGas: 1n,
      maxPriorityFeePerGas: 1n,
    });
  });

  it('F21 leaves room for a base fee that doubles', () => {
    expect(raisedFees(call, 10n * GWEI).maxFeePerGas).toBe(20n * GWEI + 112_500_002n);
  });

  it.each([0n, GWEI, 1_000n * GWEI])(
    'a cancellation costs less than what it replaces (base fee %i)',
    (baseFee) => {
      const cancellation = cancellationOf(call, baseFee, SENDER, 21_000n);
      expect(cancellation).toMatchObject({ to: SENDER, data: '0x', gasLimit: 21_000n });
      expect(cancellation.maxFeePerGas * 10n).toBeGreaterThanOrEqual(call.maxFeePerGas * 11n);
      expect(cancellation.gasLimit * cancellation.maxFeePerGas).toBeLessThanOrEqual(
        call.gasLimit * call.maxFeePerGas,
      );
    },
  );

  it('expects base fee and tip, and never more than the max fee', () => {
    expect(expectedGasWei(10n, call, GWEI / 2n)).toBe(6_000_000_010n);
    expect(expectedGasWei(10n, call, 5n * GWEI)).toBe(10_000_000_010n);
  });
});
