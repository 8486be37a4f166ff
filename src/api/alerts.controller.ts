import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiParam, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsOptional, Length, Matches } from 'class-validator';
import { AlertDesk } from '../alerts/alert-desk.js';
import type { ActiveAlert } from '../alerts/alert-book.js';
import type { Operator } from '../safety/index.js';
import { Access, Caller } from './access.js';
import { Described } from './described.js';
import { Shared } from './shared-answers.js';
import { PLAIN_LINE } from './reason.js';
import { Refusal } from './refusal.js';

/** The body of an acknowledgement. */
class AcknowledgeBody {
  /** For the audit trail. */
  @ApiPropertyOptional({ type: String, minLength: 1, maxLength: 500, default: 'seen' })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value))
  @Matches(PLAIN_LINE, { message: 'reason must be one line of text without control characters' })
  @Length(1, 500, { message: 'reason must be a text of 1 to 500 characters' })
  readonly reason?: string;
}

/** An alert that lasts. */
export interface AlertAnswer {
  readonly id: string;
  /** The rule that found it, and its section in the runbook. */
  readonly rule: string;
  readonly severity: string;
  readonly title: string;
  readonly text: string;
  readonly since: string;
  /** How often it was repeated before an operator acknowledged it. */
  readonly repeats: number;
  /** False: it was left out in a storm. */
  readonly told: boolean;
  readonly acknowledgedBy: string | null;
  readonly acknowledgedAt: string | null;
}

/** All that lasts. */
export interface AlertsPage {
  readonly alerts: readonly AlertAnswer[];
}

/** What is wrong now. An operator who has seen an alert says so, and it is not repeated any more. */
@Controller('api/v1/alerts')
export class AlertsController {
  constructor(private readonly desk: AlertDesk) {}

  @Access('viewer')
  @Described({ summary: 'What is wrong now', answer: 'AlertsPage' })
  @Shared('path')
  @Get()
  all(): AlertsPage {
    return { alerts: this.desk.active.map(alertAnswer) };
  }

  @Access('operator')
  @Described({
    summary: 'Says that an operator has seen an alert: it is not repeated any more',
    answer: 'AlertAnswer',
    errors: { 404: 'no alert that lasts has this id' },
  })
  @ApiParam({ name: 'id', description: 'Of the list of alerts.' })
  @Post(':id/acknowledge')
  @HttpCode(200)
  acknowledge(
    @Param('id') id: string,
    @Body() { reason = 'seen' }: AcknowledgeBody,
    @Caller() caller: Operator,
  ): AlertAnswer {
    const seen = this.desk.acknowledge(id, reason, caller);
    if (!seen) throw new Refusal(404, 'no alert that lasts has this id');
    return alertAnswer(seen);
  }
}

function alertAnswer({ id, alert, sinceMs, toldAtMs, repeats, acknowledged }: ActiveAlert): AlertAnswer {
  const { rule, severity, title, text } = alert;
  return {
    ...{ id, rule, severity, title, text, repeats },
    since: new Date(sinceMs).toISOString(),
    told: toldAtMs !== null,
    acknowledgedBy: acknowledged?.actor ?? null,
    acknowledgedAt: acknowledged ? new Date(acknowledged.atMs).toISOString() : null,
  };
}
