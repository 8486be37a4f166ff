import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';
import { DatabaseAvailability } from './availability.js';
import { dataSourceOptions } from './data-source.js';
import { Database } from './database.js';
import { DatabaseServer } from './database-server.js';
import { Fence } from './fence.js';
import { BidsRepository } from './repositories/bids.js';
import { CheckpointsRepository } from './repositories/checkpoints.js';
import { DivergencesRepository } from './repositories/divergences.js';
import { DatabaseProbe } from './database-probe.js';
import { ExecutionsRepository } from './repositories/executions.js';
import { KnownPoolsRepository } from './repositories/known-pools.js';
import { LeasesRepository } from './repositories/leases.js';
import { OutboxRepository } from './repositories/outbox.js';
import { QueuedWritesRepository } from './repositories/queued-writes.js';
import { ReportsRepository } from './repositories/reports.js';
import { RequestsRepository } from './repositories/requests.js';
import { SafetyRepository } from './repositories/safety.js';
import { ServerClock } from './repositories/server-clock.js';

@Module({
  providers: [
    {
      provide: DatabaseServer,
      inject: [ChimeraConfig, Events, Clock],
      useFactory: (config: ChimeraConfig, events: Events, clock: Clock) =>
        DatabaseServer.open(config, events, clock),
    },
    DatabaseAvailability,
  ],
  exports: [DatabaseServer, DatabaseAvailability],
})
class DatabaseServerModule {}

const REPOSITORIES = [
  ExecutionsRepository,
  OutboxRepository,
  KnownPoolsRepository,
  DivergencesRepository,
  LeasesRepository,
  ServerClock,
  QueuedWritesRepository,
  ReportsRepository,
  BidsRepository,
  RequestsRepository,
];

/**
 * Keeps what must survive a restart: decisions, signed transactions, the safety state. Other folders use its
 * repositories and write no SQL. It must never hold a secret, and never lose a row that it confirmed.
 *
 * The connections are closed in onApplicationShutdown. Code that writes during the shutdown does so in an
 * earlier hook.
 */
@Module({
  imports: [
    DatabaseServerModule,
    TypeOrmModule.forRootAsync({
      imports: [DatabaseServerModule],
      inject: [DatabaseServer, DatabaseAvailability],
      useFactory: (
        { address }: DatabaseServer,
        availability: DatabaseAvailability,
      ): TypeOrmModuleOptions => ({
        ...dataSourceOptions(address, (message) => availability.lost(message)),
        // The server answered a moment ago, so a failure now is a start-up error and worth no ten attempts.
        toRetry: () => false,
      }),
    }),
  ],
  providers: [
    {
      provide: Database,
      inject: [DataSource, DatabaseAvailability, DatabaseServer],
      useFactory: (source: DataSource, availability: DatabaseAvailability, { address }: DatabaseServer) =>
        new Database(source, availability, address),
    },
    DatabaseProbe,
    Fence,
    {
      provide: CheckpointsRepository,
      inject: [Database, ChimeraConfig],
      useFactory: (database: Database, { network }: ChimeraConfig) =>
        new CheckpointsRepository(database, network.chainId),
    },
    {
      provide: SafetyRepository,
      inject: [Database, ChimeraConfig],
      useFactory: (database: Database, { network, execution }: ChimeraConfig) =>
        new SafetyRepository(database, network.chainId, execution.mode),
    },
    ...REPOSITORIES,
  ],
  exports: [
    ...[DatabaseServerModule, DatabaseProbe, Fence],
    ...[CheckpointsRepository, SafetyRepository, ...REPOSITORIES],
  ],
})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(
    private readonly dataSource: DataSource,
    private readonly server: DatabaseServer,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
    await this.server.stop();
  }
}
