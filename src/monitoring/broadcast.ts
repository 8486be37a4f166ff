import { Injectable } from '@nestjs/common';
import { Events, type BotEvent } from '../domain/events/events.js';

/** Receives every event. */
export interface EventSubscriber {
  hear(event: BotEvent): void;
}

/** Gives each event to all subscribers, in the order in which they were added. */
@Injectable()
export class Broadcast extends Events {
  private readonly subscribers: EventSubscriber[] = [];

  subscribe(subscriber: EventSubscriber): void {
    this.subscribers.push(subscriber);
  }

  /** A subscriber that throws is ignored: the work of the bot never depends on its subscribers. */
  emit(event: BotEvent): void {
    for (const subscriber of this.subscribers) {
      try {
        subscriber.hear(event);
      } catch {
        // The log itself may have failed, so there is no place to report it.
      }
    }
  }
}
