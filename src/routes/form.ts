/**
 * How the contract uses the pools of a route (contracts/src/Swaps.sol).
 *
 * - `flash-swap`: BUY and BUY_ON. An exact amount of debt is bought, and the pools are paid with the seized
 *   collateral. Each pool lends, and stands in the route once: it is locked until it is paid. The profit is
 *   collateral.
 * - `sale`: SELL and SELL_ON, behind a loan. All of the seized collateral is sold, in any pools. The profit
 *   is debt.
 */
export type FormKind = 'flash-swap' | 'sale';

/** A form and what using it costs. */
export type Form =
  | {
      readonly kind: 'flash-swap';
      /** Gas of one hop more, in collateral units. */
      readonly hopCost: bigint;
    }
  | {
      readonly kind: 'sale';
      /** Gas of one hop more, in debt units. */
      readonly hopCost: bigint;
      /** Fee of the lender, in basis points of the loan; it is rounded up. */
      readonly loanFeeBps: bigint;
    };
