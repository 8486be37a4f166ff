import type { Block } from '../../src/domain/block.js';
import type { Address } from '../../src/domain/hex.js';
import { mulDivCeil, RAY, unitOf, USD8, WAD } from '../../src/domain/money.js';
import type { Opportunity } from '../../src/domain/opportunity.js';
import { OPEN_NOW } from '../../src/domain/schedule.js';
import {
  liquidationPairs,
  type AaveV3Pair,
  type CandidateOptions,
} from '../../src/protocols/aave-v3/candidates.js';
import type { AccountData, ValuedLeg } from '../../src/protocols/aave-v3/health.js';
import { healthFactorOf } from '../../src/protocols/aave-v3/math.js';

export const addressOf = (byte: string): Address => `0x${byte.repeat(20)}`;
export const WETH = addressOf('a0');
export const USDC = addressOf('a1');

export const BLOCK: Block = {
  number: 7,
  hash: `0x${'07'.repeat(32)}`,
  parentHash: `0x${'06'.repeat(32)}`,
  timestamp: 1_800_000_000,
  baseFeePerGas: 5_000_000n,
};

const UNLIMITED: CandidateOptions = { maxNotionalUsd8: 10n ** 30n, fundingHorizonSeconds: 60 };

export interface PositionSpec {
  /** WETH of collateral, whole tokens. */
  readonly weth?: bigint;
  /** USDC of debt, whole tokens. */
  readonly usdc?: bigint;
  /** Dollars for one WETH. */
  readonly wethPrice?: bigint;
  readonly healthFactorWad?: bigint;
  /** A first step may leave it open to a second one. By default any amount makes it healthy. */
  readonly open?: boolean;
}

/**
 * A position with WETH of collateral and USDC of debt, as the maths of Aave values it. By default 10 WETH at
 * $2,700 against 23,500 USDC, with a health factor of 0.953: half of the debt may be covered.
 */
export function positionOf(spec: PositionSpec = {}): AccountData {
  const { weth = 10n, usdc = 23_500n, wethPrice = 2_700n, open = false } = spec;
  const { healthFactorWad = (WAD * 953n) / 1_000n } = spec;
  const totalCollateralUsd8 = weth * wethPrice * USD8;
  const totalDebtUsd8 = usdc * USD8;
  const collateral = weth * unitOf(18);
  return {
    totalCollateralUsd8,
    totalDebtUsd8,
    weightedThreshold: ((open ? healthFactorWad : WAD) * totalDebtUsd8 * 10_000n) / WAD,
    healthFactorWad,
    legs: [
      {
        ...legOf(0, WETH, 'WETH', 18, wethPrice * USD8),
        scaledCollateral: (collateral * 100n) / 102n,
        collateral,
        collateralUsd8: totalCollateralUsd8,
      },
      { ...legOf(1, USDC, 'USDC', 6, USD8), debt: usdc * unitOf(6), debtUsd8: totalDebtUsd8 },
    ],
  };
}

export interface LegSpec {
  readonly asset: Address;
  readonly decimals: number;
  readonly priceUsd8: bigint;
  /** Units. */
  readonly collateral?: bigint;
  readonly debt?: bigint;
  readonly liquidationThresholdBps?: bigint;
  readonly liquidationBonusBps?: bigint;
}

/** A position of any legs, valued as Aave does. */
export function positionOfLegs(specs: readonly LegSpec[]): AccountData {
  const legs = specs.map(
    ({ asset, decimals, priceUsd8, collateral = 0n, debt = 0n, ...rates }, id): ValuedLeg => {
      const leg = legOf(id, asset, `T${id}`, decimals, priceUsd8);
      const { liquidityIndex } = leg.reserve.indexes;
      return {
        ...leg,
        ...rates,
        scaledCollateral: collateral === 0n ? 0n : mulDivCeil(collateral, RAY, liquidityIndex),
        collateral,
        collateralUsd8: (collateral * priceUsd8) / unitOf(decimals),
        debt,
        debtUsd8: mulDivCeil(debt, priceUsd8, unitOf(decimals)),
      };
    },
  );
  const sum = (of: (leg: ValuedLeg) => bigint): bigint => legs.reduce((total, leg) => total + of(leg), 0n);
  const totalDebtUsd8 = sum(({ debtUsd8 }) => debtUsd8);
  const weightedThreshold = sum((leg) => leg.collateralUsd8 * leg.liquidationThresholdBps);
  return {
    totalCollateralUsd8: sum(({ collateralUsd8 }) => collateralUsd8),
    totalDebtUsd8,
    weightedThreshold,
    healthFactorWad: healthFactorOf(weightedThreshold, totalDebtUsd8),
    legs,
  };
}

/** The one pair of a {@link positionOf}. */
export function pairOf(
  position: AccountData = positionOf(),
  { version = '3.6', ...options }: Partial<CandidateOptions> & { readonly version?: string } = {},
): AaveV3Pair {
  const [pair] = liquidationPairs({ version }, position, BLOCK.timestamp, { ...UNLIMITED, ...options });
  if (!pair) throw new Error('the position has no pair');
  return pair;
}

/** What may be liquidated of a position. */
export function opportunityOf(
  position: AccountData = positionOf(),
  pair: AaveV3Pair = pairOf(position),
  borrower: Address = addressOf('b0'),
): Opportunity {
  const { healthFactorWad, totalCollateralUsd8, totalDebtUsd8 } = position;
  return {
    protocol: 'aave',
    market: addressOf('aa'),
    borrower,
    block: BLOCK,
    healthFactorWad,
    totalCollateralUsd8,
    totalDebtUsd8,
    schedule: OPEN_NOW,
    pairs: [pair],
  };
}

/**
 * The pair within USDC, of 23,500 USDC of debt, and 20,000 USDC of collateral beside the WETH of
 * {@link positionOf}.
 */
export function withinUsdc(): Opportunity {
  const position = positionOf();
  const legs = position.legs.map((leg) => {
    const collateral = 20_000n * unitOf(6);
    const scaledCollateral = (collateral * 100n) / 102n;
    return leg.reserve.asset === USDC
      ? { ...leg, collateral, scaledCollateral, collateralUsd8: 20_000n * USD8 }
      : leg;
  });
  const pairs = liquidationPairs({ version: '3.6' }, { ...position, legs }, BLOCK.timestamp, UNLIMITED);
  return {
    ...opportunityOf(position),
    pairs: pairs.filter(({ terms }) => terms.collateral.reserve.asset === USDC),
  };
}

/** A leg of nothing, with a liquidation bonus of 5 %, of which the protocol keeps a tenth. */
function legOf(id: number, asset: Address, symbol: string, decimals: number, priceUsd8: bigint): ValuedLeg {
  return {
    reserve: {
      id,
      asset,
      symbol,
      decimals,
      aToken: addressOf(`b${id}`),
      variableDebtToken: addressOf(`c${id}`),
      liquidationThresholdBps: 8_300n,
      liquidationBonusBps: 10_500n,
      liquidationProtocolFeeBps: 1_000n,
      active: true,
      paused: false,
      gracePeriodUntil: 0,
      indexes: {
        liquidityIndex: (RAY * 102n) / 100n,
        liquidityRate: (RAY * 2n) / 100n,
        variableBorrowIndex: (RAY * 105n) / 100n,
        variableBorrowRate: (RAY * 5n) / 100n,
        updatedAt: BLOCK.timestamp - 3_600,
      },
    },
    priceUsd8,
    scaledCollateral: 0n,
    collateral: 0n,
    collateralUsd8: 0n,
    debt: 0n,
    debtUsd8: 0n,
    liquidationBonusBps: 10_500n,
    liquidationThresholdBps: 8_300n,
  };
}

/** A different address for each number. */
export function numberedAddress(number: number): Address {
  return `0x${number.toString(16).padStart(40, '0')}`;
}
