import { expect, it } from 'vitest';
import { standIn } from '../../testing/fakes/stand-in.js';
import { Readings } from '../monitoring/metrics/metric-source.js';
import type { Metrics } from '../monitoring/metrics/metrics.js';
import type { DatabaseWatch } from './database-watch.js';
import { QueueMetrics } from './queue-metrics.js';

it('F28 what waits for the database, where it waits, and for how long it has been away', () => {
  const database = standIn<DatabaseWatch>('database', {
    status: { waiting: 7, inJournal: 3, safetyChanges: 2, dropped: 5, awayForMs: 12_500, latencyMs: 1_250 },
  });
  const readings = new Readings();
  new QueueMetrics(standIn<Metrics>('metrics', {}), database).readInto(readings);
  expect(readings.of('chimera_queue_depth')).toEqual([
    { labels: { queue: 'database-writes' }, value: 7 },
    { labels: { queue: 'journal' }, value: 3 },
    { labels: { queue: 'safety-changes' }, value: 2 },
  ]);
  expect(readings.of('chimera_writes_dropped_total')).toEqual([{ labels: {}, value: 5 }]);
  expect(readings.of('chimera_database_away_seconds')).toEqual([{ labels: {}, value: 12.5 }]);
  expect(readings.of('chimera_database_latency_seconds')).toEqual([{ labels: {}, value: 1.25 }]);
});
