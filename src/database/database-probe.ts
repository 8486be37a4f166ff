import { Injectable } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import { Database } from './database.js';

/** Asks the database whether it serves, so that its return is noticed while nobody else needs it. */
@Injectable()
export class DatabaseProbe {
  private askedAtMs: number | undefined;
  private tookMs = 0;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Asks, unless an answer is still awaited. Never throws: DatabaseAvailability hears the outcome. */
  async ask(): Promise<void> {
    if (this.askedAtMs !== undefined) return;
    this.askedAtMs = this.clock.monotonicMs();
    await this.database.query('SELECT 1').catch(() => undefined);
    this.tookMs = this.clock.monotonicMs() - this.askedAtMs;
    this.askedAtMs = undefined;
  }

  /** How long the last answer took, or how long the present one has been awaited: milliseconds. */
  get latencyMs(): number {
    return this.askedAtMs === undefined ? this.tookMs : this.clock.monotonicMs() - this.askedAtMs;
  }
}
