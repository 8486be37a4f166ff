import type { ExecutionMode, LeaseKey, NewExecution } from '../database/index.js';
import type { EventNamed } from '../domain/events/events.js';
import { fundingName } from '../domain/funding.js';
import type { Verdict } from '../domain/outcome.js';
import type { LiquidationPlan } from '../domain/plan.js';
import type { InFlight } from './in-flight.js';

/** The wallet for which a decision is made, and how it is carried out. */
export interface RowOwner extends LeaseKey {
  readonly mode: ExecutionMode;
}

/**
 * A plan as a row of the table executions: columns to search by, and the whole plan, by which it is settled
 * later.
 */
export function executionRow(
  plan: LiquidationPlan,
  owner: RowOwner,
  status: NewExecution['status'],
  reason?: string,
): NewExecution {
  const { candidate, costs, simulation, block } = plan;
  return {
    protocol: plan.protocol,
    borrower: plan.borrower,
    blockNumber: block.number,
    blockHash: block.hash,
    healthFactorWad: plan.healthFactorWad,
    collateralAsset: candidate.collateral.address,
    debtAsset: candidate.debt.address,
    debtToCover: candidate.debtToCover,
    expectedCollateral: simulation.collateralSeized,
    simulatedProfitUsd8: plan.grossProfitUsd8,
    gasCostUsd8: costs.l2GasUsd8,
    l1FeeUsd8: costs.l1DataUsd8,
    operatorFeeUsd8: costs.operatorUsd8,
    poolFeeUsd8: costs.poolFeeUsd8,
    bidUsd8: costs.bidUsd8,
    simulatedNetProfitUsd8: plan.netProfitUsd8,
    notionalUsd8: plan.notionalUsd8,
    ...owner,
    status,
    ...(reason !== undefined && { reason }),
    plan,
  };
}

/** The event of a plan that has its row. */
export function planReady(plan: LiquidationPlan, executionId: string): EventNamed<'plan-ready'> {
  return {
    event: 'plan-ready',
    executionId,
    protocol: plan.protocol,
    borrower: plan.borrower,
    block: plan.block.number,
    healthFactorWad: String(plan.healthFactorWad),
    collateral: plan.candidate.collateral.symbol,
    debt: plan.candidate.debt.symbol,
    sizing: plan.candidate.sizing,
    debtToCover: String(plan.candidate.debtToCover),
    notionalUsd8: String(plan.notionalUsd8),
    grossProfitUsd8: String(plan.grossProfitUsd8),
    bidUsd8: String(plan.costs.bidUsd8),
    gasUsd8: String(plan.costs.l2GasUsd8),
    l1FeeUsd8: String(plan.costs.l1DataUsd8),
    operatorFeeUsd8: String(plan.costs.operatorUsd8),
    poolFeeUsd8: String(plan.costs.poolFeeUsd8),
    profitToken: plan.profitAsset.symbol,
    funding: fundingName(plan.funding),
    lenderFeeUsd8: String(plan.costs.flashFeeUsd8),
    netProfitUsd8: String(plan.netProfitUsd8),
  };
}

/** What a transaction was planned for, and what it offered. */
export function offerOf({ executionId, terms, call }: Pick<InFlight, 'executionId' | 'terms' | 'call'>): {
  readonly executionId: string;
  readonly simulatedUsd8: bigint;
  readonly planBlock: number;
  readonly grossProfitUsd8: bigint;
  readonly tipPerGasWei: bigint;
} {
  const { netProfitUsd8: simulatedUsd8, planBlock, grossProfitUsd8 } = terms;
  return { executionId, simulatedUsd8, planBlock, grossProfitUsd8, tipPerGasWei: call.maxPriorityFeePerGas };
}

/** The columns of an execution that hold a verdict. */
export function verdictColumns(
  { call }: Pick<LiquidationPlan, 'call'>,
  { outcome, reason, rival }: Verdict,
): Pick<Verdict, 'outcome' | 'reason'> & { outcomeDetails: object } {
  const details = { tipPerGasWei: call.maxPriorityFeePerGas, ...(rival !== undefined && { rival }) };
  return { outcome, reason, outcomeDetails: details };
}

/** The rival as events tell it. */
export function rivalNews(rival: Verdict['rival']): EventNamed<'execution-settled'>['rival'] {
  if (rival === undefined || rival === 'unknown') return rival;
  const { sender, hash, block, tipPerGasWei, blocksEarlier, placesEarlier } = rival;
  return { sender, hash, block, tipPerGasWei: String(tipPerGasWei), blocksEarlier, placesEarlier };
}
