import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { SafetyController, type Operator } from '../safety/index.js';
import { Access, Caller, NeverLimited } from './access.js';
import { ReasonBody } from './reason.js';
import { safetyAnswer, type SafetyAnswer } from './status-answer.js';

/**
 * Halts and resumes the bot. To halt a HALTED bot, or to resume a running one, is no error. A resume that
 * meets another change of the state is a 409: the operator must look again.
 */
@Access('operator')
@Controller('api/v1/safety')
export class HaltResumeController {
  constructor(private readonly safety: SafetyController) {}

  /** Nothing is signed from this call on, even if the database cannot be reached. */
  @NeverLimited(true)
  @Post('halt')
  @HttpCode(200)
  async halt(@Body() { reason }: ReasonBody, @Caller() caller: Operator): Promise<SafetyAnswer> {
    return safetyAnswer(await this.safety.halt(reason, caller));
  }

  /** Answers when the new state is saved. */
  @Post('resume')
  @HttpCode(200)
  async resume(@Body() { reason }: ReasonBody, @Caller() caller: Operator): Promise<SafetyAnswer> {
    return safetyAnswer(await this.safety.resume(reason, caller));
  }
}
