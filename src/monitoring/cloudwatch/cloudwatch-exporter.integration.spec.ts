import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LEAST, VARIABLES } from '../../../testing/configuration.js';
import { eventually } from '../../../testing/eventually.js';
import { RecordedEvents } from '../../../testing/fakes/recorded-events.js';
import { AwsServer } from '../../../testing/nodes/aws.js';
import { parseConfig, type ChimeraConfig } from '../../config/index.js';
import { Clock } from '../../domain/clock.js';
import { MetricBook } from '../metrics/metric-book.js';
import { Metrics, type Point } from '../metrics/metrics.js';
import { METRICS } from '../metrics/names.js';
import type { Definition } from '../metrics/definition.js';
import { CloudWatchExporter } from './cloudwatch-exporter.js';

const SECTION = `monitoring:
  exportIntervalMs: 3600000
  cloudwatch: { region: eu-central-1, dimensions: [{ name: bot, value: base-1 }] }`;

describe('the export to CloudWatch', () => {
  let aws: AwsServer;
  let book: MetricBook;
  let metrics: Metrics;
  let exporter: CloudWatchExporter;
  let events: RecordedEvents;
  let balanceWei: bigint;

  beforeAll(async () => {
    aws = await AwsServer.start();
  });
  afterAll(() => aws.stop());

  beforeEach(async () => {
    const read = parseConfig(`${LEAST}\n${SECTION}`, VARIABLES);
    const environment = { value: { ...read.environment, aws: aws.access } };
    const config = Object.create(read, { environment }) as ChimeraConfig;
    const clock = new Clock();
    book = new MetricBook();
    events = new RecordedEvents();
    metrics = new Metrics(book, clock, config);
    balanceWei = 25n * 10n ** 16n;
    metrics.readFrom({
      readInto: (readings) => {
        readings.set('chimera_wallet_balance_eth', {}, balanceWei);
        readings.set('chimera_endpoint_up', { endpoint: 'backup' }, 0);
      },
    });
    await metrics.onModuleInit();
    exporter = new CloudWatchExporter(metrics, book, events, clock, config);
    await exporter.onApplicationBootstrap();
  });

  afterEach(async () => {
    aws.faults.clear();
    await exporter.onApplicationShutdown();
    aws.metrics.puts.length = 0;
    aws.calls.length = 0;
  });

  /** Everything that arrived, added up as CloudWatch does: by metric and label values. */
  function received(): Map<string, number> {
    const sums = new Map<string, number>();
    for (const { MetricName, Dimensions = [], Value, Values = [], Counts = [] } of aws.metrics.puts.flatMap(
      ({ data }) => data,
    )) {
      const labels = Object.fromEntries(Dimensions.map(({ Name, Value: value }) => [Name, value]));
      expect(labels.bot).toBe('base-1');
      delete labels.bot;
      const add = (key: string, value: number, before = sums.get(key) ?? 0): void =>
        void sums.set(key, before + value);
      const { type } = (METRICS as Readonly<Record<string, Definition>>)[MetricName]!;
      const key = keyOf({ name: MetricName, labels });
      if (Value !== undefined) add(key, Value, type === 'gauge' ? 0 : undefined);
      Values.forEach((bound, index) => add(`${key} ≤ ${bound}`, Counts[index] ?? 1));
    }
    return sums;
  }

  /** What /metrics shows, in the same form. What is 0 was never sent, unless it is a gauge. */
  function shown(points: readonly Point[]): Map<string, number> {
    const sums = new Map<string, number>();
    const below = new Map<string, number>();
    for (const { name, labels, value } of points) {
      if (/_(sum|count)$/.test(name) && !(name in METRICS)) continue;
      const { le, ...own } = labels;
      const metric = name.replace(/_bucket$/, '');
      const key = keyOf({ name: metric, labels: own });
      if (le === undefined) sums.set(key, value);
      else {
        const { buckets = [] } = (METRICS as Readonly<Record<string, Definition>>)[metric]!;
        const bound = le === '+Inf' ? `${key} ≤ ${buckets.at(-1)}` : `${key} ≤ ${le}`;
        sums.set(bound, (sums.get(bound) ?? 0) + value - (below.get(key) ?? 0));
        below.set(key, value);
      }
    }
    const isGauge = (key: string): boolean =>
      (METRICS as Readonly<Record<string, Definition>>)[key.split(' ')[0]!]?.type === 'gauge';
    return new Map([...sums].filter(([key, value]) => value !== 0 || isGauge(key)));
  }

  function work(times: number): void {
    for (let n = 0; n < times; n++) {
      book.count('chimera_outcomes_total', { outcome: n % 2 === 0 ? 'won' : 'lost' });
      book.count('chimera_fees_lost_eth_total', {}, 5n * 10n ** 17n);
      for (const seconds of [0.004, 0.2, 3_600]) book.observe('chimera_pass_seconds', {}, seconds);
      book.observe('chimera_stage_seconds', { stage: 'prove' }, 0.08);
    }
  }

  const names = (): string[] => events.all.map(({ event }) => event);

  it('what arrives is what /metrics shows: counters, gauges, histograms, over several exports', async () => {
    work(3);
    const first = shown(await metrics.points());
    await exporter.export();
    expect(received()).toEqual(first);
    work(4);
    balanceWei = 7n * 10n ** 16n;
    const second = shown(await metrics.points());
    await exporter.export();
    expect(received()).toEqual(second);
    expect(received().get('chimera_wallet_balance_eth {}')).toBe(0.07);
    expect(received().get('chimera_pass_seconds {} ≤ 60')).toBe(7);
    expect(aws.metrics.puts.every(({ namespace }) => namespace === 'Chimera')).toBe(true);
    expect(names()).toEqual([]);
  });

  it.each([
    ['errors of the service', { kind: 'error', status: 500 }],
    ['throttling', { kind: 'throttle' }],
    ['a key without the permission', { kind: 'denied' }],
  ] as const)('F37 %s: one event, the next export brings what is missing', async (_, fault) => {
    aws.faults.set('monitoring', fault);
    work(2);
    await exporter.export();
    work(1);
    await exporter.export();
    expect(names()).toEqual(['metrics-export-failed']);
    expect(events.named('metrics-export-failed')[0]?.message).toMatch(/^CloudWatch: \w+ \(HTTP \d+\)$/);
    expect(aws.metrics.puts).toEqual([]);
    expect(aws.callsOf('monitoring').length).toBeLessThanOrEqual(6);

    aws.faults.clear();
    const all = shown(await metrics.points());
    await exporter.export();
    expect(received()).toEqual(all);
    expect(names()).toEqual(['metrics-export-failed', 'metrics-export-back']);
    expect(book.total('chimera_exports_total', { result: 'failed' })).toBe(2);
  });

  it('F37 a server that never answers: no second export beside the first, and the shut-down does not wait for it', async () => {
    aws.faults.set('monitoring', { kind: 'black-hole' });
    work(1);
    const stuck = exporter.export();
    await eventually(() => aws.callsOf('monitoring').length === 1, 'the first call');
    await exporter.export();
    expect(aws.callsOf('monitoring')).toHaveLength(1);
    await exporter.onApplicationShutdown();
    await stuck;
    expect(names()).toEqual(['metrics-export-failed']);
    expect(events.named('metrics-export-failed')[0]?.message).toBe('CloudWatch did not answer in time');
  });

  it('the shut-down sends what has happened since the last export', async () => {
    work(2);
    const all = shown(await metrics.points());
    await exporter.onApplicationShutdown();
    expect(received()).toEqual(all);
  });

  it('no event and no call holds a key of AWS', async () => {
    aws.identity = { ...aws.identity, secretAccessKey: 'another-key' };
    await exporter.export();
    expect(events.named('metrics-export-failed')[0]?.message).toBe(
      'CloudWatch: SignatureDoesNotMatch (HTTP 400)',
    );
    aws.identity = { ...aws.identity, secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
  });
});

function keyOf({ name, labels }: Pick<Point, 'name' | 'labels'>): string {
  return `${name} ${JSON.stringify(Object.fromEntries(Object.entries(labels).sort()))}`;
}
