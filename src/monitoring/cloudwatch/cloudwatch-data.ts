import type { MetricDatum, StandardUnit } from '@aws-sdk/client-cloudwatch';
import type { Definition, Unit } from '../metrics/definition.js';
import type { Point } from '../metrics/metrics.js';
import { METRICS } from '../metrics/names.js';

/** The limits of one request of PutMetricData: 1,000 data and 1 MB, with room for the rest of the request. */
const MOST_DATA = 1_000;
const MOST_BYTES = 900_000;
const UNITS: Readonly<Partial<Record<Unit, StandardUnit>>> = {
  seconds: 'Seconds',
  bytes: 'Bytes',
  count: 'Count',
};
const TABLE: Readonly<Record<string, Definition>> = METRICS;
const BUCKET = '_bucket';

type Dimensions = readonly { readonly name: string; readonly value: string }[];

/** What one request carries. */
export interface Batch {
  readonly data: MetricDatum[];
  /** To be called when CloudWatch has taken it. */
  readonly arrived: () => void;
}

/** One datum, and what counts as sent once it has arrived. */
interface Drawn {
  readonly datum: MetricDatum;
  readonly levels: ReadonlyMap<string, number>;
}

/** One series of a metric; a histogram has how often each of its bounds was met. */
interface Series {
  readonly name: string;
  readonly definition: Definition;
  readonly labels: Readonly<Record<string, string>>;
  readonly levels: Map<number, number>;
}

/**
 * Turns what /metrics shows into what CloudWatch adds up. A gauge is its value. A counter is what it rose by
 * since the last export that arrived, so that a sum over any time is right. A histogram is the bounds of its
 * buckets and how often each was met since then, so that percentiles are as exact as the buckets. What did
 * not rise is not sent: CloudWatch charges by the series.
 */
export class CloudWatchData {
  /** What had been sent of each counter and bucket. */
  private readonly sent = new Map<string, number>();

  constructor(private readonly dimensions: Dimensions) {}

  batches(points: readonly Point[], at: Date): Batch[] {
    const batches: { drawn: Drawn[]; bytes: number }[] = [];
    for (const series of seriesOf(points)) {
      const drawn = this.draw(series, at);
      if (!drawn) continue;
      const bytes = JSON.stringify(drawn.datum).length;
      let batch = batches.at(-1);
      if (!batch || batch.drawn.length === MOST_DATA || batch.bytes + bytes > MOST_BYTES) {
        batch = { drawn: [], bytes: 0 };
        batches.push(batch);
      }
      batch.drawn.push(drawn);
      batch.bytes += bytes;
    }
    return batches.map(({ drawn }) => ({
      data: drawn.map(({ datum }) => datum),
      arrived: () => {
        for (const { levels } of drawn) for (const [key, level] of levels) this.sent.set(key, level);
      },
    }));
  }

  private draw(series: Series, at: Date): Drawn | undefined {
    const { name, labels, definition } = series;
    const own = Object.entries(labels).map(([label, value]) => ({ Name: label, Value: value }));
    const Dimensions = [...this.dimensions.map(({ name: Name, value: Value }) => ({ Name, Value })), ...own];
    const frame = { MetricName: name, Timestamp: at, Unit: UNITS[definition.unit] ?? 'None', Dimensions };
    if (definition.type === 'gauge') {
      const [value = NaN] = series.levels.values();
      return Number.isFinite(value) ? { datum: { ...frame, Value: value }, levels: new Map() } : undefined;
    }
    const levels = new Map<string, number>();
    const risen: [bound: number, times: number][] = [];
    for (const [bound, level] of series.levels) {
      const key = `${name} ${JSON.stringify(labels)} ${bound}`;
      const times = level - (this.sent.get(key) ?? 0);
      if (times <= 0) continue;
      levels.set(key, level);
      risen.push([bound, times]);
    }
    const [first] = risen;
    if (!first) return undefined;
    if (definition.type === 'counter') return { datum: { ...frame, Value: first[1] }, levels };
    const Values = risen.map(([bound]) => bound);
    return { datum: { ...frame, Values, Counts: risen.map(([, times]) => times) }, levels };
  }
}

/** The points of each series together. What a histogram met above its highest bound counts as that bound. */
function seriesOf(points: readonly Point[]): Iterable<Series> {
  const all = new Map<string, Series>();
  const below = new Map<Series, number>();
  for (const { name, labels, value } of points) {
    const isBucket = name.endsWith(BUCKET);
    const metric = isBucket ? name.slice(0, -BUCKET.length) : name;
    const definition = TABLE[metric];
    // The sum and the count of a histogram are in its buckets.
    if (!definition) continue;
    const { le, ...own } = labels;
    const key = `${metric} ${JSON.stringify(isBucket ? own : labels)}`;
    const series = all.get(key) ?? {
      name: metric,
      definition,
      labels: isBucket ? own : labels,
      levels: new Map<number, number>(),
    };
    all.set(key, series);
    if (!isBucket) series.levels.set(0, value);
    else {
      const highest = definition.buckets?.at(-1) ?? 0;
      const bound = le === '+Inf' ? highest : Number(le);
      const times = value - (below.get(series) ?? 0);
      series.levels.set(bound, (series.levels.get(bound) ?? 0) + times);
      below.set(series, value);
    }
  }
  return all.values();
}
