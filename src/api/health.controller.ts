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
import { Readiness } from './readiness.js';

/**
 * Answers in the format of Terminus, which probes and dashboards know, instead of the format of other errors.
 */
@Catch(ServiceUnavailableException)
class HealthFilter implements ExceptionFilter<ServiceUnavailableException> {
  catch(exception: ServiceUnavailableException, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<Response>().status(exception.getStatus()).json(exception.getResponse());
  }
}

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
  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /** A 503 names each condition that keeps the bot from working. */
  @Get('ready')
  @HealthCheck()
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
