import { describe, expect, it } from 'vitest';
import { aBlock } from '../../testing/builders/blocks.js';
import { addressOf } from '../../testing/builders/aave-market.js';
import { fakeMarket, FakeMarketView } from '../../testing/fakes/fake-lending-market.js';
import { Clock } from '../domain/clock.js';
import { WAD } from '../domain/money.js';
import type { NearPosition } from '../domain/near-position.js';
import { StateView } from '../state/state-view.js';
import { byHealth, EdgeScan, MOST_NEAR } from './edge-scan.js';

const near = (protocol: string, borrower: number, healthFactorWad: bigint): NearPosition => ({
  ...{ protocol, market: addressOf(99), healthFactorWad, collaterals: [], debts: [] },
  borrower: `0x${borrower.toString(16).padStart(40, '0')}`,
  ...{ totalCollateralUsd8: 1n, totalDebtUsd8: 1n },
});

function scanOver(positions: Readonly<Record<string, readonly NearPosition[]>>): {
  of: (belowWad: bigint) => ReturnType<EdgeScan['of']>;
  turns: () => number;
} {
  let turns = 0;
  const clock = new Clock();
  // The clock goes on by a millisecond whenever it is read.
  let nowMs = 0;
  clock.monotonicMs = () => nowMs++;
  clock.nextTurn = () => {
    turns++;
    return Promise.resolve();
  };
  const views = Object.entries(positions).map(([name, of]) => {
    const view = new FakeMarketView([]);
    view.nearOnes = of;
    return [name, view] as const;
  });
  const scan = new EdgeScan({ all: Object.keys(positions).map((name) => fakeMarket(name)) }, clock);
  const view = new StateView(aBlock(7), new Map<string, unknown>(views));
  return { of: (belowWad) => scan.of(view, belowWad), turns: () => turns };
}

describe('the positions near the edge', () => {
  it('are those of all markets below the bound, the lowest first', async () => {
    const [low, middle, high] = [near('a', 1, WAD - 1n), near('b', 2, WAD), near('a', 3, WAD + 1n)];
    const { of } = scanOver({ a: [high, low], b: [middle] });
    expect(await of(2n * WAD)).toEqual({ total: 3, positions: [low, middle, high] });
    expect(await of(WAD + 1n)).toEqual({ total: 2, positions: [low, middle] });
    expect(await of(0n)).toEqual({ total: 0, positions: [] });
  });

  it('are in one order where they are equally healthy', () => {
    const [one, two] = [near('a', 1, WAD), near('a', 2, WAD)];
    expect([two, one].toSorted(byHealth)).toEqual([one, two]);
    expect(byHealth(one, one)).toBe(0);
  });

  it('are the lowest of a great many, which are counted, and everything else gets its turns', async () => {
    const many = Array.from({ length: 2 * MOST_NEAR + 5 }, (_, index) =>
      near('a', index, WAD - BigInt(index)),
    );
    const { of, turns } = scanOver({ a: many });
    const { total, positions } = await of(2n * WAD);
    expect(total).toBe(many.length);
    expect(positions).toEqual(many.toReversed().slice(0, MOST_NEAR));
    expect(turns()).toBeGreaterThan(100);
  });
});
