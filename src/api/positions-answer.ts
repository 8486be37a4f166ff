import type { EdgeAtBlock } from '../bot/edge-watch.js';
import { formatUnits } from '../domain/money.js';
import type { Holding, NearPosition } from '../domain/near-position.js';

/** A token of a position. */
export interface HoldingAnswer {
  readonly asset: string;
  readonly symbol: string;
  /** The token's smallest unit. */
  readonly amount: string;
  /** Whole tokens. */
  readonly amountTokens: string;
  /** At the price of the market's own oracle. */
  readonly valueUsd: string;
}

/** A position that may be liquidated, or is near it. */
export interface PositionAnswer {
  readonly protocol: string;
  /** The contract whose liquidation function is called. */
  readonly market: string;
  /** Which market of the contract, where it has several (Morpho Blue); else null. */
  readonly marketId: string | null;
  readonly borrower: string;
  /** Below 1 it can be liquidated. Exact decimal text, such as "0.985". */
  readonly healthFactor: string;
  readonly collateralUsd: string;
  readonly debtUsd: string;
  readonly collaterals: readonly HoldingAnswer[];
  readonly debts: readonly HoldingAnswer[];
}

export interface PositionsPage {
  /** What the positions were computed with; null before the first block. */
  readonly block: { readonly number: number; readonly hash: string; readonly timestamp: string } | null;
  /** How many are below the bound, of all markets. */
  readonly total: number;
  /** The lowest health factor first. */
  readonly positions: readonly PositionAnswer[];
  /** The `cursor` of the next page; null on the last one. */
  readonly next: string | null;
}

/** For a plot: numbers to draw with, not to compute with. */
export interface PositionsPlotAnswer {
  readonly block: PositionsPage['block'];
  /** How many are below the bound, of all markets. */
  readonly total: number;
  /** The names of the markets. */
  readonly protocols: readonly string[];
  /**
   * The lowest health factor first, at most 10,000: health factor, debt in dollars, place of the market in
   * `protocols`, borrower, and the market id where there is one.
   */
  readonly points: readonly (readonly (number | string)[])[];
}

export function positionAnswer(position: NearPosition): PositionAnswer {
  const { protocol, market, marketId = null, borrower, healthFactorWad } = position;
  return {
    ...{ protocol, market, marketId, borrower },
    healthFactor: formatUnits(healthFactorWad, 18),
    collateralUsd: formatUnits(position.totalCollateralUsd8, 8),
    debtUsd: formatUnits(position.totalDebtUsd8, 8),
    collaterals: position.collaterals.map(holdingAnswer),
    debts: position.debts.map(holdingAnswer),
  };
}

function holdingAnswer({ asset, symbol, decimals, amount, valueUsd8 }: Holding): HoldingAnswer {
  return {
    ...{ asset, symbol },
    amount: amount.toString(),
    amountTokens: formatUnits(amount, decimals),
    valueUsd: formatUnits(valueUsd8, 8),
  };
}

export function blockAnswer(edge: EdgeAtBlock | undefined): PositionsPage['block'] {
  if (!edge) return null;
  const { number, hash, timestamp } = edge.block;
  return { number, hash, timestamp: new Date(timestamp * 1000).toISOString() };
}

export function plotAnswer(edge: EdgeAtBlock | undefined): PositionsPlotAnswer {
  const protocols: string[] = [];
  const points = (edge?.positions ?? []).map((position) => {
    const { protocol, healthFactorWad, totalDebtUsd8, borrower, marketId } = position;
    if (!protocols.includes(protocol)) protocols.push(protocol);
    return [
      Number(healthFactorWad / 10n ** 12n) / 1e6,
      Number(totalDebtUsd8 / 10n ** 6n) / 100,
      protocols.indexOf(protocol),
      borrower,
      ...(marketId === undefined ? [] : [marketId]),
    ];
  });
  return { block: blockAnswer(edge), total: edge?.total ?? 0, protocols, points };
}
