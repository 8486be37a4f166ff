import { boundedLabels, shownValue } from './metric-book.js';
import { METRICS, type CounterName, type GaugeName, type LabelsFor } from './names.js';

/** Gives the present values of some metrics whenever they are asked for. */
export interface MetricSource {
  readInto(readings: Readings): void;
}

export interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  /** In the unit of the table. */
  readonly value: number;
}

type Readable = GaugeName | CounterName;

/** What the sources say at one moment. A metric that nothing is said of is not shown. */
export class Readings {
  private readonly all = new Map<string, Reading[]>();

  /** @param value a bigint of the smallest unit where the table has decimals; undefined: not known. */
  set<Name extends Readable>(name: Name, labels: LabelsFor<Name>, value: number | bigint | undefined): void {
    if (value === undefined) return;
    const readings = this.all.get(name) ?? [];
    this.all.set(name, readings);
    readings.push({ labels: boundedLabels(name, labels), value: shownValue(METRICS[name], value) });
  }

  flag<Name extends Readable>(name: Name, labels: LabelsFor<Name>, holds: boolean): void {
    this.set(name, labels, holds ? 1 : 0);
  }

  of(name: string): readonly Reading[] {
    return this.all.get(name) ?? [];
  }
}

/** Shows 1 for the present word of a label, and 0 for the others. */
export function oneOf<Name extends Readable>(
  readings: Readings,
  name: Name,
  words: readonly string[],
  labelsOf: (word: string) => LabelsFor<Name>,
  present: string,
): void {
  for (const word of words) readings.flag(name, labelsOf(word), word === present);
}
