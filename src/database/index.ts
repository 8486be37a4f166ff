export { DatabaseAvailability } from './availability.js';
export { checkDatabase } from './check-database.js';
export { createDataSource, type DatabaseAddress } from './data-source.js';
export { Database } from './database.js';
export { DatabaseAway, DatabaseFull } from './database-errors.js';
export { DatabaseProbe } from './database-probe.js';
export { DatabaseModule } from './database.module.js';
export { startEmbeddedPostgres, type EmbeddedPostgres } from '../embedded-postgres/index.js';
export {
  Execution,
  EXECUTION_STATUSES,
  type ExecutionMode,
  type ExecutionStatus,
} from './entities/execution.js';
export { OutboxTransaction, type OutboxStatus } from './entities/outbox-transaction.js';
export { TransactionVersion, type VersionKind } from './entities/transaction-version.js';
export { Fence, LeaseLost } from './fence.js';
export { OperatorAction, StateTransition } from './entities/safety.js';
export {
  openAsGuest,
  openDatabase,
  openRunning,
  openToRead,
  pendingMigrations,
  unknownMigrations,
  runningBot,
  signingBot,
  type OpenDatabase,
} from './open-database.js';
export { migrate, revertLastMigration } from './migrate.js';
export { KnownPoolsRepository, type KnownPoolRow } from './repositories/known-pools.js';
export { BidsRepository, type BidReview, type RaceRow } from './repositories/bids.js';
export {
  CheckpointsRepository,
  type Checkpoint,
  type History,
  type KnownPositions,
  type StoredPosition,
} from './repositories/checkpoints.js';
export { DrillsRepository, type DrilledAlert } from './repositories/drills.js';
export { DivergencesRepository, type NewDivergence } from './repositories/divergences.js';
export {
  ExecutionsRepository,
  type DryRunRow,
  type ExecutionEnd,
  type MinedExecution,
  type NewExecution,
} from './repositories/executions.js';
export {
  LeasesRepository,
  type LeaseAttempt,
  type LeaseHolder,
  type LeaseKey,
} from './repositories/leases.js';
export {
  OutboxRepository,
  type NewVersion,
  type OutboxIntent,
  type OutboxOwner,
  type Recorded,
} from './repositories/outbox.js';
export { QueuedWritesRepository, type QueuedWrite, type RowToWrite } from './repositories/queued-writes.js';
export {
  ReportsRepository,
  type SendTimes,
  type StepFigures,
  type Counted,
  type OutcomeFigures,
  type Period,
  type DayFigures,
  type PeriodFigures,
  type RowsOf,
  type ReportKind,
} from './repositories/reports.js';
export { RequestsRepository, type Begun, type KeyedRequest } from './repositories/requests.js';
export { type RecordedRows } from './repositories/outbox-statements.js';
export { type BookedSpend, type MinedEnd } from './repositories/settle-statement.js';
export {
  SafetyRepository,
  type NewOperatorAction,
  type SavedSafety,
  type StoredSafety,
} from './repositories/safety.js';
export { ServerClock } from './repositories/server-clock.js';
