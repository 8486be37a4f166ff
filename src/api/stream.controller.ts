import { Controller, Get, Res } from '@nestjs/common';
import type { Response } from 'express';
import { Access, Caller } from './access.js';
import type { ApiKey } from './api-keys.js';
import { Described } from './described.js';
import { StatusStream } from './status-stream.js';

@Access('viewer')
@Controller('api/v1/stream')
export class StreamController {
  constructor(private readonly stream: StatusStream) {}

  @Described({
    summary: 'The status whenever it changes, at most five times a second, as server-sent events',
    type: 'text/event-stream',
    errors: { 503: 'too many streams are open with keys of this role, or the bot stops' },
  })
  @Get()
  open(@Caller() caller: ApiKey, @Res() response: Response): void {
    this.stream.open(response, caller);
  }
}
