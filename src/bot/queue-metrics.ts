import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Metrics } from '../monitoring/metrics/metrics.js';
import type { MetricSource, Readings } from '../monitoring/metrics/metric-source.js';
import { WriteQueue } from './write-queue.js';

/** What waits for the database, as metrics. */
@Injectable()
export class QueueMetrics implements MetricSource, OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly writes: WriteQueue,
  ) {}

  onModuleInit(): void {
    this.metrics.readFrom(this);
  }

  readInto(readings: Readings): void {
    const { waiting, dropped } = this.writes.status;
    readings.set('chimera_queue_depth', { queue: 'database-writes' }, waiting);
    readings.set('chimera_writes_dropped_total', {}, dropped);
  }
}
