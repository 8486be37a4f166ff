import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../testing/builders/aave-market.js';
import type { Hash } from '../../domain/hex.js';
import { whyNotListed, withNativeFeed, type MorphoBlueSettings } from './followed-market.js';
import type { OracleShape } from './oracle-shape.js';

const ID: Hash = `0x${'5a'.repeat(32)}`;
const OTHER: Hash = `0x${'a5'.repeat(32)}`;
const [ETHER, DOLLAR, FEED] = [addressOf(1), addressOf(2), addressOf(3)];
const params = {
  ...{ loanToken: DOLLAR, collateralToken: ETHER, oracle: addressOf(4), irm: addressOf(5), lltvWad: 1n },
};
const settings: MorphoBlueSettings = {
  ...{ name: 'morpho', morpho: addressOf(6), adaptiveCurveIrm: addressOf(5) },
  ...{ feeds: [], markets: [], denyMarkets: [], loanTokens: [], minMarketUsd8: 0n, oracles: 'any' },
};
const OTHER_KIND: OracleShape = { kind: 'other' };

describe('which markets of Morpho Blue are followed', () => {
  const priced = (token: string): boolean => token === DOLLAR;
  it.each([
    ['without lists', {}, undefined],
    ['excluded by its id', { denyMarkets: [OTHER, ID] }, 'denied'],
    ['excluded and chosen', { denyMarkets: [ID], markets: [ID] }, 'denied'],
    ['when another one is excluded', { denyMarkets: [OTHER] }, undefined],
    ['when others are chosen', { markets: [OTHER] }, 'not-chosen'],
    ['when it is chosen', { markets: [OTHER, ID] }, undefined],
    ['when other loan tokens are chosen', { loanTokens: [ETHER] }, 'loan-token-not-chosen'],
    ['when its loan token is chosen', { loanTokens: [ETHER, DOLLAR] }, undefined],
    ['when only oracles by feeds are trusted', { oracles: 'feeds' as const }, 'oracle-not-by-feeds'],
  ])('a market %s', (_name, own, expected) => {
    const market = { id: ID, params, oracle: OTHER_KIND };
    expect(whyNotListed({ ...settings, ...own }, market, priced)).toBe(expected);
  });

  it('a market whose loan token nobody prices is not, whatever its collateral is', () => {
    const market = {
      id: ID,
      params: { ...params, loanToken: ETHER, collateralToken: DOLLAR },
      oracle: OTHER_KIND,
    };
    expect(whyNotListed(settings, market, priced)).toBe('loan-token-without-price');
  });

  it('an oracle of feeds is trusted where only these are', () => {
    const oracle: OracleShape = { kind: 'feeds', scaleFactor: 1n, baseFeeds: [FEED], quoteFeeds: [] };
    expect(
      whyNotListed({ ...settings, oracles: 'feeds' }, { id: ID, params, oracle }, priced),
    ).toBeUndefined();
  });
});

describe('the feed of the native token', () => {
  it('prices the token that wraps it, unless the configuration names another feed', () => {
    expect(withNativeFeed(settings, ETHER, FEED).feeds).toEqual([{ token: ETHER, feed: FEED }]);
    const own = [{ token: ETHER, feed: addressOf(9) }];
    expect(withNativeFeed({ ...settings, feeds: own }, ETHER, FEED).feeds).toEqual(own);
  });
});
