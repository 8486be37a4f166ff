import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { BotStatusReader } from '../bot/bot-status.js';
import { SafetyController, seenIn, StateConflict, type Operator } from '../safety/index.js';
import { Access, Caller, HaltRoute } from './access.js';
import { Described } from './described.js';
import { ReasonBody } from './reason.js';
import { safetyAnswer, type SafetyAnswer } from './status-answer.js';

/** As the answer of a halt, and what becomes of the transactions in flight. */
export interface ResumeAnswer extends SafetyAnswer {
  /**
   * How many transactions in flight are sent again, and how many nonces are freed by a cancellation, because
   * the transaction would revert now; null when the chain could not be asked.
   */
  readonly inFlight: { readonly sentAgain: number; readonly cancelled: number } | null;
}

/**
 * Halts and resumes the bot. To halt a HALTED bot, or to resume a running one, is no error. A resume that
 * meets another change of the state is a 409: the operator must look again.
 */
@Access('operator')
@Controller('api/v1/safety')
export class HaltResumeController {
  constructor(
    private readonly safety: SafetyController,
    private readonly bot: BotStatusReader,
  ) {}

  /** Nothing is signed from this call on, even if the database cannot be reached. */
  @HaltRoute(true)
  @Described({ summary: 'Halts: nothing is signed from now on', answer: 'SafetyAnswer', usesDatabase: true })
  @Post('halt')
  @HttpCode(200)
  async halt(@Body() { reason }: ReasonBody, @Caller() caller: Operator): Promise<SafetyAnswer> {
    return safetyAnswer(await this.safety.halt(reason, caller));
  }

  /** Answers when the new state is saved, and says what becomes of the transactions in flight. */
  @Described({
    summary: 'Resumes after a halt or a throttling',
    answer: 'ResumeAnswer',
    errors: { 409: 'the state changed meanwhile: look again' },
    usesDatabase: true,
  })
  @Post('resume')
  @HttpCode(200)
  async resume(@Body() { reason }: ReasonBody, @Caller() caller: Operator): Promise<ResumeAnswer> {
    const seen = seenIn(this.safety.status());
    // It asks the chain. What halts the bot meanwhile, the caller has not seen.
    const inFlight = await this.bot.prospect();
    const now = this.safety.status();
    if (seenIn(now) !== seen)
      throw new StateConflict(`the state changed meanwhile: it is ${now.state}, ${now.reason}`);
    const status = await this.safety.resume(reason, caller);
    return { ...safetyAnswer(status), inFlight: inFlight ?? null };
  }
}
