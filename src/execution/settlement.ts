import type { FeesBesideGas } from '../domain/costs.js';
import type { FeesPaid } from '../domain/events/execution.js';
import type { Address } from '../domain/hex.js';
import { costUsd8, min, valueUsd8 } from '../domain/money.js';
import type { LiquidatedEvent } from '../contract/bindings.js';
import { chimeraEvents, liquidatedEvents, revertReason } from '../contract/contract.js';
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

/** What became of one of several liquidations of a transaction. */
export type ItemOutcome =
  | Pick<
      LiquidatedEvent,
      'collateralAsset' | 'debtAsset' | 'debtCovered' | 'collateralSeized' | 'profitToken' | 'profit'
    >
  | { readonly failed: string };

export type Proof =
  | (Settled & {
      readonly kind: 'succeeded';
      /** Debt token units; of several liquidations the sum of those with the debt of the first. */
      readonly debtCovered: bigint;
      /** Collateral units; of several the sum of those with the collateral of the first. */
      readonly collateralSeized: bigint;
      /** Units of the profit token, as the treasury received them; of several likewise. */
      readonly profit: bigint;
      /** Each of several, in their order. */
      readonly items?: readonly ItemOutcome[];
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

  if (terms.several) return proofOfSeveral(receipt, terms, terms.several, chimera, lost);
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
 * The same of a transaction with several liquidations. It succeeded if one of them did. Those that failed
 * brought nothing.
 */
function proofOfSeveral(
  { logs }: Receipt,
  { market, borrower, profitAsset }: SettlementTerms,
  { collateralAsset, debtAsset, furtherProfitAssets }: NonNullable<SettlementTerms['several']>,
  chimera: Address,
  lost: Settled,
): Proof {
  const assets = new Map([...furtherProfitAssets, profitAsset].map((asset) => [asset.address, asset]));
  const [done, items]: [LiquidatedEvent[], ItemOutcome[]] = [[], []];
  for (const event of chimeraEvents(logs, chimera)) {
    if (event.kind === 'bid-paid' || event.borrower !== borrower) continue;
    if (event.kind === 'failed') {
      items.push({ failed: revertReason(event.reason) });
    } else if (event.market === market && assets.has(event.profitToken)) {
      done.push(event);
      const { debtCovered, collateralSeized, profitToken, profit } = event;
      const tokens = { collateralAsset: event.collateralAsset, debtAsset: event.debtAsset, profitToken };
      items.push({ ...tokens, debtCovered, collateralSeized, profit });
    }
  }
  if (done.length === 0) return { kind: 'no-event', ...lost };
  const sum = (of: (event: LiquidatedEvent) => bigint): bigint =>
    done.reduce((total, event) => total + of(event), 0n);
  const worthUsd8 = sum(({ profitToken, profit }) =>
    valueUsd8(profit, assets.get(profitToken) ?? profitAsset),
  );
  return {
    kind: 'succeeded',
    debtCovered: sum((event) => (event.debtAsset === debtAsset ? event.debtCovered : 0n)),
    collateralSeized: sum((event) =>
      event.collateralAsset === collateralAsset ? event.collateralSeized : 0n,
    ),
    profit: sum((event) => (event.profitToken === profitAsset.address ? event.profit : 0n)),
    items,
    ...lost,
    realisedProfitUsd8: worthUsd8 + lost.realisedProfitUsd8,
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
