import type { Execution } from '../database/index.js';
import { formatUnits } from '../domain/money.js';

/**
 * One row of GET /api/v1/executions. As everywhere in this API, `…Usd` is exact decimal text in dollars.
 * Token amounts are decimal text in the token's smallest unit; beside them `…Tokens` is the same in whole
 * tokens. Values that are not known, or not known yet, are null.
 */
export interface ExecutionAnswer {
  readonly id: string;
  readonly createdAt: string;
  readonly mode: Execution['mode'];
  readonly status: Execution['status'];
  /** Null in rows from before chains were stored: those are shown by the bots of all chains. */
  readonly chainId: number | null;
  readonly reason: string | null;
  readonly protocol: string;
  readonly borrower: string;
  /** Which market of the contract, where it has several (Morpho Blue); else null. */
  readonly marketId: string | null;
  /** The block on which the decision was made. */
  readonly block: { readonly number: number; readonly hash: string };
  /** Below 1 a position can be liquidated. Exact decimal text, such as "0.985". */
  readonly healthFactor: string;
  readonly collateralAsset: string | null;
  readonly collateralSymbol: string | null;
  readonly debtAsset: string | null;
  readonly debtSymbol: string | null;
  /**
   * How many liquidations of the borrower the transaction makes; null without a plan. Of several, the tokens
   * of this row are those of the first, amounts are sums of those with the same token, and values in dollars
   * are of all.
   */
  readonly liquidations: number | null;
  /** Debt token units. */
  readonly debtToCover: string | null;
  readonly debtToCoverTokens: string | null;
  /** Collateral units. */
  readonly expectedCollateral: string | null;
  readonly expectedCollateralTokens: string | null;
  readonly notionalUsd: string | null;
  /** Before every cost. */
  readonly simulatedProfitUsd: string | null;
  readonly gasCostUsd: string | null;
  readonly l1FeeUsd: string | null;
  readonly operatorFeeUsd: string | null;
  readonly poolFeeUsd: string | null;
  readonly bidUsd: string | null;
  /** After every cost and the bid. */
  readonly simulatedNetProfitUsd: string | null;
  /** What became of its transaction, and what the receipt says. */
  readonly outcome: {
    /** won, lost (to a rival), stale, refused or malfunction. */
    readonly kind: Execution['outcome'];
    /**
     * Our tip; who liquidated the position before us (`unknown`: that could not be asked); and under
     * `liquidations` what became of each, where the transaction made several of the borrower.
     */
    readonly details: unknown;
    readonly txHash: string | null;
    /** Debt token units. */
    readonly debtCovered: string | null;
    readonly debtCoveredTokens: string | null;
    /** Collateral units. */
    readonly collateralSeized: string | null;
    readonly collateralSeizedTokens: string | null;
    /** The token that the treasury receives: the collateral or the debt token. Null without a plan. */
    readonly profitAsset: string | null;
    readonly profitSymbol: string | null;
    /** Units of that token. */
    readonly realisedProfit: string | null;
    readonly realisedProfitTokens: string | null;
    /** After all fees. Negative when only fees were paid. */
    readonly realisedProfitUsd: string | null;
    readonly gasUsed: string | null;
    /** Everything that was paid: gas, L1 data, operator fee. */
    readonly feesWei: string | null;
    /** From the arrival of the head until the transaction was handed to the node. */
    readonly headToSendUs: number | null;
    readonly settledAt: string | null;
  };
}

export interface ExecutionsPage {
  /** Newest first. */
  readonly executions: readonly ExecutionAnswer[];
  /** The `before` of the next page; null on the last page. */
  readonly next: string | null;
}

export function executionAnswer(row: Execution): ExecutionAnswer {
  const { collateral, debt, profit } = tokensOf(row);
  return {
    id: row.id,
    createdAt: row.createdAt.toISOString(),
    mode: row.mode,
    status: row.status,
    chainId: row.chainId,
    reason: row.reason,
    protocol: row.protocol,
    borrower: row.borrower,
    marketId: row.marketId,
    block: { number: row.blockNumber, hash: row.blockHash },
    healthFactor: formatUnits(row.healthFactorWad, 18),
    collateralAsset: row.collateralAsset,
    collateralSymbol: collateral?.symbol ?? null,
    debtAsset: row.debtAsset,
    debtSymbol: debt?.symbol ?? null,
    liquidations: liquidationsOf(row),
    debtToCover: units(row.debtToCover),
    debtToCoverTokens: whole(row.debtToCover, debt),
    expectedCollateral: units(row.expectedCollateral),
    expectedCollateralTokens: whole(row.expectedCollateral, collateral),
    notionalUsd: usd(row.notionalUsd8),
    simulatedProfitUsd: usd(row.simulatedProfitUsd8),
    gasCostUsd: usd(row.gasCostUsd8),
    l1FeeUsd: usd(row.l1FeeUsd8),
    operatorFeeUsd: usd(row.operatorFeeUsd8),
    poolFeeUsd: usd(row.poolFeeUsd8),
    bidUsd: usd(row.bidUsd8),
    simulatedNetProfitUsd: usd(row.simulatedNetProfitUsd8),
    outcome: {
      kind: row.outcome,
      details: row.outcomeDetails,
      txHash: row.txHash,
      debtCovered: units(row.debtCovered),
      debtCoveredTokens: whole(row.debtCovered, debt),
      collateralSeized: units(row.collateralSeized),
      collateralSeizedTokens: whole(row.collateralSeized, collateral),
      profitAsset: profit?.address ?? row.collateralAsset,
      profitSymbol: profit?.symbol ?? null,
      realisedProfit: units(row.realisedProfit),
      realisedProfitTokens: whole(row.realisedProfit, profit),
      realisedProfitUsd: usd(row.realisedProfitUsd8),
      gasUsed: units(row.gasUsed),
      feesWei: units(row.feesWei),
      headToSendUs: row.headToSendUs,
      settledAt: row.settledAt?.toISOString() ?? null,
    },
  };
}

/** A token as the stored plan names it. */
interface PlannedToken {
  readonly address: string;
  readonly symbol: string;
  readonly decimals: number;
}

/** Of the first liquidation. Plans of an earlier version name no `profitAsset`: they took collateral. */
function tokensOf({ plan }: Execution): Partial<Record<'collateral' | 'debt' | 'profit', PlannedToken>> {
  const { candidate, profitAsset } = fieldsIn(plan);
  const { collateral, debt } = fieldsIn(candidate);
  const [seized, owed, profit] = [collateral, debt, profitAsset ?? collateral].map(tokenIn);
  return { ...(seized && { collateral: seized }), ...(owed && { debt: owed }), ...(profit && { profit }) };
}

function fieldsIn(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function tokenIn(value: unknown): PlannedToken | undefined {
  const { address, symbol, decimals } = fieldsIn(value);
  const isToken = typeof address === 'string' && typeof symbol === 'string' && typeof decimals === 'number';
  return isToken ? { address, symbol, decimals } : undefined;
}

function liquidationsOf({ plan }: Execution): number | null {
  if (typeof plan !== 'object' || plan === null || !('call' in plan)) return null;
  return 1 + ('further' in plan && Array.isArray(plan.further) ? plan.further.length : 0);
}

function usd(usd8: bigint | null): string | null {
  return usd8 === null ? null : formatUnits(usd8, 8);
}

function units(amount: bigint | null): string | null {
  return amount === null ? null : String(amount);
}

function whole(amount: bigint | null, token: PlannedToken | undefined): string | null {
  return amount === null || !token ? null : formatUnits(amount, token.decimals);
}
