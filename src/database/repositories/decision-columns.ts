import { storable, usd8ToText } from '../columns.js';
import type { NewExecution } from './executions.js';

/** The columns of a decision that `jsonb_to_recordset` reads, with their types. */
const TYPES = {
  chain_id: 'bigint',
  wallet: 'text',
  protocol: 'text',
  borrower: 'text',
  market_id: 'text',
  block_number: 'bigint',
  block_hash: 'text',
  health_factor: 'numeric',
  collateral_asset: 'text',
  debt_asset: 'text',
  debt_to_cover: 'numeric',
  expected_collateral: 'numeric',
  simulated_profit_usd: 'numeric',
  gas_cost_usd: 'numeric',
  l1_fee_usd: 'numeric',
  operator_fee_usd: 'numeric',
  pool_fee_usd: 'numeric',
  bid_usd: 'numeric',
  simulated_net_profit_usd: 'numeric',
  notional_usd: 'numeric',
  mode: 'text',
  plan: 'jsonb',
} as const;

export const DECISION_COLUMNS = Object.keys(TYPES).join(', ');

export const DECISION_TYPES = Object.entries(TYPES)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ');

/**
 * A decision as JSON that {@link DECISION_TYPES} reads. Amounts are decimal text, so that no float is
 * between.
 */
export function decisionValues(row: NewExecution): Record<keyof typeof TYPES, unknown> {
  return {
    chain_id: row.chainId,
    wallet: row.wallet,
    protocol: row.protocol,
    borrower: row.borrower,
    market_id: row.marketId,
    block_number: row.blockNumber,
    block_hash: row.blockHash,
    health_factor: row.healthFactorWad,
    collateral_asset: row.collateralAsset,
    debt_asset: row.debtAsset,
    debt_to_cover: row.debtToCover,
    expected_collateral: row.expectedCollateral,
    simulated_profit_usd: usd(row.simulatedProfitUsd8),
    gas_cost_usd: usd(row.gasCostUsd8),
    l1_fee_usd: usd(row.l1FeeUsd8),
    operator_fee_usd: usd(row.operatorFeeUsd8),
    pool_fee_usd: usd(row.poolFeeUsd8),
    bid_usd: usd(row.bidUsd8),
    simulated_net_profit_usd: usd(row.simulatedNetProfitUsd8),
    notional_usd: usd(row.notionalUsd8),
    mode: row.mode,
    plan: row.plan,
  };
}

/** JSON as PostgreSQL stores it: a bigint is decimal text, a Secret ***. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, storable);
}

function usd(usd8: bigint | null): string | null {
  return usd8 === null ? null : usd8ToText(usd8);
}
