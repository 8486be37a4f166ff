import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { SafetyController, type Operator } from '../safety/index.js';
import { Access, Caller } from './access.js';
import { ReasonBody } from './reason.js';
import { safetyAnswer, type SafetyAnswer } from './status-answer.js';

/** The operator's hand on the brake. To halt a bot that is HALTED, or to resume one that is not, is no error. */
@Access('operator')
@Controller('api/v1/safety')
export class HaltResumeController {
  constructor(private readonly safety: SafetyController) {}

  /** Nothing is signed from this call on, whether the database is there or not. */
  @Post('halt')
  @HttpCode(200)
  async halt(@Body() { reason }: ReasonBody, @Caller() caller: Operator): Promise<SafetyAnswer> {
    return safetyAnswer(await this.safety.halt(reason, caller));
  }

  /** Answers once the new state is saved. */
  @Post('resume')
  @HttpCode(200)
  async resume(@Body() { reason }: ReasonBody, @Caller() caller: Operator): Promise<SafetyAnswer> {
    return safetyAnswer(await this.safety.resume(reason, caller));
  }
}
