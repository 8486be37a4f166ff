import type { FeesBesideGas } from '../../src/domain/costs.js';
import type { Hex } from '../../src/domain/hex.js';
import type { Read } from '../../src/rpc/chain/read.js';
import { ChainFees, type FeeEstimate } from '../../src/rpc/fees/chain-fees.js';

/** Fees without a chain, the same for every transaction. */
export class FakeChainFees extends ChainFees {
  constructor(private readonly fees: FeesBesideGas = { l1Fee: 0n, operatorFee: 0n }) {
    super();
  }

  override estimates(unsigned: readonly Hex[]): Read<readonly FeeEstimate[]> {
    return { calls: [], decode: () => unsigned.map(() => () => this.fees) };
  }

  override paid(): Read<FeesBesideGas> {
    return { calls: [], decode: () => this.fees };
  }
}
