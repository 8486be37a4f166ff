import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Metrics } from '../monitoring/metrics/metrics.js';
import type { MetricSource, Readings } from '../monitoring/metrics/metric-source.js';
import { DatabaseWatch } from './database-watch.js';

const MS = 1_000;

/** How the database fares and what waits for it, as metrics. */
@Injectable()
export class QueueMetrics implements MetricSource, OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly database: DatabaseWatch,
  ) {}

  onModuleInit(): void {
    this.metrics.readFrom(this);
  }

  readInto(readings: Readings): void {
    const { waiting, inJournal, safetyChanges, dropped, awayForMs, latencyMs } = this.database.status;
    readings.set('chimera_queue_depth', { queue: 'database-writes' }, waiting);
    readings.set('chimera_queue_depth', { queue: 'journal' }, inJournal);
    readings.set('chimera_queue_depth', { queue: 'safety-changes' }, safetyChanges);
    readings.set('chimera_writes_dropped_total', {}, dropped);
    readings.set('chimera_database_away_seconds', {}, awayForMs / MS);
    readings.set('chimera_database_latency_seconds', {}, latencyMs / MS);
  }
}
