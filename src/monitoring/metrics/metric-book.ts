import { Injectable } from '@nestjs/common';
import type { Definition } from './definition.js';
import { METRICS, type CounterName, type HistogramName, type LabelsFor, type MetricName } from './names.js';

/** What is shown for a label value that is not in the table. */
export const OTHER = 'other';

/** The value of a metric for some label values. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  /** A bigint of the smallest unit where the definition has `decimals`. */
  value: number | bigint;
}

/** How long something took. */
type Observer = (name: HistogramName, labels: Readonly<Record<string, string>>, seconds: number) => void;

/** Counters with so few combinations of label values begin at 0, so that the first event is an increase. */
const MOST_ZEROS = 64;

/**
 * The only place where events are counted. The status, the log, /metrics and CloudWatch read it. Counting is
 * a look into two maps. It never throws, and it never holds more label values than the table names.
 */
@Injectable()
export class MetricBook {
  private readonly counters = new Map<string, Map<string, Sample>>();
  private observer: Observer | undefined;

  constructor() {
    for (const [name, definition] of TABLE) {
      if (definition.type !== 'counter') continue;
      const series = new Map<string, Sample>();
      for (const labels of combinations(definition))
        series.set(keyOf(labels), { labels, value: zeroOf(definition) });
      this.counters.set(name, series);
    }
  }

  count<Name extends CounterName>(name: Name, labels: LabelsFor<Name>, amount: number | bigint = 1): void {
    const bounded = boundedLabels(name, labels);
    const series = this.counters.get(name);
    const key = keyOf(bounded);
    const sample = series?.get(key);
    if (sample) sample.value = sumOf(sample.value, amount);
    else series?.set(key, { labels: bounded, value: sumOf(zeroOf(METRICS[name]), amount) });
  }

  observe<Name extends HistogramName>(name: Name, labels: LabelsFor<Name>, seconds: number): void {
    this.observer?.(name, boundedLabels(name, labels), seconds);
  }

  /** Who keeps the histograms. Without one, nothing is measured. */
  observeWith(observer: Observer): void {
    this.observer = observer;
  }

  /** The samples of a counter. */
  samples(name: CounterName): Iterable<Readonly<Sample>> {
    return this.counters.get(name)?.values() ?? [];
  }

  /** The sum of a counter over its label values, or over those with these. For people: a number. */
  total<Name extends CounterName>(name: Name, labels: Partial<LabelsFor<Name>> = {}): number {
    const wanted = Object.entries(labels);
    let sum = 0;
    for (const sample of this.samples(name))
      if (wanted.every(([label, value]) => sample.labels[label] === value))
        sum += shownValue(METRICS[name], sample.value);
    return sum;
  }
}

const TABLE: readonly (readonly [string, Definition])[] = Object.entries(METRICS);

const WORDS: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string> | undefined>> = new Map(
  TABLE.map(([name, { labels }]) => [
    name,
    new Map(
      Object.entries(labels).map(([label, values]) => [
        label,
        'from' in values ? undefined : new Set(values),
      ]),
    ),
  ]),
);

/** The labels as they are shown: in the order of the table, and none outside of its words. */
export function boundedLabels<Name extends MetricName>(
  name: Name,
  labels: LabelsFor<Name>,
): Readonly<Record<string, string>> {
  const given: Readonly<Record<string, string>> = labels;
  const bounded: Record<string, string> = {};
  for (const [label, words] of WORDS.get(name) ?? []) {
    const value = String(given[label]);
    bounded[label] = words && !words.has(value) ? OTHER : value;
  }
  return bounded;
}

/** As a number in the unit of the table. For display only. */
export function shownValue({ decimals = 0 }: Pick<Definition, 'decimals'>, value: number | bigint): number {
  return typeof value === 'bigint' ? Number(value) / 10 ** decimals : value;
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  let key = '';
  for (const label in labels) key += `${labels[label] ?? ''}\n`;
  return key;
}

function zeroOf({ decimals }: Pick<Definition, 'decimals'>): number | bigint {
  return decimals === undefined ? 0 : 0n;
}

/** An amount of the wrong kind is not counted, rather than thrown at the loop. */
function sumOf(value: number | bigint, amount: number | bigint): number | bigint {
  if (typeof value === 'bigint' && typeof amount === 'bigint') return value + amount;
  return typeof value === 'number' && typeof amount === 'number' ? value + amount : value;
}

/** All label values of a metric, where they are known and not too many. */
function combinations({ labels }: Pick<Definition, 'labels'>): readonly Record<string, string>[] {
  let all: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(labels)) {
    if ('from' in values || all.length * values.length > MOST_ZEROS) return [];
    all = all.flatMap((one) => values.map((value) => ({ ...one, [label]: value })));
  }
  return all;
}
