import { Injectable } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';

/** At most one loss is reported in this time. When the server ends, many connections break at once. */
const REPORT_EVERY_MS = 10_000;

/** Whether the database serves, as its statements show. Emits events when it is lost and when it is back. */
@Injectable()
export class DatabaseAvailability {
  private reportedAtMs = -Infinity;
  private isReported = false;
  private lostAtMs: number | undefined;
  private failedAtMs = -Infinity;

  constructor(
    private readonly events: Events,
    private readonly clock: Clock,
  ) {}

  /** A statement failed, and none was answered since. */
  get isAway(): boolean {
    return this.lostAtMs !== undefined;
  }

  /** Milliseconds since the first statement that failed, with none answered since; 0 while it serves. */
  get awayForMs(): number {
    return this.lostAtMs === undefined ? 0 : this.clock.monotonicMs() - this.lostAtMs;
  }

  /** Milliseconds since a statement failed last. */
  get sinceFailureMs(): number {
    return this.clock.monotonicMs() - this.failedAtMs;
  }

  /** A connection broke, or the database did not serve a statement. */
  lost(message: string): void {
    const nowMs = this.clock.monotonicMs();
    this.failedAtMs = nowMs;
    this.lostAtMs ??= nowMs;
    if (this.isReported || nowMs - this.reportedAtMs < REPORT_EVERY_MS) return;
    this.reportedAtMs = nowMs;
    this.isReported = true;
    this.events.emit({ event: 'database-lost', message });
  }

  /** A statement was answered. */
  answered(): void {
    this.lostAtMs = undefined;
    if (!this.isReported) return;
    this.isReported = false;
    this.events.emit({ event: 'database-back' });
  }
}
