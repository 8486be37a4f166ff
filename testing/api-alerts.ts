import type { Provider } from '@nestjs/common';
import { AlertDesk } from '../src/alerts/alert-desk.js';
import { DeliveryQueue } from '../src/alerts/delivery-queue.js';
import { WatchedStatus } from '../src/alerts/watched-status.js';
import { ChimeraConfig } from '../src/config/index.js';
import { SafetyRepository } from '../src/database/index.js';
import { Clock } from '../src/domain/clock.js';
import { Events } from '../src/domain/events/events.js';
import { SecretScrubber } from '../src/domain/secret-forms.js';
import { aWatched } from './builders/watched.js';
import { MemoryStore } from './fakes/memory-store.js';

/** The desk itself, with nothing to look at and no channel. */
export function apiAlerts(): Provider[] {
  return [
    {
      provide: WatchedStatus,
      useValue: { hear: () => undefined, read: () => aWatched() } satisfies Pick<
        WatchedStatus,
        'hear' | 'read'
      >,
    },
    {
      provide: DeliveryQueue,
      inject: [Clock, Events],
      useFactory: (clock: Clock, events: Events) =>
        new DeliveryQueue([], [], new MemoryStore(), new SecretScrubber([]), clock, events),
    },
    {
      provide: AlertDesk,
      inject: [DeliveryQueue, WatchedStatus, SafetyRepository, Clock, Events, ChimeraConfig],
      useFactory: (...parts: ConstructorParameters<typeof AlertDesk>) => {
        const desk = new AlertDesk(...parts);
        // A test raises what it wants.
        desk.onApplicationBootstrap = () => undefined;
        return desk;
      },
    },
  ];
}
