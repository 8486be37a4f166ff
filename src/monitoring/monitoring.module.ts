import { Module } from '@nestjs/common';
import { Counters } from './counters.js';
import { EventLog } from './event-log.js';
import { MetricsJob } from './metrics.job.js';
import { BackfillReporter } from './progress.js';

/**
 * What the bot tells the outside: events and counters. It must never carry a secret, and never influence a decision.
 */
@Module({
  providers: [
    EventLog,
    Counters,
    MetricsJob,
    {
      provide: BackfillReporter,
      inject: [EventLog],
      useFactory: (log: EventLog) =>
        new BackfillReporter(log, process.stderr.isTTY ? process.stderr : undefined),
    },
  ],
  exports: [EventLog, Counters, BackfillReporter],
})
export class MonitoringModule {}
