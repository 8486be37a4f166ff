import { Controller, Get } from '@nestjs/common';
import { Access } from './access.js';
import { Described } from './described.js';
import { Shared } from './shared-answers.js';
import type { StatusAnswer } from './status-answer.js';
import { StatusReader } from './status-reader.js';

@Access('viewer')
@Controller('api/v1/status')
export class StatusController {
  constructor(private readonly reader: StatusReader) {}

  @Described({
    summary: 'The state of the bot, the chain, the endpoints and the limits',
    answer: 'StatusAnswer',
  })
  @Shared('path')
  @Get()
  status(): StatusAnswer {
    return this.reader.answer();
  }
}
