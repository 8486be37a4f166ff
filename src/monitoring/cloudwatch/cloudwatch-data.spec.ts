import { expect, it } from 'vitest';
import type { Point } from '../metrics/metrics.js';
import { CloudWatchData } from './cloudwatch-data.js';

const AT = new Date(0);

it('puts at most 1,000 data, and less than a megabyte, into one request', () => {
  const many = (count: number, text: string): Point[] =>
    Array.from({ length: count }, (_, n) => ({
      name: 'chimera_plans_total',
      labels: { market: `${text}${n}` },
      value: 1,
    }));
  const sizes = (points: readonly Point[]): number[] =>
    new CloudWatchData([]).batches(points, AT).map(({ data }) => data.length);
  expect(sizes(many(2_500, ''))).toEqual([1_000, 1_000, 500]);
  const long = new CloudWatchData([]).batches(many(2_500, 'x'.repeat(1_000)), AT);
  expect(long.flatMap(({ data }) => data)).toHaveLength(2_500);
  for (const { data } of long) expect(JSON.stringify(data).length).toBeLessThan(1_000_000);
  expect(sizes([])).toEqual([]);
});

it('of several requests, those that arrived are not sent again', () => {
  const data = new CloudWatchData([]);
  const points: Point[] = Array.from({ length: 1_500 }, (_, n) => ({
    name: 'chimera_plans_total',
    labels: { market: String(n) },
    value: 2,
  }));
  data.batches(points, AT)[0]?.arrived();
  const again = data.batches(points, AT).flatMap((batch) => batch.data);
  expect(again).toHaveLength(500);
  expect(again[0]).toMatchObject({ MetricName: 'chimera_plans_total', Value: 2, Unit: 'Count' });
});
