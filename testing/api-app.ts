import { createHash } from 'node:crypto';
import type { Server } from 'node:http';
import { Global, Logger, Module, type LoggerService, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import supertest from 'supertest';
import { DataSource } from 'typeorm';
import { API } from '../src/api/api.module.js';
import { configureApp } from '../src/api/configure-app.js';
import { BotStatusReader } from '../src/bot/bot-status.js';
import { EdgeWatch } from '../src/bot/edge-watch.js';
import { FeedWatch } from '../src/bot/feed-watch.js';
import { StatusMetrics } from '../src/bot/status-metrics.js';
import { DatabaseWatch } from '../src/bot/database-watch.js';
import { ChimeraConfig, ChimeraConfigModule, parseConfig } from '../src/config/index.js';
import {
  DatabaseModule,
  BidsRepository,
  ExecutionsRepository,
  ReportsRepository,
  RequestsRepository,
  SafetyRepository,
} from '../src/database/index.js';
import { Clock } from '../src/domain/clock.js';
import { Events } from '../src/domain/events/events.js';
import { LIMIT_TIERS } from '../src/domain/limit-tiers.js';
import { Secret } from '../src/domain/secret.js';
import { EventMetrics } from '../src/monitoring/metrics/event-metrics.js';
import { MetricBook } from '../src/monitoring/metrics/metric-book.js';
import { Metrics } from '../src/monitoring/metrics/metrics.js';
import { ProcessReadings } from '../src/monitoring/metrics/process-readings.js';
import { StageTimes } from '../src/monitoring/stage-times.js';
import { HeadStream } from '../src/rpc/heads/head-stream.js';
import { RpcPool } from '../src/rpc/endpoints/rpc-pool.js';
import { SafetyController, Steering, TierReview, SafetyModule } from '../src/safety/index.js';
import { Ambient } from './ambient.js';
import { withSection } from './configuration.js';
import { standIn } from './fakes/stand-in.js';
import { apiAlerts } from './api-alerts.js';
import { newWorld, type World } from './api-world.js';
import { aBlock } from './builders/blocks.js';
import { memoryRequests } from './fakes/memory-requests.js';
import { memorySteering } from './fakes/memory-steering.js';
import type { RecordedEvents } from './fakes/recorded-events.js';

export const OPERATOR_KEY = 'operator-key-of-the-specs';
export const VIEWER_KEY = 'viewer-key-of-the-specs';
/** A part of every node URL in the tests. No answer may hold it. */
export const URL_SECRET = 'url-secret';

export interface ApiApp {
  readonly http: ReturnType<typeof supertest>;
  readonly server: Server;
  readonly world: World;
  readonly events: RecordedEvents;
  readonly logged: readonly string[];
  get<T>(type: abstract new (...parameters: never[]) => T): T;
  close(): Promise<void>;
}

export interface ApiSettings {
  /** As written in the configuration file. Default: one operator, one viewer. */
  readonly keys?: string;
  /** Further sections of the file. */
  readonly sections?: string;
  /** Further keys of the section `api`. */
  readonly more?: string;
  /** The directory of a real database, used by the real SafetyController. Without it both are fakes. */
  readonly dataDir?: string;
}

const NO_DRY_RUNS = { count: 0, simulatedUsd8: 0n };

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const KEYS = `
    - { name: ops, role: operator, sha256: ${sha256(OPERATOR_KEY)} }
    - { name: reader, role: viewer, sha256: ${sha256(VIEWER_KEY)} }`;

const NODE_URL = new Secret(`http://127.0.0.1:1/${URL_SECRET}`);

/** What MonitoringModule has of metrics and times. */
@Global()
@Module({
  providers: [MetricBook, EventMetrics, Metrics, ProcessReadings, StageTimes],
  exports: [MetricBook, EventMetrics, Metrics, StageTimes],
})
class Measured {}

/** The API as main serves it, with all guards and filters, in front of a fake bot. */
export async function startApi(settings: ApiSettings = {}): Promise<ApiApp> {
  const config = configOf(settings);
  const world = newWorld();
  const logged: string[] = [];
  const real = settings.dataDir !== undefined;

  @Module({
    ...API,
    imports: [
      ...API.imports,
      Ambient,
      Measured,
      ChimeraConfigModule.forRoot(() => config),
      ...(real ? [DatabaseModule, SafetyModule] : []),
    ],
    providers: [
      ...API.providers,
      StatusMetrics,
      ...bot(world),
      ...apiAlerts(),
      ...(real ? [] : database(world, config)),
    ],
  })
  class App {}

  Logger.overrideLogger(recorder(logged));
  const app = await NestFactory.create<NestExpressApplication>(App);
  configureApp(app);
  await app.listen(0, '127.0.0.1');
  const server: Server = app.getHttpServer();
  return {
    http: supertest(server),
    server,
    world,
    events: app.get<Events, RecordedEvents>(Events, { strict: false }),
    logged,
    get: (type) => app.get(type, { strict: false }),
    close: () => app.close(),
  };
}

function configOf({
  keys = KEYS,
  more = '',
  sections = '',
  dataDir = './unused',
}: ApiSettings): ChimeraConfig {
  const yaml = withSection('database', `{ embedded: true, dataDir: '${dataDir}' }`);
  return parseConfig(
    `${yaml}
safety: { maxSingleExecutionUsd: 500, maxDailyVolumeUsd: 2500.5 }
api:
  port: 0
  keys: ${keys}
  ${more}
${sections}
`,
    { RPC_PRIMARY_HTTP: NODE_URL.reveal() },
  );
}

function bot(world: World): Provider[] {
  return [
    {
      provide: BotStatusReader,
      useValue: {
        get isInPass() {
          return world.inPass;
        },
        status: () => world.bot,
        prospect: async () => {
          await world.whileAsked();
          return { sentAgain: 2, cancelled: 1 };
        },
      } satisfies Pick<BotStatusReader, 'status' | 'prospect' | 'isInPass'>,
    },
    {
      provide: DatabaseWatch,
      useValue: {
        get status() {
          return world.database;
        },
      } satisfies Pick<DatabaseWatch, 'status'>,
    },
    {
      provide: FeedWatch,
      useValue: {
        get markets() {
          return world.feeds;
        },
      } satisfies Pick<FeedWatch, 'markets'>,
    },
    {
      provide: EdgeWatch,
      useValue: {
        highestWad: 11n * 10n ** 17n,
        below: (belowWad) => {
          const positions = world.near.filter(({ healthFactorWad }) => healthFactorWad < belowWad);
          const block = { number: 100, hash: `0x${'aa'.repeat(32)}` as const, timestamp: 1_700_000_000 };
          return Promise.resolve({ positions, total: positions.length, block: aBlock(100, block), belowWad });
        },
      } satisfies Pick<EdgeWatch, 'below' | 'highestWad'>,
    },
    {
      provide: HeadStream,
      useValue: {
        get status() {
          return { via: 'websocket' as const, head: world.head };
        },
      } satisfies Pick<HeadStream, 'status'>,
    },
    {
      provide: RpcPool,
      useFactory: () =>
        new RpcPool({ chainId: 8453, primary: { http: NODE_URL }, backup: { http: NODE_URL } }),
    },
  ];
}

function database(world: World, config: ChimeraConfig): Provider[] {
  const ask = <T>(answer: T): Promise<T> => {
    if (world.bug !== undefined) throw world.bug;
    if (world.databaseHangs) return new Promise<T>(() => undefined);
    return world.databaseError ? Promise.reject(world.databaseError) : Promise.resolve(answer);
  };
  const kept = memorySteering(world.actions, () => ask(undefined));
  const steering = new Steering(standIn<SafetyRepository>('safety rows', kept), config.safety, new Clock());
  return [
    { provide: RequestsRepository, useValue: memoryRequests(() => ask(undefined)) },
    {
      provide: SafetyController,
      useValue: {
        status: () => world.safety,
        get steering() {
          return steering;
        },
        get volume() {
          return { todayUsd8: world.dailyVolumeUsd8 } as SafetyController['volume'];
        },
        halt: (reason) => ask((world.safety = { ...world.safety, state: 'HALTED', reason })),
        resume: (reason) => ask((world.safety = { ...world.safety, state: 'NORMAL', reason })),
      } satisfies Pick<SafetyController, 'status' | 'volume' | 'halt' | 'resume' | 'steering'>,
    },
    {
      provide: TierReview,
      useValue: {
        status: { tier: 1, next: LIMIT_TIERS[1], criteria: [] },
      } satisfies Pick<TierReview, 'status'>,
    },
    {
      provide: ExecutionsRepository,
      useValue: {
        latest: () => ask([]),
        find: () => ask(null),
      } satisfies Pick<ExecutionsRepository, 'latest' | 'find'>,
    },
    {
      provide: ReportsRepository,
      useValue: {
        steps: () => ask([]),
        figures: () =>
          ask({ ...{ outcomes: [], lostBecause: [], rivals: [], rejections: [] }, dryRuns: NO_DRY_RUNS }),
        statuses: () => ask(new Map()),
        sendTimes: () => ask({ p50Us: undefined, p99Us: undefined, sample: 0 }),
      } satisfies Pick<ReportsRepository, 'steps' | 'figures' | 'statuses' | 'sendTimes'>,
    },
    {
      provide: BidsRepository,
      useValue: { reviews: () => ask(world.reviews) } satisfies Pick<BidsRepository, 'reviews'>,
    },
    {
      provide: SafetyRepository,
      useValue: {
        recordAction: async (action) => {
          await ask(undefined);
          world.actions.push(action);
        },
      } satisfies Pick<SafetyRepository, 'recordAction'>,
    },
    {
      provide: DataSource,
      useValue: { options: { type: 'postgres' }, query: () => ask([{ '?column?': 1 }]) },
    },
  ];
}

function recorder(logged: string[]): LoggerService {
  const keep = (message: unknown, ...more: unknown[]): void => {
    logged.push([message, ...more].map(String).join(' '));
  };
  return { log: keep, warn: keep, error: keep, fatal: keep };
}
