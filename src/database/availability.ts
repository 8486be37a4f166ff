import { Injectable } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';

/** At most one loss is reported in this time. When the server ends, many connections break at once. */
const REPORT_EVERY_MS = 10_000;

/** Emits events when the database is lost and when it is back. */
@Injectable()
export class DatabaseAvailability {
  private reportedAtMs = -Infinity;
  private isLost = false;

  constructor(
    private readonly events: Events,
    private readonly clock: Clock,
  ) {}

  /** A connection broke, or a statement failed with a RetryError. */
  lost(message: string): void {
    const nowMs = this.clock.monotonicMs();
    if (this.isLost || nowMs - this.reportedAtMs < REPORT_EVERY_MS) return;
    this.reportedAtMs = nowMs;
    this.isLost = true;
    this.events.emit({ event: 'database-lost', message });
  }

  /** A statement was answered. */
  answered(): void {
    if (!this.isLost) return;
    this.isLost = false;
    this.events.emit({ event: 'database-back' });
  }
}
