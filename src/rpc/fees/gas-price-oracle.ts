import { id } from 'ethers';
import { uintAt, uintWord, type Address, type Hex } from '../../domain/hex.js';
import type { MulticallCall } from '../chain/multicall3.js';
import { together, type Read } from '../chain/read.js';
import { feeWithin } from '../quantities.js';
import type { L1FeeParameters } from './fjord-l1-fee.js';

/** A predeploy of the OP stack. A chain that does not have it answers with no data: it has no such fees. */
const GAS_PRICE_ORACLE: Address = '0x420000000000000000000000000000000000000f';

const GET_L1_FEE = id('getL1Fee(bytes)').slice(0, 10) as Hex;
const GET_OPERATOR_FEE = id('getOperatorFee(uint256)').slice(0, 10) as Hex;

/** GasPriceOracle.getL1Fee of an unsigned transaction. It adds the size of a signature by itself. */
export function l1FeeCall(unsignedTransaction: Hex): MulticallCall {
  const bytes = unsignedTransaction.slice(2);
  const padded = bytes.padEnd(Math.ceil(bytes.length / 64) * 64, '0');
  return { to: GAS_PRICE_ORACLE, data: `${GET_L1_FEE}${uintWord(32)}${uintWord(bytes.length / 2)}${padded}` };
}

/** GasPriceOracle.getOperatorFee, since the Isthmus upgrade. An older oracle reverts. */
export function operatorFeeCall(gas: bigint): MulticallCall {
  return { to: GAS_PRICE_ORACLE, data: `${GET_OPERATOR_FEE}${uintWord(gas)}` };
}

/** Wei; 0 where the chain has no such fee. */
export function feeRead(call: MulticallCall): Read<bigint> {
  return {
    calls: [call],
    decode: ([result]) => (result?.success && result.data !== '0x' ? feeWithin(uintAt(result.data, 0)) : 0n),
  };
}

const PARAMETERS = together(
  ...(['l1BaseFee', 'baseFeeScalar', 'blobBaseFee', 'blobBaseFeeScalar'] as const).map((name) =>
    feeRead({ to: GAS_PRICE_ORACLE, data: id(`${name}()`).slice(0, 10) as Hex }),
  ),
);

/** What the oracle computes fees from, since the Ecotone upgrade; 0 where there is none. */
export const L1_FEE_PARAMETERS: Read<L1FeeParameters> = {
  calls: PARAMETERS.calls,
  decode: (results) => {
    const [baseFeeWei = 0n, baseFeeScalar = 0n, blobBaseFeeWei = 0n, blobBaseFeeScalar = 0n] =
      PARAMETERS.decode(results);
    return { baseFeeWei, baseFeeScalar, blobBaseFeeWei, blobBaseFeeScalar };
  },
};
