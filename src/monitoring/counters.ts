import { Injectable } from '@nestjs/common';
import type { BotEvent, EventNamed } from '../domain/events/events.js';
import type { EventSubscriber } from './broadcast.js';

type Count<E extends BotEvent> = (event: E) => number;
type CountsBy = { readonly [Name in BotEvent['event']]?: Count<EventNamed<Name>> };

const one = (): number => 1;

/**
 * The counters and the events that change them. They start at 0 with the process. When a reorg takes back an
 * outcome that this process reported, the outcome is subtracted.
 */
const COUNTERS = {
  passes: { pass: one },
  planned: { 'plan-ready': one },
  sent: { 'transaction-sent': one },
  succeeded: {
    'execution-settled': ({ status }) => (status === 'succeeded' ? 1 : 0),
    'execution-reopened': ({ was, reported }) => (reported && was === 'succeeded' ? -1 : 0),
  },
  failed: {
    'execution-settled': ({ status }) => (status === 'succeeded' ? 0 : 1),
    'execution-reopened': ({ was, reported }) => (reported && was !== 'succeeded' ? -1 : 0),
  },
  divergences: { divergence: one },
  passErrors: { 'pass-failed': one },
} satisfies Readonly<Record<string, CountsBy>>;

export type CounterName = keyof typeof COUNTERS;
export type CounterValues = Readonly<Record<CounterName, number>>;

@Injectable()
export class Counters implements EventSubscriber {
  private readonly counts = Object.fromEntries(Object.keys(COUNTERS).map((name) => [name, 0])) as Record<
    CounterName,
    number
  >;

  hear(event: BotEvent): void {
    for (const [name, counts] of Object.entries(COUNTERS) as [CounterName, CountsBy][]) {
      // The table gives each name the function for its own events.
      const count = counts[event.event] as Count<BotEvent> | undefined;
      if (count) this.counts[name] += count(event);
    }
  }

  get values(): CounterValues {
    return { ...this.counts };
  }
}
