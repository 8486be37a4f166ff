import type { EstimatedFees, FeesBesideGas } from '../../domain/costs.js';
import type { Hex } from '../../domain/hex.js';
import type { Receipt } from '../chain/chain-answers.js';
import type { Read } from '../chain/read.js';

/** What one transaction pays beside its gas, for any amount of gas that it may turn out to use. */
export type FeeEstimate = (gasUsed: bigint) => EstimatedFees;

/** What transactions pay beside their L2 gas. Each kind of chain has rules and a contract of its own. */
export abstract class ChainFees {
  /**
   * One estimate for each unsigned transaction, at the block of the read.
   *
   * @param assumedGas of each transaction, because its gas is not known before its simulation.
   * @returns undefined for one that has to be read again: the next read tells it.
   */
  abstract estimates(
    unsigned: readonly Hex[],
    assumedGas: bigint,
  ): Read<readonly (FeeEstimate | undefined)[]>;

  /**
   * What a mined transaction paid. To be read at the block of its receipt.
   *
   * @param unsigned the transaction without its signature; called where the receipt does not tell all.
   */
  abstract paid(receipt: Pick<Receipt, 'gasUsed' | 'l1Fee'>, unsigned: () => Hex): Read<FeesBesideGas>;
}
