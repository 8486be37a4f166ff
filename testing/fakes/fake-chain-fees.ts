import type { FeesBesideGas } from '../../src/domain/costs.js';
import type { Hex } from '../../src/domain/hex.js';
import type { Read } from '../../src/rpc/chain/read.js';
import { ChainFees, type FeeEstimate } from '../../src/rpc/fees/chain-fees.js';

/** Fees without a chain, the same for every transaction. */
export class FakeChainFees extends ChainFees {
  /** The next read tells the fee of the first transaction alone. */
  tellsOne = false;

  constructor(private readonly fees: FeesBesideGas = { l1Fee: 0n, operatorFee: 0n }) {
    super();
  }

  override estimates(unsigned: readonly Hex[]): Read<readonly (FeeEstimate | undefined)[]> {
    const { tellsOne } = this;
    this.tellsOne = false;
    const decode = (): (FeeEstimate | undefined)[] =>
      unsigned.map((_, index) => (tellsOne && index > 0 ? undefined : () => this.fees));
    return { calls: [], decode };
  }

  override paid(): Read<FeesBesideGas> {
    return { calls: [], decode: () => this.fees };
  }
}
