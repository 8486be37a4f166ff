import type { Asset, Opportunity } from '../../src/domain/opportunity.js';
import { USD8, WAD } from '../../src/domain/money.js';
import { OPEN_NOW } from '../../src/domain/schedule.js';
import {
  liquidationPair,
  MORPHO_BLUE,
  type MorphoBlueTerms,
} from '../../src/protocols/morpho-blue/candidates.js';
import { accrued } from '../../src/protocols/morpho-blue/market.js';
import { BLOCK } from './opportunities.js';

export const MORPHO_COLLATERAL: Asset = {
  address: '0x00000000000000000000000000000000000000c0',
  ...{ symbol: 'cbBTC', decimals: 8, priceUsd8: 90_000n * USD8 },
};
export const MORPHO_DEBT: Asset = {
  address: '0x00000000000000000000000000000000000000d0',
  ...{ symbol: 'USDC', decimals: 6, priceUsd8: USD8 },
};
/** 90,000 USDC for a cbBTC. */
export const MORPHO_PRICE = (90_000n * 10n ** (36n + 6n)) / 10n ** 8n;
export const MORPHO_LLTV_WAD = (WAD * 86n) / 100n;
const NOW = 1_700_000_100;

export interface MorphoSpec {
  readonly collateral?: bigint;
  /** USDC units. */
  readonly debt?: bigint;
  readonly price?: bigint;
  readonly maxNotionalUsd8?: bigint;
  readonly horizonSeconds?: number;
}

/** One cbBTC against some USDC, in a market of Morpho Blue. */
export function morphoTerms({
  collateral = 10n ** 8n,
  debt = 80_000n * 10n ** 6n,
  price = MORPHO_PRICE,
  maxNotionalUsd8 = 10n ** 9n * USD8,
  horizonSeconds = 60,
}: MorphoSpec = {}): MorphoBlueTerms {
  const borrowAssets = 5_000_000n * 10n ** 6n;
  const totals = {
    supplyAssets: 6_000_000n * 10n ** 6n,
    supplyShares: 5_800_000n * 10n ** 12n,
    borrowAssets,
    borrowShares: 4_700_000n * 10n ** 12n,
    ...{ lastUpdate: NOW, feeWad: 0n },
  };
  const market = { totals, rate: { kind: 'adaptive-curve', rateAtTargetWad: 1_268_391_679n } } as const;
  return {
    kind: MORPHO_BLUE,
    marketId: `0x${'11'.repeat(32)}`,
    oracle: '0x00000000000000000000000000000000000000a0',
    irm: '0x00000000000000000000000000000000000000b0',
    ...{ lltvWad: MORPHO_LLTV_WAD, collateral: MORPHO_COLLATERAL, debt: MORPHO_DEBT },
    ...{ price, totals, maxNotionalUsd8 },
    position: { collateral, borrowShares: (debt * totals.borrowShares) / borrowAssets },
    laterTotals: accrued(market, NOW + horizonSeconds).totals,
  };
}

/** A position below 1: 80,000 USDC against a cbBTC of 90,000, where 86 % may be borrowed. */
export function morphoOpportunity(spec: MorphoSpec = {}): Opportunity {
  const terms = morphoTerms(spec);
  return {
    protocol: 'morpho',
    market: '0x00000000000000000000000000000000000000e0',
    marketId: terms.marketId,
    borrower: '0x00000000000000000000000000000000000000f0',
    block: BLOCK,
    healthFactorWad: (WAD * 9_675n) / 10_000n,
    totalCollateralUsd8: 90_000n * USD8,
    totalDebtUsd8: 80_000n * USD8,
    schedule: OPEN_NOW,
    pairs: [liquidationPair(terms)],
  };
}
