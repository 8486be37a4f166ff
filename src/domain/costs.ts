import { costUsd8, WAD } from './money.js';

/** What a transaction pays beside its gas. Wei. */
export interface FeesBesideGas {
  /** For its data on L1 (OP stack: GasPriceOracle.getL1Fee); 0 where there is no such fee. */
  readonly l1Fee: bigint;
  /** To the operator of the chain (OP stack: GasPriceOracle.getOperatorFee); 0 where there is none. */
  readonly operatorFee: bigint;
}

/** The same, before a transaction is sent. */
export interface EstimatedFees extends FeesBesideGas {
  /**
   * Gas that the transaction uses beside what a simulation tells, and in which `l1Fee` is paid (Arbitrum).
   * Absent where data on L1 is paid beside gas.
   */
  readonly l1Gas?: bigint;
}

/** Everything a plan pays, in USD8, each rounded up. */
export interface Costs {
  readonly l2GasUsd8: bigint;
  readonly l1DataUsd8: bigint;
  readonly operatorUsd8: bigint;
  readonly bidUsd8: bigint;
  /** For the records only: the pools kept it of the swap input, so it is not subtracted again. */
  readonly poolFeeUsd8: bigint;
  /** For the records only: the lender is paid before the profit is counted. A flash swap has none. */
  readonly flashFeeUsd8: bigint;
}

/** The costs a plan cannot avoid. USD8, each rounded up. */
export function unavoidableCosts(
  gasUsed: bigint,
  baseFeePerGasWei: bigint,
  { l1Fee, operatorFee }: FeesBesideGas,
  nativePriceUsd8: bigint,
): Pick<Costs, 'l2GasUsd8' | 'l1DataUsd8' | 'operatorUsd8'> {
  return {
    l2GasUsd8: nativeUsd8(gasUsed * baseFeePerGasWei, nativePriceUsd8),
    l1DataUsd8: nativeUsd8(l1Fee, nativePriceUsd8),
    operatorUsd8: nativeUsd8(operatorFee, nativePriceUsd8),
  };
}

/**
 * The costs that are subtracted from the gross profit: all but the fees that were paid before it was counted.
 * USD8.
 */
export function totalCostsUsd8(costs: Costs): bigint {
  return costs.l2GasUsd8 + costs.l1DataUsd8 + costs.operatorUsd8 + costs.bidUsd8;
}

/** USD8 that an amount of wei costs, rounded up. */
export function nativeUsd8(wei: bigint, nativePriceUsd8: bigint): bigint {
  return costUsd8(wei, { decimals: 18, priceUsd8: nativePriceUsd8 });
}

/** Wei that `usd8` buys at the native price, rounded down. */
export function weiWithin(usd8: bigint, nativePriceUsd8: bigint): bigint {
  return (usd8 * WAD) / nativePriceUsd8;
}
