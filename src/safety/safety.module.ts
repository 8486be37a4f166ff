import { Module } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';
import { DatabaseModule, SafetyRepository } from '../database/index.js';
import { FailurePolicy } from './failure-policy.js';
import { SafetyController } from './safety-controller.js';

/**
 * The one who says no: the limits, the day's volume, and the state NORMAL, THROTTLED or HALTED, which
 * outlives the process.
 *
 * It must never leave HALTED by itself or before that is saved, never wait for the database to halt, and
 * never know how a transaction is made or sent.
 */
@Module({
  imports: [DatabaseModule],
  providers: [
    FailurePolicy,
    {
      provide: SafetyController,
      inject: [SafetyRepository, ChimeraConfig, Events, Clock],
      useFactory: (repository: SafetyRepository, { safety }: ChimeraConfig, events: Events, clock: Clock) =>
        new SafetyController(repository, safety, events, clock),
    },
  ],
  exports: [SafetyController, FailurePolicy],
})
export class SafetyModule {}
