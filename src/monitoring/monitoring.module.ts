import { Global, Module } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';
import { Broadcast } from './broadcast.js';
import { Counters } from './counters.js';
import { EventLog } from './event-log.js';
import { MetricsJob } from './metrics.job.js';
import { BackfillReporter } from './progress.js';

/**
 * The events of the bot, for operators. Every module may inject {@link Events} and {@link Clock} without an
 * import. The log, the counters and the progress of backfills receive all events. It must never carry a
 * secret and never influence a decision.
 */
@Global()
@Module({
  providers: [
    Clock,
    EventLog,
    Counters,
    { provide: Events, inject: [EventLog, Counters, Clock], useFactory: eventsOf },
    MetricsJob,
  ],
  exports: [Clock, Events, Counters],
})
export class MonitoringModule {}

function eventsOf(log: EventLog, counters: Counters, clock: Clock): Events {
  const events = new Broadcast();
  events.subscribe(log);
  events.subscribe(counters);
  const terminal = process.stderr.isTTY ? process.stderr : undefined;
  events.subscribe(new BackfillReporter(events, terminal, clock));
  return events;
}
