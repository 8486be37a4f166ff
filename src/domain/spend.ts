import { nativeUsd8 } from './costs.js';

/** What was paid, or what may at most be paid. */
export interface Spend {
  /** Gas, L1 data and operator fee. */
  readonly feeWei: bigint;
  /** What of it is lost, at the native price of the plan, rounded up. */
  readonly lossUsd8: bigint;
}

export const NO_SPEND: Spend = { feeWei: 0n, lossUsd8: 0n };

/** The limits that can refuse a transaction, in the order in which they are checked. */
export type SpendingReason =
  | 'fee-above-limit'
  | 'fee-above-node-cap'
  | 'daily-fee-reached'
  | 'daily-loss-reached'
  | 'wallet-share-reached'
  | 'in-flight-limit';

export function sumOf(spends: Iterable<Spend>): Spend {
  let sum = NO_SPEND;
  for (const { feeWei, lossUsd8 } of spends)
    sum = { feeWei: sum.feeWei + feeWei, lossUsd8: sum.lossUsd8 + lossUsd8 };
  return sum;
}

/** The reservation of a transaction that pays at most this fee: its loss if it reverts, rounded up. */
export function reservationOf(feeWei: bigint, nativePriceUsd8: bigint): Spend {
  return { feeWei, lossUsd8: nativeUsd8(feeWei, nativePriceUsd8) };
}
