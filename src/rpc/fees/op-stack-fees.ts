import type { FeesBesideGas } from '../../domain/costs.js';
import type { Hex } from '../../domain/hex.js';
import { max, mulDivCeil } from '../../domain/money.js';
import type { Receipt } from '../chain/chain-answers.js';
import { each, together, type Read } from '../chain/read.js';
import { ChainFees, type FeeEstimate } from './chain-fees.js';
import { feeRead, l1FeeCall, L1_FEE_PARAMETERS, operatorFeeCall } from './gas-price-oracle.js';
import { fjordL1Fee, fjordSize } from './fjord-l1-fee.js';

/** So many questions of several transactions are not computed after the oracle said another fee. */
const ASKED_AFTER_DIFFERENCE = 100;

/** The OP stack: what its GasPriceOracle says. */
export class OpStackFees extends ChainFees {
  /** So many questions more ask the oracle for each fee: its formula is another one, or an endpoint lied. */
  private askedForAll = 0;

  /**
   * The oracle takes some hundred thousand gas to measure a transaction. So it is asked for the fee of the
   * first one only, and for what its formula needs. Where both agree, the other fees are computed here.
   * Where they do not, only the first has a fee, and the next questions ask the oracle for all.
   *
   * The operator fee is a fixed amount and an amount per gas. For more gas than was assumed the whole of it
   * is scaled up, for less it stays as it is: never below the true fee.
   */
  override estimates(
    unsigned: readonly Hex[],
    assumedGas: bigint,
  ): Read<readonly (FeeEstimate | undefined)[]> {
    const l1 = this.mayCompute(unsigned.length) ? this.l1FeesByFormula(unsigned) : l1FeesAsked(unsigned);
    const { calls, decode } = together(l1, feeRead(operatorFeeCall(assumedGas)));
    return {
      calls,
      decode: (results) => {
        const [l1Fees, operatorFee] = decode(results);
        return l1Fees.map((l1Fee) => {
          if (l1Fee === undefined) return undefined;
          return (gasUsed) => {
            const scaled = mulDivCeil(operatorFee, gasUsed, assumedGas);
            return { l1Fee, operatorFee: max(operatorFee, scaled) };
          };
        });
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

  private mayCompute(count: number): boolean {
    if (count < 2) return false;
    if (this.askedForAll === 0) return true;
    this.askedForAll -= 1;
    return false;
  }

  private l1FeesByFormula(unsigned: readonly Hex[]): Read<readonly (bigint | undefined)[]> {
    const sizes = unsigned.map(fjordSize);
    const [first] = unsigned;
    const { calls, decode } = together(each(first ? [feeRead(l1FeeCall(first))] : []), L1_FEE_PARAMETERS);
    return {
      calls,
      decode: (results) => {
        const [[asked], parameters] = decode(results);
        const computed = sizes.map((size) => fjordL1Fee(size, parameters));
        if (computed[0] === asked) return computed;
        this.askedForAll = ASKED_AFTER_DIFFERENCE;
        return computed.map((_, index) => (index === 0 ? asked : undefined));
      },
    };
  }
}

function l1FeesAsked(unsigned: readonly Hex[]): Read<readonly bigint[]> {
  return each(unsigned.map((transaction) => feeRead(l1FeeCall(transaction))));
}
