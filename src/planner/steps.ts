import type { PoolKey, Step, TokenRef } from '../contract/plan.js';
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
 */
export function flashSwapSteps({ parts }: Route, tokens: LiquidationTokens): Step[] {
  const buys = parts.flatMap(({ output, hops }) =>
    hops.toReversed().map((hop, index): Step => {
      const pool = poolKeyOf(hop, tokens);
      return index === 0 ? { kind: 'buy', amountOut: output, pool } : { kind: 'buy-on', pool };
    }),
  );
  return [...buys, { kind: 'liquidate' }];
}

function poolKeyOf({ tokenIn, parameter, factory }: Hop, tokens: LiquidationTokens): PoolKey {
  return { tokenIn: tokenRef(tokenIn, tokens), parameter, ...(factory && { factory }) };
}

function tokenRef(token: Address, { collateral, debt }: LiquidationTokens): TokenRef {
  if (token === collateral) return 'collateral';
  return token === debt ? 'debt' : token;
}
