import {
  Catch,
  Controller,
  Get,
  ServiceUnavailableException,
  UseFilters,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import type { Response } from 'express';
import { Access } from './access.js';
import { Described } from './described.js';
import { Readiness } from './readiness.js';
import { Shared } from './shared-answers.js';

/**
 * Answers in the format of Terminus, which probes and dashboards know, instead of the format of other errors.
 */
@Catch(ServiceUnavailableException)
class HealthFilter implements ExceptionFilter<ServiceUnavailableException> {
  catch(exception: ServiceUnavailableException, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<Response>().status(exception.getStatus()).json(exception.getResponse());
  }
}

/** Terminus would describe the routes in its own way. */
const WITHOUT_WORDS = { noCache: true, swaggerDocumentation: false };

/** In the format of Terminus: each condition by its name, with its status and, when down, a sentence. */
export type HealthAnswer = HealthCheckResult;

@Access('public')
@UseFilters(HealthFilter)
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly readiness: Readiness,
  ) {}

  /**
   * The process answers. This says nothing about its work: a restart because of it would lose what is in
   * flight.
   */
  @Described({
    summary: 'Whether the process answers',
    answer: 'HealthAnswer',
  })
  @Get('live')
  @HealthCheck(WITHOUT_WORDS)
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /** A 503 names each condition that keeps the bot from working. */
  @Described({
    summary: 'Whether the bot can work',
    answer: 'HealthAnswer',
    further: { 503: { means: 'something keeps the bot from working', answer: 'HealthAnswer' } },
  })
  @Shared('path')
  @Get('ready')
  @HealthCheck(WITHOUT_WORDS)
  ready(): Promise<HealthCheckResult> {
    return this.health.check([
      () => this.readiness.phase(),
      () => this.readiness.lease(),
      () => this.readiness.head(),
      () => this.readiness.passes(),
      () => this.readiness.complete(),
      () => this.readiness.database(),
      () => this.readiness.notHalted(),
      () => this.readiness.gas(),
    ]);
  }
}
