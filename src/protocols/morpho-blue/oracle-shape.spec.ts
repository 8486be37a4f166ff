import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../testing/builders/aave-market.js';
import { addressWord, uintWord, type Address } from '../../domain/hex.js';
import type { Round } from '../../oracles/chainlink.js';
import { feedsOf, oracleShapeRead, priceFromFeeds, type OracleShape } from './oracle-shape.js';

const ORACLE = addressOf(1);
const [ETHER, DOLLAR, RATIO, VAULT] = [addressOf(11), addressOf(12), addressOf(13), addressOf(14)];
const NONE = addressOf(0);

/** What the nine getters say: two vaults with their samples, four feeds, the scale factor. */
function shapeOf(
  baseVault: Address,
  quoteVault: Address,
  feeds: readonly Address[],
  scale: bigint,
): OracleShape {
  const words = [
    ...[addressWord(baseVault), uintWord(1n), addressWord(quoteVault), uintWord(1n)],
    ...[...feeds.map(addressWord), uintWord(scale)],
  ];
  const results = words.map((word) => ({ success: true, data: `0x${word}` as const }));
  return oracleShapeRead(ORACLE).decode(results);
}

describe('the shape of an oracle of Morpho', () => {
  it('is a quotient of feeds when it names some and no vault', () => {
    const shape = shapeOf(NONE, NONE, [RATIO, ETHER, DOLLAR, NONE], 10n ** 24n);
    expect(shape).toEqual({
      ...{ kind: 'feeds', scaleFactor: 10n ** 24n, baseFeeds: [RATIO, ETHER], quoteFeeds: [DOLLAR] },
    });
    expect(feedsOf(shape)).toEqual([RATIO, ETHER, DOLLAR]);
  });

  it('is asked when it has a vault, or no feed, or not all getters', () => {
    expect(shapeOf(VAULT, NONE, [ETHER, NONE, DOLLAR, NONE], 1n)).toEqual({
      kind: 'vault',
      feeds: [ETHER, DOLLAR],
    });
    expect(shapeOf(NONE, NONE, [NONE, NONE, NONE, NONE], 1n)).toEqual({ kind: 'other' });
    const { calls, decode } = oracleShapeRead(ORACLE);
    expect(decode(calls.map(() => ({ success: false, data: '0x' })))).toEqual({ kind: 'other' });
    const long = { success: true, data: `0x${'00'.repeat(64)}` as const };
    expect(decode(calls.map(() => long))).toEqual({ kind: 'other' });
    expect(decode([])).toEqual({ kind: 'other' });
  });
});

describe('the price of a quotient of feeds', () => {
  const shape = { kind: 'feeds', scaleFactor: 10n, baseFeeds: [RATIO, ETHER], quoteFeeds: [DOLLAR] } as const;
  const rounds = new Map<Address, Round>([
    [RATIO, { answer: 11n, updatedAt: 300 }],
    [ETHER, { answer: 30n, updatedAt: 200 }],
    [DOLLAR, { answer: 7n, updatedAt: 400 }],
  ]);

  it('is rounded down once, at the end, and as old as its oldest round', () => {
    // 10 · 11 · 30 / 7 = 471.4…
    expect(priceFromFeeds(shape, (feed) => rounds.get(feed))).toEqual({ price: 471n, updatedAt: 200 });
  });

  it.each([RATIO, ETHER, DOLLAR])('is not known while the feed %s has no round', (missing) => {
    expect(
      priceFromFeeds(shape, (feed) => (feed === missing ? undefined : rounds.get(feed))),
    ).toBeUndefined();
  });
});
