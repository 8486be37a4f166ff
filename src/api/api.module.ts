import { Module } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { ThrottlerModule } from '@nestjs/throttler';
import { AlertsModule } from '../alerts/alerts.module.js';
import { BotModule } from '../bot/bot.module.js';
import { ChimeraConfig } from '../config/index.js';
import { DatabaseModule } from '../database/index.js';
import { RpcModule } from '../rpc/rpc.module.js';
import { SafetyModule } from '../safety/index.js';
import { AccessGuard } from './access.guard.js';
import { AlertsController } from './alerts.controller.js';
import { BidsController } from './bids.controller.js';
import { ApiKeys } from './api-keys.js';
import { ApiDocument } from './api-document.js';
import { DashboardController } from './dashboard.controller.js';
import { DocsController } from './docs.controller.js';
import { ExecutionsController } from './executions.controller.js';
import { HaltResumeController } from './halt-resume.controller.js';
import { HealthController } from './health.controller.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { MetricsController } from './metrics.controller.js';
import { PositionsController } from './positions.controller.js';
import { ProfitController } from './profit.controller.js';
import { RATE_LIMITS, RateLimitGuard } from './rate-limit.guard.js';
import { Readiness } from './readiness.js';
import { RequestQueue } from './request-queue.js';
import { ServicesStatus } from './services-status.js';
import { SharedAnswers } from './shared-answers.js';
import { SteeringController } from './steering.controller.js';
import { StatusController } from './status.controller.js';
import { StatusReader } from './status-reader.js';
import { StatusStream } from './status-stream.js';
import { StreamController } from './stream.controller.js';

/** The routes and their guards, without the modules that they use. */
export const API = {
  imports: [
    // A probe asks every few seconds. Its answer names what is down, so the log need not repeat it.
    TerminusModule.forRoot({ logger: false }),
    ThrottlerModule.forRoot(RATE_LIMITS),
  ],
  controllers: [
    HealthController,
    MetricsController,
    StatusController,
    StreamController,
    HaltResumeController,
    ExecutionsController,
    PositionsController,
    ProfitController,
    SteeringController,
    AlertsController,
    BidsController,
    DocsController,
    DashboardController,
  ],
  providers: [
    {
      provide: ApiKeys,
      inject: [ChimeraConfig],
      useFactory: ({ api }: ChimeraConfig): ApiKeys => new ApiKeys(api.keys),
    },
    ApiDocument,
    Readiness,
    RequestQueue,
    ServicesStatus,
    SharedAnswers,
    StatusReader,
    StatusStream,
    // In this order. They guard every route of the process, also the routes of other modules.
    { provide: APP_GUARD, useClass: RateLimitGuard },
    { provide: APP_GUARD, useClass: AccessGuard },
    { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
    { provide: APP_INTERCEPTOR, useExisting: SharedAnswers },
  ],
};

/**
 * HTTP for people and probes: health for everyone, the state of the bot for viewers, halt and resume for
 * operators.
 *
 * It must never change anything except through SafetyController's halt, resume and steering, and AlertDesk's
 * acknowledge. It must never show a secret, an endpoint's address, a stack or a library's own error text. It
 * must never answer a route without a key unless the route is declared public.
 */
@Module({
  ...API,
  imports: [...API.imports, BotModule, SafetyModule, RpcModule, DatabaseModule, AlertsModule],
})
export class ApiModule {}
