import { Injectable } from '@nestjs/common';
import { causeOf, consequenceOf, HaltError, messageOf, type Consequence } from '../domain/errors.js';
import { Events } from '../domain/events/events.js';
import type { Cause } from '../domain/safety.js';
import { SafetyController } from './safety-controller.js';

/**
 * The one place where the class of an error becomes an action. Every halt by the bot itself goes through
 * here. A {@link HaltError} and every error without a class halt. A RetryError and a SkipError change
 * nothing.
 */
@Injectable()
export class FailurePolicy {
  constructor(
    private readonly safety: SafetyController,
    private readonly events: Events,
  ) {}

  get isHalted(): boolean {
    return this.safety.isHalted;
  }

  /**
   * Emits an event for an error that ended a pass or a task beside it, and halts when the error's class says
   * so. Never throws.
   *
   * @param block the number of the block that was worked on; undefined when the work was not about a block.
   */
  async failed(error: unknown, block?: number): Promise<Consequence> {
    const consequence = consequenceOf(error);
    this.events.emit({ event: 'pass-failed', block, consequence, message: messageOf(error) });
    if (consequence === 'halt') await this.halt(messageOf(error), causeOf(error));
    return consequence;
  }

  /**
   * Halts from this call on. Use it when the next signature must not wait until the error reaches the loop. A
   * repeated call changes nothing.
   *
   * @returns the error to throw.
   */
  async halt(message: string, about: Cause): Promise<HaltError> {
    await this.safety.raise(about, 'HALTED', message);
    return new HaltError(message, about);
  }
}
