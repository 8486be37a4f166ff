import type { Address, Hash } from '../../domain/hex.js';
import type { UnservedReason } from '../../domain/market-coverage.js';
import type { BlueMarket } from './market.js';
import type { OracleShape } from './oracle-shape.js';
import type { Token } from './tokens.js';

/** A market with what has to be known to value and to show it. */
export interface FollowedMarket extends BlueMarket {
  readonly collateral: Token;
  readonly loan: Token;
  readonly oracle: OracleShape;
}

/** By id. It is replaced, never changed. */
export type Markets = ReadonlyMap<Hash, FollowedMarket>;

/** What the configuration says of one Morpho Blue. */
export interface MorphoBlueSettings {
  readonly name: string;
  readonly morpho: Address;
  readonly adaptiveCurveIrm: Address;
  /** The USD feeds of loan tokens. A market whose loan token has none is not served. */
  readonly feeds: readonly { readonly token: Address; readonly feed: Address }[];
  /** Only these markets; none: all. */
  readonly markets: readonly Hash[];
  /** None of these. */
  readonly denyMarkets: readonly Hash[];
  /** Only markets with these loan tokens; none: all that have a feed. */
  readonly loanTokens: readonly Address[];
  /** USD8: a market in which less is borrowed is not served. */
  readonly minMarketUsd8: bigint;
  /** Which oracles are trusted: only those that are quotients of feeds, or any. */
  readonly oracles: 'feeds' | 'any';
}

/** Why a market is not followed at all, by what never changes of it; undefined for one that is. */
export function whyNotListed(
  { feeds, markets, denyMarkets, loanTokens, oracles }: MorphoBlueSettings,
  { id, params, oracle }: Pick<FollowedMarket, 'id' | 'params' | 'oracle'>,
): UnservedReason | undefined {
  if (denyMarkets.includes(id)) return 'denied';
  if (markets.length > 0 && !markets.includes(id)) return 'not-chosen';
  if (loanTokens.length > 0 && !loanTokens.includes(params.loanToken)) return 'loan-token-not-chosen';
  if (!feeds.some(({ token }) => token === params.loanToken)) return 'loan-token-without-price';
  return oracles === 'any' || oracle.kind !== 'other' ? undefined : 'oracle-not-by-feeds';
}
