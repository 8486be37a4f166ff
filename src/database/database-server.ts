import type { RowsConfig } from '../config/index.js';
import type { Clock } from '../domain/clock.js';
import { messageOf, StartupError } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import { startEmbeddedPostgres } from '../embedded-postgres/index.js';
import { serverAddress, timeoutScopeOf } from './check-database.js';
import { connectionProblem } from './connection-problem.js';
import type { DatabaseAddress } from './data-source.js';
import { migrate } from './migrate.js';

/** The PostgreSQL that the bot uses: an external server, or an embedded one that stops with the bot. */
export class DatabaseServer {
  private constructor(
    readonly address: DatabaseAddress,
    private readonly end: () => Promise<void>,
  ) {}

  /**
   * Starts the embedded server if one is configured, and brings the tables up to date.
   *
   * @throws StartupError in one sentence.
   */
  static async open(config: RowsConfig, events: Events, clock: Clock): Promise<DatabaseServer> {
    const server = config.database.embedded
      ? await DatabaseServer.#embedded(config.database.dataDir, events, clock)
      : await DatabaseServer.#external(serverAddress(config));
    try {
      const names = await migrate(server.address);
      if (names.length > 0) events.emit({ event: 'migrations-run', names });
      return server;
    } catch (error) {
      await server.stop();
      throw new StartupError([startProblem(server.address, error)]);
    }
  }

  /** Call it after the last connection is closed. An external server is left running. */
  stop(): Promise<void> {
    return this.end();
  }

  static async #external(address: DatabaseAddress): Promise<DatabaseServer> {
    try {
      const timeouts = await timeoutScopeOf(address);
      return new DatabaseServer({ ...address, timeouts }, () => Promise.resolve());
    } catch (error) {
      throw new StartupError([connectionProblem(address, error)]);
    }
  }

  static async #embedded(dataDir: string, events: Events, clock: Clock): Promise<DatabaseServer> {
    const log = (message: string): void => events.emit({ event: 'embedded-database', message });
    const server = await startEmbeddedPostgres({ dataDir, log, clock });
    return new DatabaseServer(server, () => server.stop());
  }
}

function startProblem(address: DatabaseAddress, error: unknown): string {
  const refusedStatement = error instanceof Error && error.name === 'QueryFailedError';
  return refusedStatement
    ? `database at ${address.host}:${address.port}: its tables cannot be brought up to date: ${messageOf(error)}`
    : connectionProblem(address, error);
}
