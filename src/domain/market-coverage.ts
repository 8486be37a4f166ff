import type { Hash } from './hex.js';

/** Why a market of a protocol with many markets is not served, with a sentence for the operator. */
export const UNSERVED_REASONS = {
  denied: 'the configuration excludes it by its id',
  'not-chosen': 'the configuration names other markets',
  'loan-token-not-chosen': 'the configuration names other loan tokens',
  'loan-token-without-price': 'nothing says what its loan token is worth in USD',
  'oracle-not-by-feeds': 'its oracle is of another kind than the configuration wants',
  'token-unreadable': 'one of its tokens does not tell its decimals',
  'not-created': 'the protocol does not know its id',
  'no-debt': 'nobody owes anything there',
  'too-small': 'less is borrowed there than the configuration wants',
  'oracle-reverts': 'its oracle reverts',
  'oracle-silent':
    'its oracle fails without a reason, or takes all the gas of a call; it is asked again later',
  'oracle-out-of-gas': 'its oracle takes all the gas of a call; it is asked again later',
  'oracle-zero': 'its oracle answers a price of 0',
  'oracle-nonsense': 'its oracle answers something that is no price',
  'collateral-worthless': 'a whole collateral token is worth less than the smallest unit of USD',
  'rate-unknown': 'its rate model does not tell the interest',
} as const;

export type UnservedReason = keyof typeof UNSERVED_REASONS;

/** A market that would be served, if its price or its rate were known. */
export interface FaultyMarket {
  readonly marketId: Hash;
  /** Collateral and loan token, for example "WETH/USDC". */
  readonly pair: string;
  readonly reason: UnservedReason;
}

/** Which markets of a protocol with many markets are served. */
export interface MarketCoverage {
  readonly served: number;
  /** The others, by the reason. */
  readonly unserved: Readonly<Partial<Record<UnservedReason, number>>>;
  readonly faulty: readonly FaultyMarket[];
  /** Absent where pre-liquidations are not looked for. */
  readonly preLiquidation?: PreLiquidationCoverage;
}

/** What is known of the contracts that take a part of a position below the limit of its market. */
export interface PreLiquidationCoverage {
  readonly contracts: number;
  /** Served markets that have at least one. */
  readonly markets: number;
  /** Between the limit of such a contract, which the borrower authorised, and that of the market. */
  readonly positions: number;
  /** The history of the factory is not read to its end yet: more contracts may be found. */
  readonly searching: boolean;
  /** Why the reading of the history failed; it is tried again. */
  readonly problem?: string;
}
