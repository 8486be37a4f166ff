import { Module } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';
import { DatabaseModule, QueuedWritesRepository, SafetyRepository } from '../database/index.js';
import { JournalModule, Journals } from '../journal/index.js';
import { FailurePolicy } from './failure-policy.js';
import { SafetyController } from './safety-controller.js';
import { SafetyJournal } from './safety-journal.js';
import { TierReview } from './tier-review.js';

/**
 * Decides whether a plan may be signed: by the limits, the day's volume, and the state NORMAL, THROTTLED or
 * HALTED. Each chain has a state of its own, which survives a restart.
 *
 * It must never leave HALTED before the resume is saved, nor by itself, except after an outage of the chain
 * or of all endpoints that is over. It must never wait for the database before it halts. It must not know how
 * a transaction is made or sent.
 */
@Module({
  imports: [DatabaseModule, JournalModule],
  providers: [
    FailurePolicy,
    TierReview,
    {
      provide: SafetyJournal,
      inject: [Journals, QueuedWritesRepository, ChimeraConfig],
      useFactory: (journals: Journals, repository: QueuedWritesRepository, { network }: ChimeraConfig) =>
        new SafetyJournal(journals, repository, network.chainId),
    },
    {
      provide: SafetyController,
      inject: [SafetyRepository, ChimeraConfig, Events, Clock, SafetyJournal],
      useFactory: (
        repository: SafetyRepository,
        { safety }: ChimeraConfig,
        events: Events,
        clock: Clock,
        journal: SafetyJournal,
      ) => new SafetyController(repository, safety, events, clock, journal),
    },
  ],
  exports: [SafetyController, FailurePolicy, TierReview],
})
export class SafetyModule {}
