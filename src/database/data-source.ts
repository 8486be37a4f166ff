import { DataSource, type DataSourceOptions } from 'typeorm';
import { Initial } from '../../migrations/0001_initial.js';
import { StoredPositions } from '../../migrations/0002_stored_positions.js';
import { ReopenedTransactions } from '../../migrations/0003_reopened_transactions.js';
import { TransactionDoors } from '../../migrations/0004_transaction_doors.js';
import { ReservedSpending } from '../../migrations/0005_reserved_spending.js';
import { Outcomes } from '../../migrations/0006_outcomes.js';
import { TransactionVersions } from '../../migrations/0007_transaction_versions.js';
import { Leases } from '../../migrations/0008_leases.js';
import { WalletsOfExecutions } from '../../migrations/0009_wallets_of_executions.js';
import { SafetyConcerns } from '../../migrations/0010_safety_concerns.js';
import { AppliedWrites } from '../../migrations/0011_applied_writes.js';
import { Reports } from '../../migrations/0012_reports.js';
import { BidReviews } from '../../migrations/0013_bid_reviews.js';
import { KnownPools } from '../../migrations/0014_known_pools.js';
import { MarketIds } from '../../migrations/0015_market_ids.js';
import { ChainsOfPositions } from '../../migrations/0016_chains_of_positions.js';
import { ChainsOfSafety } from '../../migrations/0017_chains_of_safety.js';
import { Steering } from '../../migrations/0018_steering.js';
import { DryRunBookings } from '../../migrations/0019_dry_run_bookings.js';
import { AlertDrills } from '../../migrations/0020_alert_drills.js';
import { NewestBlocksFirst } from '../../migrations/0021_newest_blocks_first.js';
import { ExecutionsByTime } from '../../migrations/0022_executions_by_time.js';
import { messageOf } from '../domain/errors.js';
import { Execution } from './entities/execution.js';
import { LeaseRow } from './entities/lease.js';
import { OutboxTransaction } from './entities/outbox-transaction.js';
import { OperatorAction, SafetyStateRow, StateTransition } from './entities/safety.js';
import { CheckpointRow, DivergenceRow, KnownPosition } from './entities/state.js';
import { TransactionVersion } from './entities/transaction-version.js';
import { guardedClient } from './password-guard.js';
import { LoginScrubber, userOf, type Login } from './server-words.js';
import { NO_TLS, sslOption, type DatabaseTls } from './tls.js';

/** Where a PostgreSQL server is. */
export interface DatabaseAddress extends Login {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Absent: without TLS. */
  readonly tls?: DatabaseTls;
  /** Absent: `connection`. */
  readonly timeouts?: TimeoutScope;
}

/**
 * Where the timeouts are set. A pooler such as PgBouncer in transaction mode gives every transaction another
 * connection of the server, so each transaction has to bring its own.
 */
export type TimeoutScope = 'connection' | 'transaction';

export const CONNECT_TIMEOUT_MS = 2_000;
/** A decision has to be made within one block. A statement that takes longer is of no use to it. */
const STATEMENT_TIMEOUT_MS = 5_000;
/** They are set at the connection, or in each transaction: see {@link TimeoutScope}. Milliseconds. */
export const TIMEOUTS = {
  statement_timeout: STATEMENT_TIMEOUT_MS,
  idle_in_transaction_session_timeout: 2 * STATEMENT_TIMEOUT_MS,
} as const;
/** The answer may be lost on its way. Then the client gives up by itself. */
const QUERY_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 1_000;
const POOL_SIZE = 10;

/** In their order. */
export const MIGRATIONS = [
  Initial,
  StoredPositions,
  ReopenedTransactions,
  TransactionDoors,
  ReservedSpending,
  Outcomes,
  TransactionVersions,
  Leases,
  WalletsOfExecutions,
  SafetyConcerns,
  AppliedWrites,
  Reports,
  BidReviews,
  KnownPools,
  MarketIds,
  ChainsOfPositions,
  ChainsOfSafety,
  Steering,
  DryRunBookings,
  AlertDrills,
  NewestBlocksFirst,
  ExecutionsByTime,
] as const;

/** The names of all migrations that this version knows, in their order. */
export const migrationNames = (): string[] => MIGRATIONS.map((migration) => new migration().name);

type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>;

/** @param onLost is called for each idle connection that breaks. The pool replaces the connection. */
export function dataSourceOptions(
  address: DatabaseAddress,
  onLost: (message: string) => void = () => undefined,
): PostgresOptions {
  const { host, port, database, tls = NO_TLS, timeouts = 'connection' } = address;
  const secrets = new LoginScrubber(address);
  return {
    type: 'postgres',
    host,
    port,
    database,
    username: userOf(address),
    ssl: sslOption(tls),
    applicationName: 'chimera',
    entities: [
      Execution,
      OutboxTransaction,
      TransactionVersion,
      SafetyStateRow,
      StateTransition,
      OperatorAction,
      CheckpointRow,
      KnownPosition,
      DivergenceRow,
      LeaseRow,
    ],
    migrations: [...MIGRATIONS],
    synchronize: false,
    logging: false,
    poolSize: POOL_SIZE,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    poolErrorHandler: (error: unknown) =>
      onLost(`connections to the database were lost: ${secrets.scrub(messageOf(error))}`),
    extra: {
      Client: guardedClient(address),
      ...(timeouts === 'connection' && TIMEOUTS),
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
    },
  };
}

/** For tests and tools, without Nest. It is not initialised yet. */
export function createDataSource(address: DatabaseAddress): DataSource {
  return new DataSource(dataSourceOptions(address));
}
