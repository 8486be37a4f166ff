import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiParam, ApiPropertyOptional } from '@nestjs/swagger';
import { Matches, ValidateIf } from 'class-validator';
import { ChimeraConfig, parseDecimal } from '../config/index.js';
import { toAddress, type Address } from '../domain/hex.js';
import { formatUnits } from '../domain/money.js';
import { WORKING_LIMITS, type WorkingLimit } from '../domain/steering.js';
import { SafetyController, type Operator } from '../safety/index.js';
import { Access, Caller } from './access.js';
import { Described } from './described.js';
import { ReasonBody } from './reason.js';
import { Refusal } from './refusal.js';
import {
  narrowedAnswer,
  steeringAnswer,
  type SteeringAnswer,
  type WorkingLimitsAnswer,
} from './steering-answer.js';

const USD = /^\d{1,15}(\.\d{1,8})?$/;
const NO_PROTOCOL = 'no market of the configuration has this name';
const NO_BORROWER = 'no address: 0x and 40 hexadecimal digits were expected';

/** Dollars as decimal text, or null. */
function Limit(name: WorkingLimit, what: string): PropertyDecorator {
  const parts = [
    ApiPropertyOptional({
      type: String,
      nullable: true,
      example: '250',
      description: `${what} Null: as configured.`,
    }),
    ValidateIf((_, value) => value !== undefined && value !== null),
    Matches(USD, { message: `${name} must be dollars as text, such as "250", or null` }),
  ];
  return (target, key) => {
    for (const part of parts) part(target, key);
  };
}

/** The body of a change of limits. A limit that is left out stays. */
class LimitsBody extends ReasonBody implements Partial<Record<WorkingLimit, string | null>> {
  @Limit('maxSingleExecutionUsd', 'The most debt of one execution.')
  readonly maxSingleExecutionUsd?: string | null;

  @Limit('maxDailyVolumeUsd', 'The most debt of a UTC day.')
  readonly maxDailyVolumeUsd?: string | null;

  @Limit('minProfitUsd', 'The least profit after all costs with which a plan is signed.')
  readonly minProfitUsd?: string | null;
}

/**
 * What an operator sets while the bot runs. It counts from the next pass on, and survives a restart. Another
 * live process of the chain takes it over at its next look at the lease, another dry run at its start. What
 * is in flight is settled as before.
 */
@Access('operator')
@Controller('api/v1')
export class SteeringController {
  constructor(
    private readonly safety: SafetyController,
    private readonly config: ChimeraConfig,
  ) {}

  @Access('viewer')
  @Described({
    summary: 'The limits that an operator may narrow, and what holds',
    answer: 'WorkingLimitsAnswer',
  })
  @Get('limits')
  limits(): WorkingLimitsAnswer {
    const { settings, limits } = this.safety.steering;
    return {
      limits: WORKING_LIMITS.map((name) => {
        const set = settings.find((one) => one.kind === 'limit' && one.name === name);
        const configured = this.configured(name);
        const own = set?.kind === 'limit' ? set : undefined;
        const least = own && own.valueUsd8 > configured ? own.valueUsd8 : configured;
        const inForce = name === 'minProfitUsd' ? least : limits[`${name}8`];
        return {
          name,
          valueUsd: formatUnits(inForce, 8),
          configuredUsd: formatUnits(configured, 8),
          setBy: own ? narrowedAnswer(own) : null,
        };
      }),
    };
  }

  @Described({
    summary: 'Narrows limits, or sets them back to the configured ones',
    answer: 'WorkingLimitsAnswer',
    usesDatabase: true,
  })
  @Post('limits')
  @HttpCode(200)
  async narrow(@Body() body: LimitsBody, @Caller() caller: Operator): Promise<WorkingLimitsAnswer> {
    const changes = WORKING_LIMITS.flatMap((name) => {
      const text = body[name];
      return text === undefined ? [] : [{ name, valueUsd8: this.amountOf(name, text) }];
    });
    if (changes.length === 0) throw new Refusal(400, `one of ${WORKING_LIMITS.join(', ')} must be given`);
    const { steering } = this.safety;
    for (const { name, valueUsd8 } of changes) {
      const key = { kind: 'limit', name } as const;
      if (valueUsd8 === undefined) await steering.unset(key, 'limits', body.reason, caller);
      else await steering.set({ ...key, valueUsd8 }, 'limits', body.reason, caller);
    }
    return this.limits();
  }

  @Described({
    summary: 'Pauses a market: nothing of it is liquidated',
    answer: 'SteeringAnswer',
    errors: { 404: NO_PROTOCOL },
    usesDatabase: true,
  })
  @ApiParam({ name: 'name', description: 'The configured name of the market.' })
  @Post('protocols/:name/pause')
  @HttpCode(200)
  async pause(
    @Param('name') name: string,
    @Body() { reason }: ReasonBody,
    @Caller() caller: Operator,
  ): Promise<SteeringAnswer> {
    await this.safety.steering.set(this.protocol(name), 'pause', reason, caller);
    return this.steering();
  }

  @Described({
    summary: 'Ends the pause of a market',
    answer: 'SteeringAnswer',
    errors: { 404: NO_PROTOCOL },
    usesDatabase: true,
  })
  @ApiParam({ name: 'name', description: 'The configured name of the market.' })
  @Post('protocols/:name/resume')
  @HttpCode(200)
  async resume(
    @Param('name') name: string,
    @Body() { reason }: ReasonBody,
    @Caller() caller: Operator,
  ): Promise<SteeringAnswer> {
    await this.safety.steering.unset(this.protocol(name), 'resume-protocol', reason, caller);
    return this.steering();
  }

  @Described({
    summary: 'Denies a borrower: its positions are left alone',
    answer: 'SteeringAnswer',
    errors: { 404: NO_BORROWER },
    usesDatabase: true,
  })
  @ApiParam({ name: 'address', description: 'Of the borrower.' })
  @Post('borrowers/:address/deny')
  @HttpCode(200)
  async deny(
    @Param('address') address: string,
    @Body() { reason }: ReasonBody,
    @Caller() caller: Operator,
  ): Promise<SteeringAnswer> {
    const name = borrowerOf(address);
    await this.safety.steering.set({ kind: 'denied', name }, 'deny', reason, caller);
    return this.steering();
  }

  @Described({
    summary: 'Allows a denied borrower again',
    answer: 'SteeringAnswer',
    errors: { 404: NO_BORROWER },
    usesDatabase: true,
  })
  @ApiParam({ name: 'address', description: 'Of the borrower.' })
  @Post('borrowers/:address/allow')
  @HttpCode(200)
  async allow(
    @Param('address') address: string,
    @Body() { reason }: ReasonBody,
    @Caller() caller: Operator,
  ): Promise<SteeringAnswer> {
    const name = borrowerOf(address);
    await this.safety.steering.unset({ kind: 'denied', name }, 'allow', reason, caller);
    return this.steering();
  }

  private steering(): SteeringAnswer {
    return steeringAnswer(this.safety.steering.settings);
  }

  /** USD8. */
  private configured(name: WorkingLimit): bigint {
    const { safety, planner } = this.config;
    return name === 'minProfitUsd' ? planner.minProfitUsd8 : safety[`${name}8`];
  }

  /** USD8; undefined: as configured. @throws Refusal for what is wider than the configuration allows */
  private amountOf(name: WorkingLimit, text: string | null): bigint | undefined {
    if (text === null) return undefined;
    const valueUsd8 = parseDecimal(text, 8) ?? 0n;
    const configured = this.configured(name);
    const isWider = name === 'minProfitUsd' ? valueUsd8 < configured : valueUsd8 > configured;
    if (isWider)
      throw new Refusal(
        400,
        `${name} must be at ${name === 'minProfitUsd' ? 'least' : 'most'} ${formatUnits(configured, 8)}, the configured value`,
      );
    return valueUsd8;
  }

  /** @throws Refusal */
  private protocol(name: string): { readonly kind: 'paused'; readonly name: string } {
    if (!this.config.protocols.some((one) => one.name === name)) throw new Refusal(404, NO_PROTOCOL);
    return { kind: 'paused', name };
  }
}

/** @throws Refusal */
function borrowerOf(address: string): Address {
  if (!/^0x[0-9a-fA-F]{40}$/.test(address)) throw new Refusal(404, NO_BORROWER);
  return toAddress(address);
}
