import { Injectable } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';

/** When the server ends, all connections break at once, and it may come and go: one loss is told in this time. */
const TELL_EVERY_MS = 10_000;

/** Tells when the database is lost and when it is back. */
@Injectable()
export class DatabaseAvailability {
  private toldAtMs = -Infinity;
  private isLost = false;

  constructor(
    private readonly events: Events,
    private readonly clock: Clock,
  ) {}

  /** A connection broke, or a statement failed with a RetryError. */
  lost(message: string): void {
    const nowMs = this.clock.monotonicMs();
    if (this.isLost || nowMs - this.toldAtMs < TELL_EVERY_MS) return;
    this.toldAtMs = nowMs;
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
