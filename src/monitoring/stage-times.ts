import { Injectable } from '@nestjs/common';
import type { BotEvent } from '../domain/events/events.js';
import { STAGES, type Stage } from '../domain/pass-trace.js';
import type { EventSubscriber } from './broadcast.js';

/** Of each stage so many of the newest times are kept. */
const KEPT = 512;

/** A stage of a pass, or the whole way from a head to the hand-over of a transaction. */
export type TimedStage = Stage | 'head-to-send';

/** How long a stage took lately. Milliseconds. */
export interface StageShares {
  readonly stage: TimedStage;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of how many times. */
  readonly sample: number;
}

/** The newest times of each stage, for people: their middle and their tail. */
@Injectable()
export class StageTimes implements EventSubscriber {
  private readonly kept = new Map<TimedStage, number[]>();
  private readonly next = new Map<TimedStage, number>();
  private shown: readonly StageShares[] | undefined;

  hear(event: BotEvent): void {
    if (event.event === 'stages-timed') for (const { stage, ms } of event.stages) this.keep(stage, ms);
    if (event.event === 'transaction-sent') this.keep('head-to-send', event.headToSendUs / 1_000);
  }

  /** In the order of the stages; those that never ran are left out. */
  get shares(): readonly StageShares[] {
    return (this.shown ??= [...STAGES, 'head-to-send' as const].flatMap((stage) => {
      const sorted = [...(this.kept.get(stage) ?? [])].sort((a, b) => a - b);
      const [p50Ms, p99Ms] = [quantile(sorted, 0.5), quantile(sorted, 0.99)];
      return p50Ms === undefined || p99Ms === undefined
        ? []
        : [{ stage, p50Ms, p99Ms, sample: sorted.length }];
    }));
  }

  private keep(stage: TimedStage, ms: number): void {
    const times = this.kept.get(stage) ?? [];
    const place = this.next.get(stage) ?? 0;
    times[place] = ms;
    this.kept.set(stage, times);
    this.next.set(stage, (place + 1) % KEPT);
    this.shown = undefined;
  }
}

/** The nearest rank: a time that was measured, not one between two. */
function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}
