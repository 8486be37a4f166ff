import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { ChimeraConfig } from '../../config/index.js';
import { Clock } from '../../domain/clock.js';
import type { Definition } from './definition.js';
import { MetricBook, shownValue } from './metric-book.js';
import { Readings, type MetricSource } from './metric-source.js';
import { METRICS, type CounterName } from './names.js';

/** One number of one metric, as Prometheus would read it. */
export interface Point {
  /** With the ending of a part of a histogram: `_bucket`, `_sum`, `_count`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** However often it is asked for, the text is made once in this time. */
const TEXT_LASTS_MS = 1_000;

type Library = typeof import('prom-client');

/** What the library keeps of each metric. */
interface Instruments {
  readonly registry: Registry;
  readonly gauges: ReadonlyMap<string, Gauge>;
  readonly counters: ReadonlyMap<CounterName, Counter>;
  /** The metrics that have labels. */
  readonly labelled: ReadonlySet<string>;
}

/**
 * Shows the metrics: the counters of the {@link MetricBook}, the histograms, and what the sources say at the
 * moment. The library is loaded only when something is shown.
 */
@Injectable()
export class Metrics implements OnModuleInit {
  private readonly sources: MetricSource[] = [];
  private instruments: Instruments | undefined;
  private text: { readonly atMs: number; readonly made: Promise<string> } | undefined;

  constructor(
    private readonly book: MetricBook,
    private readonly clock: Clock,
    private readonly config: ChimeraConfig,
  ) {}

  async onModuleInit(): Promise<void> {
    const { metrics, cloudwatch } = this.config.monitoring;
    if (metrics || cloudwatch) this.instruments = this.build(await import('prom-client'));
  }

  /** The source is asked at each look. One that throws is left out of it. */
  readFrom(source: MetricSource): void {
    this.sources.push(source);
  }

  get contentType(): string {
    return this.instruments?.registry.contentType ?? 'text/plain';
  }

  /** In the text format of Prometheus. Empty while nothing is loaded. */
  async asText(): Promise<string> {
    const nowMs = this.clock.monotonicMs();
    if (!this.text || nowMs - this.text.atMs >= TEXT_LASTS_MS)
      this.text = { atMs: nowMs, made: this.makeText() };
    return this.text.made;
  }

  /** Everything that {@link asText} shows, as numbers. */
  async points(): Promise<readonly Point[]> {
    if (!this.instruments) return [];
    this.refresh(this.instruments);
    const metrics = await this.instruments.registry.getMetricsAsJSON();
    return metrics.flatMap(({ name, values }) =>
      values.map(({ value, labels, metricName }: { metricName?: string } & (typeof values)[number]) => ({
        name: metricName ?? name,
        labels: Object.fromEntries(Object.entries(labels).map(([label, word]) => [label, String(word)])),
        value,
      })),
    );
  }

  private async makeText(): Promise<string> {
    if (!this.instruments) return '';
    this.refresh(this.instruments);
    return this.instruments.registry.metrics();
  }

  private build({ Registry, Counter, Gauge, Histogram }: Library): Instruments {
    const registry = new Registry();
    const gauges = new Map<string, Gauge>();
    const counters = new Map<CounterName, Counter>();
    const histograms = new Map<string, Histogram>();
    for (const [name, definition] of Object.entries<Definition>(METRICS)) {
      const { type, help, labels, buckets = [] } = definition;
      const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
      if (type === 'histogram') histograms.set(name, new Histogram({ ...options, buckets: [...buckets] }));
      else if (type === 'counter') counters.set(name as CounterName, new Counter(options));
      else gauges.set(name, new Gauge(options));
    }
    this.book.observeWith((name, labels, value) => histograms.get(name)?.observe(labels, value));
    const labelled = Object.entries<Definition>(METRICS).filter(
      ([, { labels }]) => Object.keys(labels).length > 0,
    );
    return { registry, gauges, counters, labelled: new Set(labelled.map(([name]) => name)) };
  }

  private refresh({ gauges, counters, labelled }: Instruments): void {
    const readings = this.read();
    for (const [name, gauge] of gauges) {
      gauge.reset();
      // A gauge without labels would show 0 while its value is not known.
      if (!labelled.has(name)) gauge.remove();
      for (const { labels, value } of readings.of(name)) gauge.set(labels, value);
    }
    for (const [name, counter] of counters) {
      counter.reset();
      for (const { labels, value } of this.book.samples(name))
        counter.inc(labels, shownValue(METRICS[name], value));
      for (const { labels, value } of readings.of(name)) counter.inc(labels, value);
    }
  }

  private read(): Readings {
    const readings = new Readings();
    for (const source of this.sources) {
      try {
        source.readInto(readings);
      } catch {
        // What it would have said is missing in what is shown. Nothing of the bot depends on that.
      }
    }
    return readings;
  }
}
