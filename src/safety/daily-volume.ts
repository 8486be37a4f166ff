import type { SafetyRepository } from '../database/index.js';
import { utcDay } from '../domain/authorisation.js';
import type { Clock } from '../domain/clock.js';

/**
 * What was booked to each UTC day: USD with 8 decimals. The outbox books in its own database transaction,
 * this follows in memory. Every day is kept: a clock that is put right must find the volume of the day that
 * it shows then.
 */
export class DailyVolume {
  private readonly usd8ByDay = new Map<string, bigint>();

  constructor(
    private readonly repository: SafetyRepository,
    private readonly clock: Clock,
  ) {}

  /** Booked to the present UTC day. */
  get todayUsd8(): bigint {
    return this.usd8ByDay.get(this.today) ?? 0n;
  }

  /** The UTC day that an intent recorded now belongs to. */
  get today(): string {
    return utcDay(this.clock.wallMs());
  }

  /** An intent was booked. */
  booked(day: string, notionalUsd8: bigint): void {
    this.usd8ByDay.set(day, (this.usd8ByDay.get(day) ?? 0n) + notionalUsd8);
  }

  /**
   * An intent was taken off its day, because it covered no debt: it was dropped or it reverted. The daily
   * limit bounds what can be lost on positions. The count of failures bounds repeated failures.
   */
  released(day: string, notionalUsd8: bigint): void {
    this.booked(day, -notionalUsd8);
  }

  /** Reads the volumes, at the start and after a write whose outcome is not known. @throws RetryError */
  async reload(): Promise<void> {
    const booked = await this.repository.volumeUsd8ByDay();
    this.usd8ByDay.clear();
    for (const [day, usd8] of booked) this.usd8ByDay.set(day, usd8);
  }
}
