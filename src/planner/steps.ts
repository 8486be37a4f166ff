import type { PoolKey, Step, TokenRef, WrapperKey } from '../contract/plan.js';
import type { Address } from '../domain/hex.js';
import type { Hop, Route } from '../domain/route.js';

/** The two tokens of a liquidation. */
export interface LiquidationTokens {
  readonly collateral: Address;
  readonly debt: Address;
}

/**
 * The steps of the contract that fund a liquidation by flash swaps along a route, and sell its collateral by
 * the same swaps.
 *
 * Each part buys its debt tokens from its last pool. That pool is paid by the pool before it (`buy-on`), and
 * the first pool of the part is paid with the seized collateral when the liquidation is done.
 *
 * @param liquidate the step of the market.
 */
export function flashSwapSteps({ parts }: Route, tokens: LiquidationTokens, liquidate: Step): Step[] {
  const buys = parts.flatMap(({ output, hops }) =>
    hops.toReversed().map((hop, index): Step => {
      const pool = poolKeyOf(hop, tokens);
      return index === 0 ? { kind: 'buy', amountOut: output, pool } : { kind: 'buy-on', pool };
    }),
  );
  return [...buys, liquidate];
}

/**
 * The steps that fund a liquidation by a loan, if there is one, and sell all of its collateral along a route.
 * The lender is repaid when they are done. Without a loan the market itself waits for its debt tokens until
 * then. Without parts the collateral is the debt token itself.
 *
 * @param liquidate the step of the market.
 * @param sharesBps what each part sells of the collateral that is left when its turn comes.
 */
export function saleSteps(
  loan: { readonly lender: Address; readonly amount: bigint } | undefined,
  { parts }: Route,
  sharesBps: readonly bigint[],
  tokens: LiquidationTokens,
  liquidate: Step,
): Step[] {
  const sales = parts.flatMap(({ hops }, part) =>
    hops.map((hop, index): Step => {
      const tokenOut = tokenRef(hop.tokenOut, tokens);
      const pool = saleKeyOf(hop, tokens);
      if (index > 0) return { kind: 'sell-on', tokenOut, pool };
      return { kind: 'sell', shareBps: Number(sharesBps[part]), tokenOut, pool };
    }),
  );
  return [...(loan ? [{ kind: 'loan' as const, ...loan }] : []), liquidate, ...sales];
}

/** Of a sale: a pool, or the token itself, which is taken apart. */
function saleKeyOf(hop: Hop, tokens: LiquidationTokens): PoolKey | WrapperKey {
  const { tokenIn, leastOut } = hop;
  return leastOut === undefined ? poolKeyOf(hop, tokens) : { tokenIn: tokenRef(tokenIn, tokens), leastOut };
}

function poolKeyOf({ tokenIn, parameter, factory }: Hop, tokens: LiquidationTokens): PoolKey {
  return { tokenIn: tokenRef(tokenIn, tokens), parameter, ...(factory && { factory }) };
}

function tokenRef(token: Address, { collateral, debt }: LiquidationTokens): TokenRef {
  if (token === collateral) return 'collateral';
  return token === debt ? 'debt' : token;
}
