import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Cost } from './meter.js';
import type { GasPath } from './paths.js';
import { markdownTable, measurements, missedTargets, regressions, snapshotOf, table } from './report.js';

const cost = (gas: number, calldataBytes = 100): Cost => ({ gas, calldataBytes, l1FeeWei: 5n });
const paths: GasPath[] = [
  { name: 'bare', requests: [] },
  { name: 'ours', requests: [], baseline: 'bare', maxRatio: 1.25, maxCalldataBytes: 260 },
  { name: 'two', requests: [] },
];
const measured = (ours: Cost) =>
  measurements(
    paths,
    new Map([
      ['bare', [cost(1000)]],
      ['ours', [ours]],
      ['two', [cost(10), cost(20)]],
    ]),
  );

describe('what bench:gas says', () => {
  it('compares a path with its baseline, and sums up several transactions', () => {
    const [bare, ours, two] = measured(cost(1200));
    expect(bare).toMatchObject({ value: 1000, baseline: null, ratio: null });
    expect(ours).toMatchObject({ value: 1200, baseline: 1000, ratio: 1.2, maxRatio: 1.25 });
    expect(two).toMatchObject({ value: 30, calldataBytes: 200, l1FeeWei: '10' });
  });

  it('names a target that was missed, by the exact numbers and not by the rounded ratio', () => {
    expect(missedTargets(measured(cost(1250, 260)))).toEqual([]);
    expect(missedTargets(measured(cost(1251, 261)))).toEqual([
      'ours: 1251 gas is more than 1.25 x 1000',
      'ours: 261 bytes of calldata are more than 260',
    ]);
  });

  it('names a path that costs too much by itself, or too much more than another', () => {
    const limited: GasPath[] = [
      { name: 'plain', requests: [] },
      { name: 'lost', requests: [], maxGas: 60 },
      { name: 'looked', requests: [], maxMore: { than: 'plain', gas: 3 } },
    ];
    const missed = (lost: number, looked: number): string[] =>
      missedTargets(
        measurements(
          limited,
          new Map([
            ['plain', [cost(100)]],
            ['lost', [cost(lost)]],
            ['looked', [cost(looked)]],
          ]),
        ),
      );
    expect(missed(60, 103)).toEqual([]);
    expect(missed(61, 104)).toEqual(['lost: 61 gas is more than 60', 'looked: 104 gas is more than 103']);
  });

  it('names a path that grew by more than 2 %, that is new, or that is gone', () => {
    const snapshot = { bare: 1000, ours: 1000, gone: 7 };
    expect(regressions(measured(cost(1020)), snapshot)).toEqual([
      'two: 30 gas, not in the snapshot yet',
      'gone: in the snapshot, but no longer measured',
    ]);
    expect(regressions(measured(cost(1021)), { ...snapshot, two: 30 })).toEqual([
      'ours: 1021 gas, 1000 in the snapshot: grown by 2.1 %',
      'gone: in the snapshot, but no longer measured',
    ]);
    expect(regressions(measured(cost(900)), snapshotOf(measured(cost(900))))).toEqual([]);
  });

  it('is a table, aligned for people and in Markdown for the documentation', () => {
    const lines = table(measured(cost(1200))).split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[2]).toMatch(/^ours\s+1200\s+1\.200 x\s+<= 1\.25\s+100 B/);
    expect(markdownTable(measured(cost(1200)))).toContain('| ours | 1200 | 1.200 x | <= 1.25 | 100 B |');
  });

  it('is the same in the documentation as in the snapshot', () => {
    const root = new URL('../../', import.meta.url);
    const snapshot = JSON.parse(readFileSync(new URL('contracts/gas-snapshot.json', root), 'utf8')) as Record<
      string,
      number
    >;
    const document = readFileSync(new URL('docs/contract.md', root), 'utf8');
    const rows = [...document.matchAll(/^\| ([\w.-]+)\s+\|\s+(\d+) \|/gm)];
    expect(Object.fromEntries(rows.map(([, name = '', gas]) => [name, Number(gas)]))).toEqual(snapshot);
  });
});
