/** Compares the measurements with their baselines, the targets and the committed snapshot. */
import type { GasPath } from './paths.js';
import type { Cost } from './meter.js';

/** One path, as `--json` prints it. */
export interface Measurement {
  readonly name: string;
  /** Gas; the sum when there are several transactions. */
  readonly value: number;
  readonly unit: 'gas';
  /** Gas of the path it is compared with, in the same run. */
  readonly baseline: number | null;
  readonly ratio: number | null;
  readonly maxRatio: number | null;
  readonly maxGas: number | null;
  readonly calldataBytes: number;
  readonly maxCalldataBytes: number | null;
  /** Wei, decimal. */
  readonly l1FeeWei: string;
}

export type Snapshot = Readonly<Record<string, number>>;

/** Growth of a path beyond this share of its gas is an error. */
export const TOLERANCE = 0.02;

/** @param costs by the path's name */
export function measurements(
  paths: readonly GasPath[],
  costs: ReadonlyMap<string, readonly Cost[]>,
): Measurement[] {
  const gasOf = (name: string): number | null => {
    const all = costs.get(name);
    return all ? all.reduce((sum, { gas }) => sum + gas, 0) : null;
  };
  return paths.map(({ name, baseline: baselineName, maxRatio, maxGas, maxMore, maxCalldataBytes }) => {
    const value = gasOf(name);
    if (value === null) throw new Error(`${name} was not measured`);
    const all = costs.get(name) ?? [];
    const baseline = baselineName === undefined ? null : gasOf(baselineName);
    return {
      name,
      value,
      unit: 'gas',
      baseline,
      ratio: baseline === null ? null : Math.round((1000 * value) / baseline) / 1000,
      maxRatio: maxRatio ?? null,
      maxGas: maxGas ?? (maxMore ? (gasOf(maxMore.than) ?? 0) + maxMore.gas : null),
      calldataBytes: all.reduce((sum, cost) => sum + cost.calldataBytes, 0),
      maxCalldataBytes: maxCalldataBytes ?? null,
      l1FeeWei: String(all.reduce((sum, { l1FeeWei }) => sum + l1FeeWei, 0n)),
    };
  });
}

/** A sentence for each path that misses its target. */
export function missedTargets(measured: readonly Measurement[]): string[] {
  return measured.flatMap(({ name, value, baseline, maxRatio, maxGas, calldataBytes, maxCalldataBytes }) => [
    ...(maxRatio !== null && baseline !== null && value > maxRatio * baseline
      ? [`${name}: ${value} gas is more than ${maxRatio} x ${baseline}`]
      : []),
    ...(maxGas !== null && value > maxGas ? [`${name}: ${value} gas is more than ${maxGas}`] : []),
    ...(maxCalldataBytes !== null && calldataBytes > maxCalldataBytes
      ? [`${name}: ${calldataBytes} bytes of calldata are more than ${maxCalldataBytes}`]
      : []),
  ]);
}

/**
 * A sentence for each path that costs more than in the snapshot, is new, or is gone: those must be recorded
 * too.
 */
export function regressions(measured: readonly Measurement[], snapshot: Snapshot): string[] {
  const names = new Set([...measured.map(({ name }) => name), ...Object.keys(snapshot)]);
  return [...names].flatMap((name) => {
    const now = measured.find((one) => one.name === name)?.value;
    const then = snapshot[name];
    if (now === undefined) return [`${name}: in the snapshot, but no longer measured`];
    if (then === undefined) return [`${name}: ${now} gas, not in the snapshot yet`];
    if (now <= then * (1 + TOLERANCE)) return [];
    return [`${name}: ${now} gas, ${then} in the snapshot: grown by ${percent(now / then - 1)}`];
  });
}

export function snapshotOf(measured: readonly Measurement[]): Snapshot {
  return Object.fromEntries(measured.map(({ name, value }) => [name, value]));
}

const HEADER = ['path', 'gas', 'of baseline', 'target', 'calldata', 'L1 fee'];

function rowsOf(measured: readonly Measurement[]): string[][] {
  return measured.map(({ name, value, ratio, maxRatio, maxGas, calldataBytes, l1FeeWei }) => [
    name,
    String(value),
    ratio === null ? '' : `${ratio.toFixed(3)} x`,
    [maxRatio, maxGas].flatMap((most) => (most === null ? [] : [`<= ${most}`])).join(', '),
    `${calldataBytes} B`,
    `${(Number(l1FeeWei) / 1e9).toFixed(2)} gwei`,
  ]);
}

/** A table for people. */
export function table(measured: readonly Measurement[]): string {
  const rows = [HEADER, ...rowsOf(measured)];
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const padded = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(padded).join('  ').trimEnd()).join('\n');
}

/** The same in Markdown. */
export function markdownTable(measured: readonly Measurement[]): string {
  const rule = HEADER.map((_, column) => (column === 0 ? '---' : '---:'));
  return [HEADER, rule, ...rowsOf(measured)].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
