import type { FeesBesideGas } from '../../domain/costs.js';
import type { Hex } from '../../domain/hex.js';
import type { Read } from '../chain/read.js';
import { ChainFees, type FeeEstimate } from './chain-fees.js';

const NOTHING: FeesBesideGas = { l1Fee: 0n, operatorFee: 0n };

/** Ethereum: a transaction pays for its gas, and for nothing else. So nothing is asked. */
export class GasOnlyFees extends ChainFees {
  override estimates(unsigned: readonly Hex[]): Read<readonly FeeEstimate[]> {
    return { calls: [], decode: () => unsigned.map(() => () => NOTHING) };
  }

  override paid(): Read<FeesBesideGas> {
    return { calls: [], decode: () => NOTHING };
  }
}
