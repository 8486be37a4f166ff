import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../domain/clock.js';
import { messageOf } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import type { Ledger } from './ledger.js';

const POLL_MS = 100;

/** Follows what is in flight while the bot stops. */
export class Drain {
  constructor(
    private readonly ledger: Ledger,
    private readonly events: Events,
    private readonly clock: Clock,
  ) {}

  /** @param step one look at everything in flight. Never throws. */
  async run(step: () => Promise<void>, timeoutMs: number): Promise<void> {
    const endMs = this.clock.monotonicMs() + timeoutMs;
    await this.ledger.saved();
    while (this.ledger.size > 0 && this.clock.monotonicMs() < endMs) {
      try {
        await step();
      } catch (error) {
        this.events.emit({ event: 'drain-failed', message: messageOf(error) });
      }
      if (this.ledger.size > 0) await sleep(POLL_MS);
    }
    if (this.ledger.size > 0) this.events.emit({ event: 'left-in-flight', transactions: this.ledger.size });
  }
}
