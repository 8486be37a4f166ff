import { expect, it } from 'vitest';
import { standIn } from '../../testing/fakes/stand-in.js';
import type { PoolBook, PoolsStatus } from '../liquidity/pool-book.js';
import { Readings } from '../monitoring/metrics/metric-source.js';
import type { Metrics } from '../monitoring/metrics/metrics.js';
import { PoolMetrics } from './pool-metrics.js';

const readingsOf = (status: PoolsStatus): Readings => {
  const readings = new Readings();
  const book = standIn<PoolBook>('pools', { status: () => status });
  new PoolMetrics(standIn<Metrics>('metrics', {}), book).readInto(readings);
  return readings;
};

it('which pools are followed, by kind, and when they were compared with the chain', () => {
  const readings = readingsOf({
    counts: new Map([
      ['uniswap-v3', { followed: 12, leftOut: 3 }],
      ['solidly', { followed: 0, leftOut: 7 }],
    ]),
    unread: 2,
    comparedAtMs: 1_700_000_000_500,
  });
  expect(readings.of('chimera_pools')).toEqual([
    { labels: { kind: 'uniswap-v3', state: 'followed' }, value: 12 },
    { labels: { kind: 'uniswap-v3', state: 'left-out' }, value: 3 },
    { labels: { kind: 'solidly', state: 'followed' }, value: 0 },
    { labels: { kind: 'solidly', state: 'left-out' }, value: 7 },
  ]);
  expect(readings.of('chimera_unread_pools')).toEqual([{ labels: {}, value: 2 }]);
  expect(readings.of('chimera_pools_compared_timestamp_seconds')).toEqual([
    { labels: {}, value: 1_700_000_000.5 },
  ]);
});

it('a comparison that was not made yet is no number', () => {
  const readings = readingsOf({ counts: new Map(), unread: 0, comparedAtMs: undefined });
  expect(readings.of('chimera_pools_compared_timestamp_seconds')).toEqual([]);
});
