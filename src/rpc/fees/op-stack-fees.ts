import type { FeesBesideGas } from '../../domain/costs.js';
import type { Hex } from '../../domain/hex.js';
import { max, mulDivCeil } from '../../domain/money.js';
import type { Receipt } from '../chain/chain-answers.js';
import { each, together, type Read } from '../chain/read.js';
import { ChainFees, type FeeEstimate } from './chain-fees.js';
import { feeRead, l1FeeCall, operatorFeeCall } from './gas-price-oracle.js';

/** The OP stack: what its GasPriceOracle says. */
export class OpStackFees extends ChainFees {
  /**
   * The operator fee is a fixed amount and an amount per gas. For more gas than was assumed the whole of it
   * is scaled up, for less it stays as it is: never below the true fee.
   */
  override estimates(unsigned: readonly Hex[], assumedGas: bigint): Read<readonly FeeEstimate[]> {
    const { calls, decode } = together(
      each(unsigned.map((transaction) => feeRead(l1FeeCall(transaction)))),
      feeRead(operatorFeeCall(assumedGas)),
    );
    return {
      calls,
      decode: (results) => {
        const [l1Fees, operatorFee] = decode(results);
        return l1Fees.map((l1Fee) => (gasUsed) => ({
          l1Fee,
          operatorFee: max(operatorFee, mulDivCeil(operatorFee, gasUsed, assumedGas)),
        }));
      },
    };
  }

  /** Takes the receipt's `l1Fee` where the node gives it: the oracle only estimates the signature's size. */
  override paid(
    { gasUsed, l1Fee }: Pick<Receipt, 'gasUsed' | 'l1Fee'>,
    unsigned: () => Hex,
  ): Read<FeesBesideGas> {
    const { calls, decode } = together(
      feeRead(operatorFeeCall(gasUsed)),
      each(l1Fee === undefined ? [feeRead(l1FeeCall(unsigned()))] : []),
    );
    return {
      calls,
      decode: (results) => {
        const [operatorFee, [asked = 0n]] = decode(results);
        return { l1Fee: l1Fee ?? asked, operatorFee };
      },
    };
  }
}
