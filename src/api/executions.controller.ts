import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiParam, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { ChimeraConfig } from '../config/index.js';
import { ExecutionsRepository } from '../database/index.js';
import { Access } from './access.js';
import { Described } from './described.js';
import { executionAnswer, type ExecutionDetail, type ExecutionsPage } from './executions-answer.js';
import { Refusal } from './refusal.js';

const MOST_ROWS = 200;
/** An id of the table: a positive bigint of PostgreSQL has at most 19 digits. */
const ID = /^[1-9]\d{0,17}$/;
const LIMIT_RANGE = { message: `limit must be a whole number from 1 to ${MOST_ROWS}` };

class PageQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MOST_ROWS, default: 50 })
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : value,
  )
  @IsInt(LIMIT_RANGE)
  @Min(1, LIMIT_RANGE)
  @Max(MOST_ROWS, LIMIT_RANGE)
  readonly limit: number = 50;

  /** The `next` of the previous page. */
  @ApiPropertyOptional({ type: String, description: 'The `next` of the previous page.' })
  @IsOptional()
  @Matches(ID, { message: 'before must be the id of an execution' })
  readonly before?: string;
}

/** Decisions for the chain of this bot and their outcomes, including rejected plans that were simulated. */
@Access('viewer')
@Controller('api/v1/executions')
export class ExecutionsController {
  constructor(
    private readonly executions: ExecutionsRepository,
    private readonly config: ChimeraConfig,
  ) {}

  @Described({
    summary: 'Decisions and their outcomes, the newest first',
    answer: 'ExecutionsPage',
    usesDatabase: true,
  })
  @Get()
  async page(@Query() { limit, before }: PageQuery): Promise<ExecutionsPage> {
    // One row more than requested tells whether there is a next page.
    const rows = await this.executions.latest(this.config.network.chainId, limit + 1, before);
    const shown = rows.slice(0, limit);
    const next = rows.length > limit ? (shown.at(-1)?.id ?? null) : null;
    return { executions: shown.map(executionAnswer), next };
  }

  @Described({
    summary: 'One decision with all of its inputs',
    answer: 'ExecutionDetail',
    errors: { 404: 'no execution has this id' },
    usesDatabase: true,
  })
  @ApiParam({ name: 'id', description: 'Of the list of executions.' })
  @Get(':id')
  async one(@Param('id') id: string): Promise<ExecutionDetail> {
    const row = ID.test(id) ? await this.executions.find(id) : null;
    // Rows from before chains were stored are shown by every bot.
    const isOurs = row?.chainId === null || row?.chainId === this.config.network.chainId;
    if (!row || !isOurs) throw new Refusal(404, 'no execution has this id');
    return { ...executionAnswer(row), plan: row.plan };
  }
}
