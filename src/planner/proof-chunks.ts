import type { PlanningContext } from './planning-context.js';

/**
 * What a draft may burn in its simulation. A flash-swap liquidation with two debts took less than 0.7M. With
 * a bound for each, a token or a pool that burns all it gets takes nothing from the drafts after it.
 */
export const GAS_OF_DRAFT = 2_500_000n;
/** By default nodes spend 50M on one question, whatever it holds: `rpc.gascap` of geth, reth and erigon. */
const GAS_OF_QUESTION = 48_000_000n;

/** How many drafts can be simulated in one question on top of what is pending; 0: none before it is mined. */
export function roomFor(pending: PlanningContext['pending']): number {
  const pendingGas = pending.reduce((sum, { gasLimit }) => sum + gasLimit, 0n);
  return pendingGas > GAS_OF_QUESTION ? 0 : Number((GAS_OF_QUESTION - pendingGas) / GAS_OF_DRAFT);
}
