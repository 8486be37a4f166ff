import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Metrics } from '../monitoring/metrics/metrics.js';
import type { MetricSource, Readings } from '../monitoring/metrics/metric-source.js';
import { AlertDesk } from './alert-desk.js';

/** What lasts, and what waits for a channel, as metrics. */
@Injectable()
export class AlertMetrics implements MetricSource, OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly desk: AlertDesk,
  ) {}

  onModuleInit(): void {
    this.metrics.readFrom(this);
  }

  readInto(readings: Readings): void {
    const { active, channels } = this.desk.summary;
    readings.set('chimera_alerts_active', {}, active);
    const waiting = channels.reduce((sum, channel) => sum + channel.pending, 0);
    readings.set('chimera_queue_depth', { queue: 'alerts' }, waiting);
  }
}
