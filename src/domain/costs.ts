import { costUsd8, WAD } from './money.js';

/** What the chain asks for gas and data at the planning block. All in wei. */
export interface GasPrices {
  readonly baseFeePerGas: bigint;
  /** The L1 data fee of this very calldata (OP-stack GasPriceOracle); 0 where the chain has none. */
  readonly l1DataFee: bigint;
  /** The operator fee for this gas (OP-stack since Isthmus); 0 where the chain has none. */
  readonly operatorFee: bigint;
}

/** Everything a plan pays, in USD8, each rounded up. Pool and flash fees are inside the swap input and shown for the books. */
export interface Costs {
  readonly l2GasUsd8: bigint;
  readonly l1DataUsd8: bigint;
  readonly operatorUsd8: bigint;
  readonly bidUsd8: bigint;
  /** Already part of the swap input: shown, not subtracted again. */
  readonly poolFeeUsd8: bigint;
  /** A flash swap has no fee beside the pool's. */
  readonly flashFeeUsd8: bigint;
}

const nativeUsd8 = (wei: bigint, nativePriceUsd8: bigint): bigint =>
  costUsd8(wei, { decimals: 18, priceUsd8: nativePriceUsd8 });

/** The costs a plan cannot avoid: execution gas at the base fee, L1 data, operator fee. USD8, each rounded up. */
export function unavoidableCosts(
  gasUsed: bigint,
  prices: GasPrices,
  nativePriceUsd8: bigint,
): Pick<Costs, 'l2GasUsd8' | 'l1DataUsd8' | 'operatorUsd8'> {
  return {
    l2GasUsd8: nativeUsd8(gasUsed * prices.baseFeePerGas, nativePriceUsd8),
    l1DataUsd8: nativeUsd8(prices.l1DataFee, nativePriceUsd8),
    operatorUsd8: nativeUsd8(prices.operatorFee, nativePriceUsd8),
  };
}

/** What is subtracted from the gross profit: everything but the fees that the swap input already holds. */
export function totalCostsUsd8(costs: Costs): bigint {
  return costs.l2GasUsd8 + costs.l1DataUsd8 + costs.operatorUsd8 + costs.bidUsd8;
}

/** Wei that `usd8` buys at the native price, rounded down. */
export function weiWithin(usd8: bigint, nativePriceUsd8: bigint): bigint {
  return (usd8 * WAD) / nativePriceUsd8;
}
