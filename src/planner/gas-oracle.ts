import { id } from 'ethers';
import { uintAt, uintWord, type Address, type Hex } from '../domain/hex.js';
import type { Read } from '../rpc/read.js';

/** OP-stack predeploy; on a chain without it the calls answer nothing, and there is no such fee. */
export const GAS_PRICE_ORACLE: Address = '0x420000000000000000000000000000000000000f';

const GET_L1_FEE = id('getL1Fee(bytes)').slice(0, 10) as Hex;
const GET_OPERATOR_FEE = id('getOperatorFee(uint256)').slice(0, 10) as Hex;

/** GasPriceOracle.getL1Fee of an unsigned transaction, wei: what its data costs on L1, the signature allowed for. */
export function l1FeeRead(unsignedTransaction: Hex): Read<bigint> {
  const bytes = unsignedTransaction.slice(2);
  const padded = bytes.padEnd(Math.ceil(bytes.length / 64) * 64, '0');
  return {
    calls: [
      { to: GAS_PRICE_ORACLE, data: `${GET_L1_FEE}${uintWord(32)}${uintWord(bytes.length / 2)}${padded}` },
    ],
    decode: ([result]) => (result?.success && result.data !== '0x' ? uintAt(result.data, 0) : 0n),
  };
}

/** GasPriceOracle.getOperatorFee (Isthmus and later), wei; 0 on a chain that has no such fee yet. */
export function operatorFeeRead(gas: bigint): Read<bigint> {
  return {
    calls: [{ to: GAS_PRICE_ORACLE, data: `${GET_OPERATOR_FEE}${uintWord(gas)}` }],
    decode: ([result]) => (result?.success && result.data !== '0x' ? uintAt(result.data, 0) : 0n),
  };
}
