import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiParam, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Length, Matches, Max, Min } from 'class-validator';
import { ChimeraConfig } from '../config/index.js';
import { EXECUTION_STATUSES, ExecutionsRepository, type Execution } from '../database/index.js';
import { toAddress } from '../domain/hex.js';
import { Access } from './access.js';
import { Described } from './described.js';
import { executionDetail, type ExecutionDetail } from './execution-detail.js';
import { executionAnswer, type ExecutionsPage } from './executions-answer.js';
import { INSTANT, INSTANT_WANTED, instantOf } from './instant.js';
import { PLAIN_LINE } from './reason.js';
import { Refusal } from './refusal.js';
import { Shared } from './shared-answers.js';

const MOST_ROWS = 200;
/** An id of the table: a positive bigint of PostgreSQL has at most 19 digits. */
const ID = /^[1-9]\d{0,17}$/;
const LIMIT_RANGE = { message: `limit must be a whole number from 1 to ${MOST_ROWS}` };

/** By their names, so that the compiler finds one that is missing. */
const OUTCOMES = Object.keys({
  ...{ won: 0, lost: 0, stale: 0, refused: 0, malfunction: 0 },
} satisfies Record<NonNullable<Execution['outcome']>, 0>);

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

  @ApiPropertyOptional({ type: String, enum: [...EXECUTION_STATUSES] })
  @IsOptional()
  @IsIn(EXECUTION_STATUSES, { message: `status must be one of ${EXECUTION_STATUSES.join(', ')}` })
  readonly status?: Execution['status'];

  @ApiPropertyOptional({ type: String, enum: OUTCOMES })
  @IsOptional()
  @IsIn(OUTCOMES, { message: `outcome must be one of ${OUTCOMES.join(', ')}` })
  readonly outcome?: NonNullable<Execution['outcome']>;

  @ApiPropertyOptional({ type: String, description: 'The configured name of the market.' })
  @IsOptional()
  @IsString({ message: 'protocol must be the name of a market' })
  @Length(1, 100, { message: 'protocol must be the name of a market' })
  @Matches(PLAIN_LINE, { message: 'protocol must be the name of a market' })
  readonly protocol?: string;

  @ApiPropertyOptional({ type: String, description: 'An address.' })
  @IsOptional()
  @Matches(/^0x[0-9a-fA-F]{40}$/, { message: 'borrower must be an address' })
  readonly borrower?: string;

  @ApiPropertyOptional({ type: String, description: 'Decided then or later: a day or an instant in UTC.' })
  @IsOptional()
  @Matches(INSTANT, { message: `since ${INSTANT_WANTED}` })
  readonly since?: string;

  @ApiPropertyOptional({ type: String, description: 'Decided before then: a day or an instant in UTC.' })
  @IsOptional()
  @Matches(INSTANT, { message: `until ${INSTANT_WANTED}` })
  readonly until?: string;
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
  @Shared('query')
  @Get()
  async page(@Query() query: PageQuery): Promise<ExecutionsPage> {
    const { limit, before, status, outcome, protocol, borrower } = query;
    const filter = {
      ...{ status, outcome, protocol },
      borrower: borrower === undefined ? undefined : toAddress(borrower),
      since: instantOf('since', query.since),
      until: instantOf('until', query.until),
    };
    // One row more than requested tells whether there is a next page.
    const rows = await this.executions.latest(this.config.network.chainId, limit + 1, before, filter);
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
    return executionDetail(row);
  }
}
