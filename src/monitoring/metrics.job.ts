import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { ChimeraConfig } from '../config/index.js';
import { Events } from '../domain/events/events.js';
import { MetricBook } from './metrics/metric-book.js';
import { totalsOf } from './metrics/totals.js';

const JOB = 'metrics';

/** Every `monitoring.exportIntervalMs`: one line with all counters. */
@Injectable()
export class MetricsJob implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    private readonly scheduler: SchedulerRegistry,
    private readonly book: MetricBook,
    private readonly events: Events,
    private readonly config: ChimeraConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.scheduler.addInterval(
      JOB,
      setInterval(() => this.export(), this.config.monitoring.exportIntervalMs),
    );
  }

  onModuleDestroy(): void {
    if (this.scheduler.doesExist('interval', JOB)) this.scheduler.deleteInterval(JOB);
  }

  export(): void {
    this.events.emit({ event: 'metrics', counters: totalsOf(this.book) });
  }
}
