import type { Address } from './hex.js';
import type { Asset } from './opportunity.js';

/** The pools of the route lend the debt tokens and are paid with collateral. The profit is collateral. */
export interface FlashSwap {
  readonly kind: 'flash-swap';
}

/** A lender lends the debt tokens, and all of the collateral is sold for them. The profit is debt tokens. */
export interface Loan {
  readonly kind: 'loan';
  /** Its name in rows and messages, for instance "morpho". */
  readonly name: string;
  readonly lender: Address;
  /** Of the loan. The lender rounds it up. */
  readonly feeBps: bigint;
}

/**
 * The market gives the collateral before it takes the debt (Morpho Blue's callback): nothing is lent, and all
 * of the collateral is sold for debt tokens. The profit is debt tokens.
 */
export interface Callback {
  readonly kind: 'callback';
}

/** Where the debt tokens of a plan come from. Plain data, as it is stored with the plan. */
export type Funding = FlashSwap | Loan | Callback;

/** In which of the two tokens the profit is. */
export function profitIn({ kind }: Funding): 'collateral' | 'debt' {
  return kind === 'flash-swap' ? 'collateral' : 'debt';
}

/** The token of the profit. */
export function profitAssetOf(
  funding: Funding,
  pair: { readonly collateral: Asset; readonly debt: Asset },
): Asset {
  return pair[profitIn(funding)];
}

/** For rows and messages: the name of the lender, "flash-swap" or "callback". */
export function fundingName(funding: Funding): string {
  return funding.kind === 'loan' ? funding.name : funding.kind;
}
