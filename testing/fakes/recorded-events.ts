import { Events, type BotEvent, type EventNamed } from '../../src/domain/events/events.js';

/** Keeps every event, so that a test can check them. */
export class RecordedEvents extends Events {
  readonly all: BotEvent[] = [];

  emit(event: BotEvent): void {
    this.all.push(event);
  }

  named<Name extends BotEvent['event']>(name: Name): EventNamed<Name>[] {
    return this.all.filter((event): event is EventNamed<Name> => event.event === name);
  }
}
