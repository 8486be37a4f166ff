import { parseRevert, revertReason } from '../contract/contract.js';
import { rejected, type Rejection } from '../domain/decision.js';
import type { Reverts } from './agreement.js';
import type { Draft, Measured } from './drafts.js';
import type { OfferedCall } from './offered-call.js';
import type { PlanningContext } from './planning-context.js';
import { stepsOf } from './quotes.js';

/** An overflow or underflow, as Solidity reports it. */
const UNDERFLOW = 'Panic(17)';

/** Not refused for good: it was not simulated, or the block has no room for it. */
export function later(): Rejection {
  return rejected('comes-later');
}

export function gasOf(calls: PlanningContext['pending']): bigint {
  return calls.reduce((sum, { gasLimit }) => sum + gasLimit, 0n);
}

/** Why the block has no room for so much gas: it comes later, unless it would never fit. */
export function beyondBlock(
  gasLimit: bigint,
  gasLeft: bigint,
  { pending }: Pick<PlanningContext, 'pending'>,
): Rejection | undefined {
  if (gasLimit <= gasLeft) return undefined;
  const numbers = { gasLimit: String(gasLimit), gasLeft: String(gasLeft) };
  return gasLimit > gasLeft + gasOf(pending) ? rejected('gas-above-block-share', numbers) : later();
}

/**
 * What a call below its floor tells: the contract says the profit. Where that is above the bare floor of the
 * draft, another call with a lower floor may pay.
 */
export function measuredBelowFloor(
  { draft, plan, feesOf }: OfferedCall,
  { data, gasUsed }: Reverts,
): Measured | undefined {
  const [liquidation] = draft.liquidations;
  const error = parseRevert(data);
  if (error.kind !== 'known' || error.name !== 'ProfitBelowFloor') return undefined;
  if (!liquidation || stepsOf(draft.quote).length > 1) return undefined;
  const profit = BigInt(error.args[0] ?? 0);
  if (profit < liquidation.minProfit || profit >= plan.minProfit) return undefined;
  const { debtCovered, collateralSeized, flashFee } = plan.simulation;
  return { simulation: { debtCovered, collateralSeized, flashFee, profit, gasUsed }, feesOf };
}

/** The lender of a plan that reverted may be the cause. */
export function doubtLender(
  { opportunity, quote }: Draft,
  { lenders }: Pick<PlanningContext, 'lenders'>,
): void {
  const { funding, candidate } = quote;
  if (funding.kind === 'loan') lenders.doubt(funding, opportunity, candidate.debt.address);
}

/** Why the contract, or a contract that it called, reverted. @param first nothing executes before it. */
export function refusalOf(
  { quote, liquidations: [liquidation] }: Draft,
  { data, gasUsed }: Reverts,
  gas: bigint,
  first: boolean,
): Rejection {
  const error = parseRevert(data);
  const burntAll = data === '0x' && gasUsed >= gas;
  const detail = {
    revert: burntAll ? `out of gas: it needs more than ${gas}` : revertReason(data),
    quotedProfit: String(quote.profit),
    minProfit: String(liquidation?.minProfit),
  };
  // What is in flight may seize what the market can pay out: there a subtraction underflows.
  if (detail.revert === UNDERFLOW && !first) return rejected('depends-on-earlier-plan', detail);
  // A swap that costs too much leaves less profit than the floor, or takes more than was seized.
  const costsTooMuch =
    error.kind === 'known' && (error.name === 'ProfitBelowFloor' || error.name === 'CannotRepay');
  if (!costsTooMuch) return rejected('simulation-reverted', detail);
  return rejected(first ? 'profit-below-floor' : 'depends-on-earlier-plan', detail);
}
