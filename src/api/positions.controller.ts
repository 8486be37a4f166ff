import { Controller, Get, Query } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsOptional, IsString, Length, Matches, Max, Min } from 'class-validator';
import { EdgeWatch } from '../bot/edge-watch.js';
import { parseDecimal } from '../config/index.js';
import { formatUnits, min, WAD } from '../domain/money.js';
import type { NearPosition } from '../domain/near-position.js';
import { positionKey } from '../domain/position-id.js';
import { Access } from './access.js';
import { Described } from './described.js';
import {
  blockAnswer,
  plotAnswer,
  positionAnswer,
  type PositionsPage,
  type PositionsPlotAnswer,
} from './positions-answer.js';
import { PLAIN_LINE } from './reason.js';
import { Refusal } from './refusal.js';
import { Shared } from './shared-answers.js';

const MOST_ROWS = 200;
const LIMIT_RANGE = { message: `limit must be a whole number from 1 to ${MOST_ROWS}` };
const DEFAULT_BELOW_WAD = (WAD * 105n) / 100n;
/** A health factor, and behind it what {@link positionKey} makes. */
const CURSOR = /^(\d{1,30})_([0-9a-fx-]{42,160})$/;

class BelowQuery {
  @ApiPropertyOptional({
    type: String,
    default: '1.05',
    description: 'A health factor, at most detector.watchBelowHealthFactor.',
  })
  @IsOptional()
  @Matches(/^\d{1,3}(\.\d{1,18})?$/, { message: 'below must be a health factor, such as 1.05' })
  readonly below?: string;

  @ApiPropertyOptional({ type: String, description: 'The configured name of the market.' })
  @IsOptional()
  @IsString({ message: 'protocol must be the name of a market' })
  @Length(1, 100, { message: 'protocol must be the name of a market' })
  @Matches(PLAIN_LINE, { message: 'protocol must be the name of a market' })
  readonly protocol?: string;
}

class PositionsQuery extends BelowQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MOST_ROWS, default: 50 })
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : value,
  )
  @IsInt(LIMIT_RANGE)
  @Min(1, LIMIT_RANGE)
  @Max(MOST_ROWS, LIMIT_RANGE)
  readonly limit: number = 50;

  @ApiPropertyOptional({ type: String, description: 'The `next` of the previous page.' })
  @IsOptional()
  @Matches(CURSOR, { message: 'cursor must be the next of a page of positions' })
  readonly cursor?: string;
}

/** The positions near the edge, as the newest block has them. Without a price there is no health factor. */
@Access('viewer')
@Controller('api/v1/positions')
export class PositionsController {
  constructor(private readonly edge: EdgeWatch) {}

  @Described({ summary: 'Positions below a health factor, the lowest first', answer: 'PositionsPage' })
  @Shared('query')
  @Get()
  async page(@Query() query: PositionsQuery): Promise<PositionsPage> {
    const edge = await this.edge.below(this.boundOf(query));
    const after = query.cursor === undefined ? undefined : placeOf(query.cursor);
    const rest = (edge?.positions ?? []).filter(
      (one) =>
        (query.protocol === undefined || one.protocol === query.protocol) && (!after || isAfter(one, after)),
    );
    const shown = rest.slice(0, query.limit);
    const last = shown.at(-1);
    return {
      block: blockAnswer(edge),
      total: edge?.total ?? 0,
      positions: shown.map(positionAnswer),
      next: last && rest.length > shown.length ? `${last.healthFactorWad}_${positionKey(last)}` : null,
    };
  }

  @Described({
    summary: 'The same positions as points of a plot, all at once',
    answer: 'PositionsPlotAnswer',
  })
  @Shared('query')
  @Get('plot')
  async plot(@Query() query: BelowQuery): Promise<PositionsPlotAnswer> {
    const edge = await this.edge.below(this.boundOf(query));
    const { protocol } = query;
    if (!edge || protocol === undefined) return plotAnswer(edge);
    return plotAnswer({ ...edge, positions: edge.positions.filter((one) => one.protocol === protocol) });
  }

  /** @throws Refusal for more than what is watched. */
  private boundOf({ below }: BelowQuery): bigint {
    const { highestWad } = this.edge;
    const asked = below === undefined ? min(DEFAULT_BELOW_WAD, highestWad) : parseDecimal(below, 18);
    if (asked === undefined || asked > highestWad)
      throw new Refusal(
        400,
        `below must be at most ${formatUnits(highestWad, 18)}: positions above detector.watchBelowHealthFactor are not watched`,
      );
    return asked;
  }
}

interface Place {
  readonly healthFactorWad: bigint;
  readonly key: string;
}

function placeOf(cursor: string): Place {
  const [, healthFactor = '0', key = ''] = CURSOR.exec(cursor) ?? [];
  return { healthFactorWad: BigInt(healthFactor), key };
}

function isAfter(one: NearPosition, { healthFactorWad, key }: Place): boolean {
  if (one.healthFactorWad !== healthFactorWad) return one.healthFactorWad > healthFactorWad;
  return positionKey(one) > key;
}
