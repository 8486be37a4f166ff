import { Global, Module } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';
import { Broadcast } from './broadcast.js';
import { EventLog } from './event-log.js';
import { CloudWatchExporter } from './cloudwatch/cloudwatch-exporter.js';
import { EventMetrics } from './metrics/event-metrics.js';
import { MetricBook } from './metrics/metric-book.js';
import { Metrics } from './metrics/metrics.js';
import { ProcessReadings } from './metrics/process-readings.js';
import { MetricsJob } from './metrics.job.js';
import { BackfillReporter } from './progress.js';
import { StageTimes } from './stage-times.js';

/**
 * The events of the bot, for operators. Every module may inject {@link Events} and {@link Clock} without an
 * import. The log, the metrics and the progress of backfills receive all events. It must never carry a
 * secret and never influence a decision.
 */
@Global()
@Module({
  providers: [
    Clock,
    EventLog,
    MetricBook,
    EventMetrics,
    Metrics,
    ProcessReadings,
    StageTimes,
    { provide: Events, inject: [EventLog, EventMetrics, StageTimes, Clock], useFactory: eventsOf },
    MetricsJob,
    CloudWatchExporter,
  ],
  exports: [Clock, Events, MetricBook, Metrics, StageTimes],
})
export class MonitoringModule {}

function eventsOf(log: EventLog, metrics: EventMetrics, times: StageTimes, clock: Clock): Events {
  const events = new Broadcast();
  events.subscribe(log);
  events.subscribe(metrics);
  events.subscribe(times);
  const terminal = process.stderr.isTTY ? process.stderr : undefined;
  events.subscribe(new BackfillReporter(events, terminal, clock));
  return events;
}
