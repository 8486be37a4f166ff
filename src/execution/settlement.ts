import type { FeesBesideGas } from '../domain/costs.js';
import type { FeesPaid } from '../domain/events/execution.js';
import type { Address } from '../domain/hex.js';
import { costUsd8, min, valueUsd8 } from '../domain/money.js';
import { liquidatedEvents } from '../contract/contract.js';
import type { Receipt } from '../rpc/chain/chain-answers.js';
import type { SettlementTerms } from './settlement-terms.js';

interface Settled {
  /** Everything the transaction paid: gas, L1 data, operator fee. Wei. */
  readonly feesWei: bigint;
  /** What of it was not for gas. */
  readonly besideGas: FeesBesideGas;
  /**
   * The profit of the event less the fees, both at the plan's prices. Of a failure: its fees, as a negative
   * number.
   */
  readonly realisedProfitUsd8: bigint;
}

export type Proof =
  | (Settled & {
      readonly kind: 'succeeded';
      /** Debt token units. */
      readonly debtCovered: bigint;
      /** Collateral units. */
      readonly collateralSeized: bigint;
      /** Units of the profit token, as the treasury received them. */
      readonly profit: bigint;
    })
  | (Settled & { readonly kind: 'reverted' | 'no-event' | 'cancelled' });

/**
 * What a confirmed receipt proves. An intent succeeded only if the receipt says success and holds our own
 * contract's event for this borrower and market, with the profit in the token of the plan.
 *
 * Profit and fees are valued at the prices of the planning block, so that realised and simulated profit
 * differ by amounts and fees, and not by a price that moved after the plan. Profit is rounded down, fees up.
 */
export function proofOf(
  receipt: Receipt,
  terms: SettlementTerms,
  chimera: Address,
  fees: FeesBesideGas,
): Proof {
  const feesWei = receipt.gasUsed * receipt.effectiveGasPrice + fees.l1Fee + fees.operatorFee;
  const feesUsd8 = costUsd8(feesWei, { decimals: 18, priceUsd8: terms.nativePriceUsd8 });
  const lost = { feesWei, besideGas: fees, realisedProfitUsd8: -feesUsd8 };
  if (receipt.status === 'reverted') return { kind: 'reverted', ...lost };

  const event = liquidatedEvents(receipt.logs, chimera).find(
    ({ market, borrower, profitToken }) =>
      market === terms.market && borrower === terms.borrower && profitToken === terms.profitAsset.address,
  );
  if (!event) return { kind: 'no-event', ...lost };
  const { debtCovered, collateralSeized, profit } = event;
  return {
    kind: 'succeeded',
    debtCovered,
    collateralSeized,
    profit,
    feesWei,
    besideGas: fees,
    realisedProfitUsd8: valueUsd8(profit, terms.profitAsset) - feesUsd8,
  };
}

/**
 * The fees of a receipt, one by one. The bid is what was offered, or all of the gas price where that is less:
 * the receipt does not tell the base fee.
 *
 * @param tipPerGasWei the priority fee of the version that was mined.
 */
export function feesPaid(
  { gasUsed, effectiveGasPrice }: Pick<Receipt, 'gasUsed' | 'effectiveGasPrice'>,
  { l1Fee, operatorFee }: FeesBesideGas,
  tipPerGasWei: bigint,
): FeesPaid {
  const bidWei = gasUsed * min(tipPerGasWei, effectiveGasPrice);
  return {
    gasWei: String(gasUsed * effectiveGasPrice - bidWei),
    bidWei: String(bidWei),
    l1Wei: String(l1Fee),
    operatorWei: String(operatorFee),
  };
}
