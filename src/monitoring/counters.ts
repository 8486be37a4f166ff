import { Injectable } from '@nestjs/common';

/** What is counted, from the start of the process. An outcome that a reorg takes back is counted no longer. */
export const COUNTER_NAMES = [
  'passes',
  'planned',
  'sent',
  'succeeded',
  'failed',
  'divergences',
  'passErrors',
] as const;

export type CounterName = (typeof COUNTER_NAMES)[number];
export type CounterValues = Readonly<Record<CounterName, number>>;

@Injectable()
export class Counters {
  private readonly counts = new Map<CounterName, number>();

  add(name: CounterName, count = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + count);
  }

  get values(): CounterValues {
    const of = (name: CounterName): number => this.counts.get(name) ?? 0;
    return {
      passes: of('passes'),
      planned: of('planned'),
      sent: of('sent'),
      succeeded: of('succeeded'),
      failed: of('failed'),
      divergences: of('divergences'),
      passErrors: of('passErrors'),
    };
  }
}
