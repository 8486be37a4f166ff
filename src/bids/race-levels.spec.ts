import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { USD8 } from '../domain/money.js';
import { after, levelsOf, NO_RACES, sizeOf, tipFor, type Race, type RaceLevel } from './race-levels.js';

const FLOOR = 5n * USD8;
const GWEI = 10n ** 9n;

function aRace(more: Partial<Race> = {}): Race {
  const rival = more.outcome === 'lost' ? { tipPerGasWei: GWEI } : undefined;
  return {
    ...{ executionId: '1', outcome: 'won', planBlock: 1, sizeUsd8: 10n * USD8, tipPerGasWei: 0n, rival },
    ...more,
  };
}

/** A race of each block, one after the other. */
const inTurn = (races: readonly Partial<Race>[]): Race[] =>
  races.map((race, index) => aRace({ executionId: String(index), planBlock: index, ...race }));

const tipAfter = (...races: readonly Partial<Race>[]): bigint | undefined =>
  levelsOf(inTurn(races), FLOOR)[0]?.tipWei;

const anyWei = fc.bigInt({ min: 0n, max: 10n ** 15n });
const anyRace: fc.Arbitrary<Race> = fc
  .record({
    outcome: fc.constantFrom('won' as const, 'lost' as const),
    planBlock: fc.nat(30),
    sizeUsd8: fc.bigInt({ min: 0n, max: 10_000n * USD8 }),
    tipPerGasWei: anyWei,
    rivalWei: fc.option(anyWei, { nil: undefined }),
  })
  .map(({ rivalWei, ...race }) => ({
    ...race,
    executionId: '1',
    rival: race.outcome === 'lost' && rivalWei !== undefined ? { tipPerGasWei: rivalWei } : undefined,
  }));
const anyHistory = fc.array(anyRace, { maxLength: 40 });
const levelOfSize = (races: readonly Race[], size: number): RaceLevel => levelsOf(races, FLOOR)[size]!;

describe('the least that wins, by races', () => {
  it('knows nothing before the first race', () => {
    expect(tipFor(NO_RACES, 2)).toBeUndefined();
  });

  it('after a loss: a quarter more than the rival paid', () => {
    expect(tipAfter({ outcome: 'lost', tipPerGasWei: 1n })).toBe((GWEI * 5n) / 4n + 1n);
  });

  it('after a loss to a rival that cannot be read: half more than it offered', () => {
    expect(tipAfter({ outcome: 'lost', tipPerGasWei: GWEI, rival: undefined })).toBe((GWEI * 3n) / 2n + 1n);
  });

  it('a rival that paid less was earlier: a higher tip would not have helped', () => {
    expect(tipAfter({ outcome: 'lost', tipPerGasWei: 2n * GWEI })).toBe(2n * GWEI);
  });

  it('several positions lost in one block are one loss', () => {
    const lost = aRace({ outcome: 'lost', tipPerGasWei: 1n });
    const one = levelsOf([lost], FLOOR)[0];
    const many = levelsOf([lost, { ...lost, executionId: '2' }], FLOOR)[0];
    expect(many).toEqual({ ...one, lost: 2 });
  });

  it('after wins it falls by an eighth, as long as no rival has won', () => {
    expect(tipAfter({ tipPerGasWei: 8n * GWEI })).toBe(7n * GWEI);
    expect(tipAfter({ tipPerGasWei: 8n * GWEI }, { tipPerGasWei: 7n * GWEI })).toBe((49n * GWEI) / 8n);
  });

  it('against a rival that always offers the same: it loses once, then wins 55 blocks in a row, and never pays half more', () => {
    const rivalWei = GWEI / 100n;
    const races: Race[] = [];
    const paid: bigint[] = [];
    for (let planBlock = 0; planBlock < 57; planBlock++) {
      const tipPerGasWei = tipFor(levelsOf(races, FLOOR), 0) ?? 1n;
      const won = tipPerGasWei > rivalWei;
      paid.push(tipPerGasWei);
      const rival = won ? undefined : { tipPerGasWei: rivalWei };
      races.push(aRace({ planBlock, tipPerGasWei, outcome: won ? 'won' : 'lost', rival }));
    }
    expect(races.filter(({ outcome }) => outcome === 'lost')).toHaveLength(1);
    expect(paid.every((tip) => 2n * tip < 3n * rivalWei)).toBe(true);
  });

  it('a rival that is gone is forgotten', () => {
    let level = levelsOf([aRace({ outcome: 'lost', tipPerGasWei: 1n })], FLOOR)[0]!;
    for (let block = 0; block < 2_000; block++)
      level = after(level, [aRace({ tipPerGasWei: level.tipWei! })]);
    expect(level.tipWei).toBeLessThan(GWEI / 10n);
  });

  it('never falls by a loss, never rises by a win', () => {
    fc.assert(
      fc.property(anyHistory, fc.nat(3), anyRace, (history, size, next) => {
        const before = levelOfSize(history, size);
        const then = after(before, [next]).tipWei!;
        if (next.outcome === 'lost') {
          expect(then >= (before.tipWei ?? 0n)).toBe(true);
          expect(then >= next.tipPerGasWei).toBe(true);
          // The same race again would be won.
          if (next.rival && next.rival.tipPerGasWei >= next.tipPerGasWei)
            expect(then > next.rival.tipPerGasWei).toBe(true);
        } else expect(then <= (before.tipWei ?? next.tipPerGasWei)).toBe(true);
      }),
    );
  });

  it('a larger position is never offered less than a smaller one that has raced', () => {
    fc.assert(
      fc.property(anyHistory, (history) => {
        const levels = levelsOf(history, FLOOR);
        for (const size of [1, 2, 3])
          if (levels.slice(0, size).some(({ tipWei }) => tipWei !== undefined))
            expect(tipFor(levels, size)! >= tipFor(levels, size - 1)!).toBe(true);
      }),
    );
  });

  it('a size without a race takes the next smaller one, or else the next larger one', () => {
    const levels = levelsOf([aRace({ sizeUsd8: 50n * USD8, tipPerGasWei: 8n })], FLOOR);
    expect([0, 1, 2, 3].map((size) => tipFor(levels, size))).toEqual([7n, 7n, 7n, 7n]);
    expect([0, 19, 20, 79, 80, 319, 320].map((usd) => sizeOf(BigInt(usd) * USD8, FLOOR))).toEqual([
      ...[0, 0, 1, 1, 2, 2, 3],
    ]);
  });
});
