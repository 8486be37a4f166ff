import type { ExecutionMode, LeaseKey, MinedEnd, MinedExecution, NewExecution } from '../database/index.js';
import type { EventNamed } from '../domain/events/events.js';
import { fundingName } from '../domain/funding.js';
import { max } from '../domain/money.js';
import type { Verdict } from '../domain/outcome.js';
import type { LiquidationPlan, PlannedStep } from '../domain/plan.js';
import { marketIdOf } from '../domain/position-id.js';
import type { Receipt } from '../rpc/chain/chain-answers.js';
import type { InFlight } from './in-flight.js';
import type { Proof } from './settlement.js';

type SettledNews = EventNamed<'execution-settled'>;

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
  { reason, dryRunDay }: Pick<NewExecution, 'reason' | 'dryRunDay'> = {},
): NewExecution {
  const { candidate, costs, block } = plan;
  return {
    protocol: plan.protocol,
    borrower: plan.borrower,
    marketId: plan.marketId ?? null,
    blockNumber: block.number,
    blockHash: block.hash,
    healthFactorWad: plan.healthFactorWad,
    collateralAsset: candidate.collateral.address,
    debtAsset: candidate.debt.address,
    // Of several liquidations the sum of those with the same token, as the receipt's columns are.
    debtToCover: sumOf(plan, (step) =>
      step.candidate.debt.address === candidate.debt.address ? step.candidate.debtToCover : 0n,
    ),
    expectedCollateral: sumOf(plan, (step) =>
      step.candidate.collateral.address === candidate.collateral.address
        ? step.simulation.collateralSeized
        : 0n,
    ),
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
    ...(dryRunDay !== undefined && { dryRunDay }),
    plan,
  };
}

function sumOf(plan: LiquidationPlan, amount: (step: PlannedStep) => bigint): bigint {
  return [plan, ...(plan.further ?? [])].reduce((sum, step) => sum + amount(step), 0n);
}

/** The event of a plan that has its row. */
export function planReady(plan: LiquidationPlan, executionId: string): EventNamed<'plan-ready'> {
  return {
    event: 'plan-ready',
    executionId,
    protocol: plan.protocol,
    borrower: plan.borrower,
    ...marketIdOf(plan),
    block: plan.block.number,
    ...(plan.provedAt !== undefined && { provedAt: plan.provedAt }),
    healthFactorWad: String(plan.healthFactorWad),
    collateral: plan.candidate.collateral.symbol,
    debt: plan.candidate.debt.symbol,
    sizing: plan.candidate.sizing,
    debtToCover: String(plan.candidate.debtToCover),
    debtDecimals: plan.candidate.debt.decimals,
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
    liquidations: 1 + (plan.further?.length ?? 0),
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

/** The event of what became of a transaction. @param mined of one that has a receipt. */
export function outcomeNews(
  { executionId, hash, terms }: InFlight,
  status: SettledNews['status'],
  { outcome, reason, rival }: Verdict,
  mined: Partial<Pick<SettledNews, 'block' | 'realisedProfitUsd8' | 'fees'>> = {},
): SettledNews {
  return {
    event: 'execution-settled',
    executionId,
    borrower: terms.borrower,
    hash,
    outcome,
    status,
    reason,
    rival: rivalNews(rival),
    block: undefined,
    realisedProfitUsd8: undefined,
    simulatedNetProfitUsd8: String(terms.netProfitUsd8),
    fees: undefined,
    ...mined,
  };
}

/** A transaction and what its confirmed receipt proved. */
export interface Settlement {
  readonly transaction: InFlight;
  readonly receipt: Receipt;
  readonly proof: Proof;
  readonly verdict: Verdict;
}

/** The end of both rows of a settlement. @param day the UTC day, YYYY-MM-DD, to which it is booked. */
export function minedEnd(settlement: Settlement, day: string): MinedEnd {
  const { transaction, receipt, proof } = settlement;
  const { executionId, outboxId } = transaction;
  const block = { number: receipt.blockNumber, hash: receipt.blockHash };
  const spent = { day, feeWei: proof.feesWei, lossUsd8: max(0n, -proof.realisedProfitUsd8) };
  return { outboxId, executionId, execution: minedExecution(settlement), block, spent };
}

function minedExecution({ transaction, receipt, proof, verdict }: Settlement): MinedExecution {
  const { reason = 'reverted', ...decided } = verdictColumns(transaction, verdict);
  const { feesWei, realisedProfitUsd8 } = proof;
  const { gasUsed } = receipt;
  const paid = { txHash: transaction.hash, gasUsed, feesWei, realisedProfitUsd8, ...decided };
  if (proof.kind !== 'succeeded')
    return { status: proof.kind === 'cancelled' ? 'cancelled' : 'reverted', reason, ...paid };
  const { debtCovered, collateralSeized, profit: realisedProfit, items } = proof;
  const outcomeDetails = { ...paid.outcomeDetails, ...(items && { liquidations: items }) };
  return { status: 'succeeded', ...paid, outcomeDetails, debtCovered, collateralSeized, realisedProfit };
}
