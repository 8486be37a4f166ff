import { createHash } from 'node:crypto';
import type { Server } from 'node:http';
import { Global, Logger, Module, type LoggerService, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import supertest from 'supertest';
import { DataSource } from 'typeorm';
import { API } from '../src/api/api.module.js';
import { configureApp } from '../src/api/configure-app.js';
import { BotStatusReader, type BotStatus } from '../src/bot/bot-status.js';
import { EdgeWatch } from '../src/bot/edge-watch.js';
import { FeedWatch } from '../src/bot/feed-watch.js';
import { StatusMetrics } from '../src/bot/status-metrics.js';
import { DatabaseWatch, type DatabaseStatus } from '../src/bot/database-watch.js';
import { ChimeraConfig, ChimeraConfigModule, parseConfig } from '../src/config/index.js';
import {
  DatabaseModule,
  BidsRepository,
  ExecutionsRepository,
  RequestsRepository,
  SafetyRepository,
  type NewOperatorAction,
  type BidReview,
} from '../src/database/index.js';
import type { Head } from '../src/domain/block.js';
import { Clock } from '../src/domain/clock.js';
import { Events } from '../src/domain/events/events.js';
import { LIMIT_TIERS } from '../src/domain/limit-tiers.js';
import type { MarketFeeds } from '../src/domain/feed-kinds.js';
import type { NearPosition } from '../src/domain/near-position.js';
import { INITIAL_SAFETY, type SafetyStatus } from '../src/domain/safety.js';
import { Secret } from '../src/domain/secret.js';
import { EventMetrics } from '../src/monitoring/metrics/event-metrics.js';
import { MetricBook } from '../src/monitoring/metrics/metric-book.js';
import { Metrics } from '../src/monitoring/metrics/metrics.js';
import { ProcessReadings } from '../src/monitoring/metrics/process-readings.js';
import { HeadStream } from '../src/rpc/heads/head-stream.js';
import { RpcPool } from '../src/rpc/endpoints/rpc-pool.js';
import { SafetyController, Steering, TierReview, SafetyModule } from '../src/safety/index.js';
import { Ambient } from './ambient.js';
import { withSection } from './configuration.js';
import { standIn } from './fakes/stand-in.js';
import { apiAlerts } from './api-alerts.js';
import { aSpending } from './builders/allowance.js';
import { aBlock } from './builders/blocks.js';
import { memoryRequests } from './fakes/memory-requests.js';
import { memorySteering } from './fakes/memory-steering.js';
import type { RecordedEvents } from './fakes/recorded-events.js';

export const OPERATOR_KEY = 'operator-key-of-the-specs';
export const VIEWER_KEY = 'viewer-key-of-the-specs';
/** A part of every node URL in the tests. No answer may hold it. */
export const URL_SECRET = 'url-secret';

/** The state of the bot and of the chain as the API reads it. A test may change it. */
export interface World {
  bot: BotStatus;
  database: DatabaseStatus;
  /** Of the markets. */
  feeds: readonly MarketFeeds[];
  safety: SafetyStatus;
  head: Head | undefined;
  dailyVolumeUsd8: bigint;
  /** Those near the edge, the lowest first. */
  near: readonly NearPosition[];
  /** The rows of the audit trail that no halt or resume has written. */
  readonly actions: NewOperatorAction[];
  /** Of the share that is bid. */
  reviews: BidReview[];
  /** What a query of the database rejects with. */
  databaseError: Error | undefined;
  /** What an unforeseen bug throws in the executions route. */
  bug: Error | undefined;
}

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

/** The sentence of an error's answer. */
export function messageIn({ text }: { readonly text: string }): string {
  const body: unknown = JSON.parse(text);
  return typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : text;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const KEYS = `
    - { name: ops, role: operator, sha256: ${sha256(OPERATOR_KEY)} }
    - { name: reader, role: viewer, sha256: ${sha256(VIEWER_KEY)} }`;

const NODE_URL = new Secret(`http://127.0.0.1:1/${URL_SECRET}`);

/** What MonitoringModule has of metrics. */
@Global()
@Module({
  providers: [MetricBook, EventMetrics, Metrics, ProcessReadings],
  exports: [MetricBook, EventMetrics, Metrics],
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

function newWorld(): World {
  const timestamp = Math.floor(Date.now() / 1000) - 2;
  return {
    bot: {
      phase: 'running',
      mode: 'dry-run',
      operator: `0x${'5e'.repeat(20)}`,
      lease: { role: 'dry-run', holder: undefined, epoch: undefined },
      head: { number: 100, hash: `0x${'aa'.repeat(32)}`, timestamp },
      sinceLastPassMs: 1_200,
      failures: {
        failedInARow: 0,
        failingSinceMs: undefined,
        runningSinceMs: undefined,
        lastError: undefined,
        serious: false,
      },
      positions: 50,
      watched: 5,
      waitingHeads: 0,
      backfill: [{ market: 'aave', fromBlock: 1, atBlock: 60, toBlock: 100, unread: 7 }],
      incomplete: [],
      refused: [],
      coverage: [],
      setAside: [],
      liquidatable: 3,
      inFlight: 1,
      operatorBalanceWei: 10n ** 18n,
      spending: aSpending(),
      counters: {
        passes: 9,
        planned: 4,
        sent: 3,
        succeeded: 2,
        failed: 0,
        divergences: 0,
        passErrors: 1,
      },
      outcomes: {
        overall: {
          counts: { won: 3, lost: 1, stale: 2, refused: 1, malfunction: 0 },
          winRateBps: 7_500,
          lossesWei: 10n ** 15n,
          lossesUsd8: 250_000_000n,
        },
        last24h: {
          counts: { won: 0, lost: 0, stale: 0, refused: 0, malfunction: 0 },
          winRateBps: undefined,
          lossesWei: 0n,
          lossesUsd8: 0n,
        },
        rates: {
          ...{ sample: 4, inclusionBps: 7_500, ownSample: 3, ownInclusionBps: 10_000, won: 3 },
          accuracyBps: 9_800,
        },
        maxInFlight: 2,
        bidShareBps: 7_500,
        bids: { model: 'by-size', shareBps: undefined, levels: [], chain: undefined },
      },
      nativePrice: { ageSeconds: 600, isKept: true },
      skipped: { 'profit-below-floor': 2 },
    },
    database: { awayForMs: 0, latencyMs: 3, waiting: 0, inJournal: 0, dropped: 0, safetyChanges: 0 },
    feeds: [],
    safety: { ...INITIAL_SAFETY, sinceMs: 0 },
    head: {
      number: 100,
      hash: `0x${'aa'.repeat(32)}`,
      parentHash: `0x${'a9'.repeat(32)}`,
      timestamp,
      baseFeePerGas: 7n,
      receivedAtMs: performance.now(),
    },
    dailyVolumeUsd8: 0n,
    near: [],
    actions: [],
    reviews: [],
    databaseError: undefined,
    bug: undefined,
  };
}

function bot(world: World): Provider[] {
  return [
    {
      provide: BotStatusReader,
      useValue: {
        status: () => world.bot,
        prospect: () => Promise.resolve({ sentAgain: 2, cancelled: 1 }),
      } satisfies Pick<BotStatusReader, 'status' | 'prospect'>,
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
