import type { Address, Hash } from '../../domain/hex.js';
import type { UnservedReason } from '../../domain/market-coverage.js';
import type { BlueMarket } from './market.js';
import type { OracleShape } from './oracle-shape.js';
import type { PreLiquidationSettings } from './pre-liquidation-events.js';
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
export interface MorphoBlueSettings extends PreLiquidationSettings {
  readonly name: string;
  readonly morpho: Address;
  readonly adaptiveCurveIrm: Address;
  /** The USD feeds of loan tokens. Of others the oracles of the other configured markets are asked. */
  readonly feeds: readonly { readonly token: Address; readonly feed: Address }[];
  /** Only these markets; none: all. */
  readonly markets: readonly Hash[];
  /** None of these. */
  readonly denyMarkets: readonly Hash[];
  /** Only markets with these loan tokens; none: all that have a price. */
  readonly loanTokens: readonly Address[];
  /** USD8: a market in which less is borrowed is not served. */
  readonly minMarketUsd8: bigint;
  /** Which oracles are trusted: only those that are quotients of feeds, or any. */
  readonly oracles: 'feeds' | 'any';
}

/**
 * Why a market is not followed at all, by what never changes of it; undefined for one that is.
 *
 * @param isPriced whether something says what a token is worth in USD.
 */
export function whyNotListed(
  { markets, denyMarkets, loanTokens, oracles }: MorphoBlueSettings,
  { id, params, oracle }: Pick<FollowedMarket, 'id' | 'params' | 'oracle'>,
  isPriced: (token: Address) => boolean,
): UnservedReason | undefined {
  if (denyMarkets.includes(id)) return 'denied';
  if (markets.length > 0 && !markets.includes(id)) return 'not-chosen';
  if (loanTokens.length > 0 && !loanTokens.includes(params.loanToken)) return 'loan-token-not-chosen';
  if (!isPriced(params.loanToken)) return 'loan-token-without-price';
  return oracles === 'any' || oracle.kind !== 'other' ? undefined : 'oracle-not-by-feeds';
}

/** With the feed of the native token for the token that wraps it, unless the configuration names another. */
export function withNativeFeed(
  settings: MorphoBlueSettings,
  wrappedNative: Address,
  nativeUsdFeed: Address,
): MorphoBlueSettings {
  const { feeds } = settings;
  if (feeds.some(({ token }) => token === wrappedNative)) return settings;
  return { ...settings, feeds: [...feeds, { token: wrappedNative, feed: nativeUsdFeed }] };
}
