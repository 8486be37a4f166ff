import { Module } from '@nestjs/common';
import { Counters } from './counters.js';
import { EventLog } from './event-log.js';
import { MetricsJob } from './metrics.job.js';

/**
 * What the bot tells the outside: events and counters. It must never carry a secret, and never influence a decision.
 */
@Module({ providers: [EventLog, Counters, MetricsJob], exports: [EventLog, Counters] })
export class MonitoringModule {}
