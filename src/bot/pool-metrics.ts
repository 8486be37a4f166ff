import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PoolBook } from '../liquidity/pool-book.js';
import { Metrics } from '../monitoring/metrics/metrics.js';
import type { MetricSource, Readings } from '../monitoring/metrics/metric-source.js';

const MS = 1_000;

/** Which pools are followed, and when they were compared with the chain, as metrics. */
@Injectable()
export class PoolMetrics implements MetricSource, OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly pools: PoolBook,
  ) {}

  onModuleInit(): void {
    this.metrics.readFrom(this);
  }

  readInto(readings: Readings): void {
    const { counts, unread, comparedAtMs } = this.pools.status();
    for (const [kind, { followed, leftOut }] of counts) {
      readings.set('chimera_pools', { kind, state: 'followed' }, followed);
      readings.set('chimera_pools', { kind, state: 'left-out' }, leftOut);
    }
    readings.set('chimera_unread_pools', {}, unread);
    const comparedAt = comparedAtMs === undefined ? undefined : comparedAtMs / MS;
    readings.set('chimera_pools_compared_timestamp_seconds', {}, comparedAt);
  }
}
