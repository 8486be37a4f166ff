import type { Address } from '../domain/hex.js';
import { max, min } from '../domain/money.js';
import type { TransactionCall } from '../domain/plan.js';

/** The base fee may rise by this factor until the replacement is mined. */
const BASE_FEE_TOLERANCE = 2n;

type Fees = Pick<TransactionCall, 'maxFeePerGas' | 'maxPriorityFeePerGas'>;

/**
 * The fees of a transaction that takes the place of another one in the pools of nodes. They ask for 10 % more
 * on both fees; this is an eighth more, rounded up, and at least one wei.
 */
export function raisedFees({ maxFeePerGas, maxPriorityFeePerGas }: Fees, baseFeePerGasWei: bigint): Fees {
  const tip = raised(maxPriorityFeePerGas);
  return {
    maxFeePerGas: max(raised(maxFeePerGas), BASE_FEE_TOLERANCE * baseFeePerGasWei + tip),
    maxPriorityFeePerGas: tip,
  };
}

/**
 * A transfer of nothing to ourselves. It never costs more than what it replaces: its max fee is bounded by
 * what the gas of the replaced transaction was allowed to cost, unless the nodes would then refuse it.
 *
 * @param transferGas gas limit of a transfer of nothing.
 */
export function cancellationOf(
  replaced: TransactionCall,
  baseFeePerGasWei: bigint,
  sender: Address,
  transferGas: bigint,
): TransactionCall {
  const { maxFeePerGas, maxPriorityFeePerGas } = raisedFees(replaced, baseFeePerGasWei);
  const boundWei = (replaced.gasLimit * replaced.maxFeePerGas) / transferGas;
  return {
    to: sender,
    data: '0x',
    gasLimit: transferGas,
    maxFeePerGas: max(raised(replaced.maxFeePerGas), min(maxFeePerGas, boundWei)),
    maxPriorityFeePerGas,
  };
}

function raised(feeWei: bigint): bigint {
  return feeWei + max(1n, (feeWei + 7n) / 8n);
}

/** What a transaction is expected to pay for its gas, at this base fee. Wei. */
export function expectedGasWei(gasUsed: bigint, fees: Fees, baseFeePerGasWei: bigint): bigint {
  return gasUsed * min(fees.maxFeePerGas, baseFeePerGasWei + fees.maxPriorityFeePerGas);
}
