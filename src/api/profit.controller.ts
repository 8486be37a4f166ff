import { Controller, Get, Query } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, Matches } from 'class-validator';
import { ChimeraConfig } from '../config/index.js';
import { ReportsRepository } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { Access } from './access.js';
import { Described } from './described.js';
import { INSTANT, INSTANT_WANTED, instantOf } from './instant.js';
import { profitAnswer, type ProfitAnswer } from './profit-answer.js';
import { Refusal } from './refusal.js';
import { Shared } from './shared-answers.js';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 7;
const MOST_DAYS = 366;
const MOST_POINTS = 300;

class ProfitQuery {
  @ApiPropertyOptional({
    type: String,
    description: `A day or an instant in UTC, at most ${MOST_DAYS} days ago. Default: ${DEFAULT_DAYS} days ago.`,
  })
  @IsOptional()
  @Matches(INSTANT, { message: `since ${INSTANT_WANTED}` })
  readonly since?: string;
}

@Access('viewer')
@Controller('api/v1/profit')
export class ProfitController {
  constructor(
    private readonly reports: ReportsRepository,
    private readonly config: ChimeraConfig,
    private readonly clock: Clock,
  ) {}

  @Described({
    summary: 'What a period brought, what it cost, and what was left',
    answer: 'ProfitAnswer',
    usesDatabase: true,
  })
  @Shared('query')
  @Get()
  async profit(@Query() query: ProfitQuery): Promise<ProfitAnswer> {
    const nowMs = this.clock.wallMs();
    const from = instantOf('since', query.since) ?? new Date(nowMs - DEFAULT_DAYS * DAY_MS);
    if (from.getTime() > nowMs || from.getTime() < nowMs - MOST_DAYS * DAY_MS)
      throw new Refusal(400, `since must be in the last ${MOST_DAYS} days`);
    const of = { chainId: this.config.network.chainId };
    const period = { from, to: new Date(nowMs) };
    // One after the other: the bot itself needs the connections more.
    const steps = await this.reports.steps(of, period, MOST_POINTS);
    const figures = await this.reports.figures(of, period);
    const statuses = await this.reports.statuses(of, period);
    const times = await this.reports.sendTimes(of, period);
    return profitAnswer({ ...period, steps, figures, statuses, times });
  }
}
