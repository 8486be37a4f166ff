import { setTimeout as sleep } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import { messageOf } from './domain/errors.js';
import { Events } from './domain/events/events.js';
import { SafetyController } from './safety/index.js';

/** How long the last steps may take: settling what is in flight, saving, delivering alerts. Milliseconds. */
const LAST_STEPS_MS = 20_000;
const HALT_MS = 3_000;

/**
 * What becomes of an error that no part of the bot has handled (F40). The state of a program after such an
 * error is not known, so it must not go on spending: it halts, says so, ends what it can in order, and exits
 * with 1. The halt is saved: a supervisor that starts the process again finds it HALTED.
 *
 * Before the application exists, the process just ends with the error.
 */
export class CrashGuard {
  private app: INestApplication | undefined;
  private crashed = false;

  /**
   * @param die writes the error and ends the process with 1. It does not return.
   * @param scrub removes the secrets from a text that is saved.
   */
  constructor(
    private readonly die: (error: unknown) => void,
    private readonly scrub: (text: string) => string,
  ) {}

  watch(): void {
    process.on('unhandledRejection', (reason) => void this.crash(reason));
    process.on('uncaughtException', (error) => void this.crash(error));
  }

  get hasApp(): boolean {
    return this.app !== undefined;
  }

  guard(app: INestApplication): void {
    this.app = app;
  }

  private async crash(error: unknown): Promise<void> {
    if (this.crashed) return; // What fails while it ends changes nothing any more.
    this.crashed = true;
    const end = setTimeout(() => this.die(error), LAST_STEPS_MS);
    try {
      if (this.app) await this.end(this.app, error);
    } catch {
      // It ends all the same, with the first error.
    }
    clearTimeout(end);
    this.die(error);
  }

  private async end(app: INestApplication, error: unknown): Promise<void> {
    const message = this.scrub(messageOf(error));
    const safety = app.get(SafetyController);
    const halted = safety.raise('bug', 'HALTED', `an error was not handled: ${message}`);
    const stack = error instanceof Error ? this.scrub(error.stack ?? '') : undefined;
    app.get(Events).emit({ event: 'unhandled-error', message, stack });
    await Promise.race([halted, sleep(HALT_MS, undefined, { ref: false })]);
    await app.close();
  }
}
