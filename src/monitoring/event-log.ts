import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { levelOf, type BotEvent } from './bot-events.js';

/** Writes the bot's events as structured log lines: one JSON object a line, the event's name under `event`. */
@Injectable()
export class EventLog {
  constructor(private readonly logger: PinoLogger) {
    logger.setContext('ChimeraBot');
  }

  emit(event: BotEvent): void {
    this.logger[levelOf(event)](event);
  }
}
