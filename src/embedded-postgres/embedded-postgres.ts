import { realpathSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { Clock } from '../domain/clock.js';
import { messageOf, StartupError } from '../domain/errors.js';
import type { Secret } from '../domain/secret.js';
import { prepareCluster, SUPERUSER, type Cluster } from './cluster.js';
import { isPostgres, readPostmaster, removeStaleLock, signal, stopPostmaster } from './postmaster.js';
import { freePort, HOST, startServer, type ServerProcess } from './server-process.js';

export interface EmbeddedPostgresOptions {
  /** It keeps the data between runs. The first run creates it. */
  readonly dataDir: string;
  /** Called when the server was lost, when it does not start again, and when it is back. */
  readonly log?: (message: string) => void;
  readonly clock?: Clock;
}

export const DATABASE = 'chimera';
/**
 * It exists in every cluster. Advisory locks count per database, so the owner's lock is always taken here.
 */
const MAINTENANCE_DATABASE = 'postgres';
/**
 * The session that holds this advisory lock owns the data directory. The server frees the lock when the
 * session ends, however its process dies.
 */
const OWNER_LOCK = 7_240_001;

/**
 * Crash recovery of a small cluster takes a second. A server left over may first have to notice that its
 * parent died.
 */
const START_DEADLINE_MS = 20_000;
/** The server may take this long to close the connection of a killed owner. */
const OWNER_GRACE_MS = 2_000;
const POLL_MS = 25;
const RECOVERY_PAUSE_MS = 500;

/**
 * A PostgreSQL server on a free port of 127.0.0.1, with a random password.
 *
 * A server that is left over by a killed bot is taken over. A second bot on the same directory is refused. A
 * server that dies is started again on the same port, so that connection pools recover by themselves.
 */
export class EmbeddedPostgres {
  readonly host = HOST;
  readonly user = SUPERUSER;
  readonly database = DATABASE;
  #port = 0;
  #pid = 0;
  #guard: Client | undefined;
  #stopped: Promise<void> | undefined;
  readonly #onExit = (): void => void signal(this.#pid, 'SIGINT');

  private constructor(
    private readonly cluster: Cluster,
    private readonly log: (message: string) => void,
    private readonly clock: Clock,
  ) {}

  get port(): number {
    return this.#port;
  }

  get password(): Secret {
    return this.cluster.password;
  }

  /**
   * @throws StartupError in one sentence when the directory cannot be used, another bot uses it, or the
   *   server does not start.
   */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const { dataDir, log = () => undefined, clock = new Clock() } = options;
    const server = new EmbeddedPostgres(await prepareCluster(dataDir), log, clock);
    await server.#acquire();
    // No server is left running after an exit without stop(), such as an uncaught exception.
    process.once('exit', server.#onExit);
    return server;
  }

  /** Closes all connections, writes a checkpoint and ends the server. Call it after the pool is closed. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  #stopping(): boolean {
    return this.#stopped !== undefined;
  }

  async #stop(): Promise<void> {
    process.removeListener('exit', this.#onExit);
    await this.#guard?.end().catch(() => undefined);
    await stopPostmaster(this.#pid, this.clock);
  }

  /** Finds a running server in the directory or starts one, and becomes its owner. */
  async #acquire(): Promise<void> {
    const { clusterDir, dataDir } = this.cluster;
    const end = this.clock.monotonicMs() + START_DEADLINE_MS;
    let process: ServerProcess | undefined;
    let problem = 'it did not answer in time';
    while (this.clock.monotonicMs() < end && !this.#stopping()) {
      const postmaster = readPostmaster(clusterDir);
      if (postmaster && isPostgres(postmaster.pid)) {
        const guard = postmaster.port > 0 ? await this.#connect(postmaster.port) : undefined;
        if (guard) return this.#own(guard, postmaster.pid, postmaster.port);
        problem = `another server uses it (process ${postmaster.pid}), and it does not answer as the bot's own; end that one, or name another directory`;
      } else if (!process || process.failure() !== undefined) {
        problem = process?.failure() ?? problem;
        if (postmaster) removeStaleLock(clusterDir, postmaster);
        // A restart keeps the port, because the pools know no other.
        process = startServer(this.cluster, this.#port || (await freePort()));
      }
      await sleep(POLL_MS);
    }
    throw new StartupError([
      `database.dataDir: the embedded PostgreSQL in ${dataDir} does not start: ${problem}`,
    ]);
  }

  /** A connection to the server of this cluster. undefined while there is none on that port. */
  async #connect(port: number): Promise<Client | undefined> {
    const client = new Client({
      host: HOST,
      port,
      user: SUPERUSER,
      password: this.password.reveal(),
      database: MAINTENANCE_DATABASE,
      connectionTimeoutMillis: 2_000,
      keepAlive: true,
      application_name: 'chimera-owner',
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ directory: string }>(
        `SELECT current_setting('data_directory') AS directory`,
      );
      if (rows[0]?.directory && realpathSync(rows[0].directory) === realpathSync(this.cluster.clusterDir))
        return client;
    } catch {
      // It is starting, shutting down, or another server. The caller tries again.
    }
    await client.end().catch(() => undefined);
    return undefined;
  }

  async #own(guard: Client, pid: number, port: number): Promise<void> {
    try {
      if (!(await takeOwnership(guard, this.clock)))
        throw new StartupError([
          `database.dataDir: ${this.cluster.dataDir} is in use by another bot; a directory of its own for each bot was expected`,
        ]);
      await createDatabase(guard);
    } catch (error) {
      await guard.end().catch(() => undefined);
      throw error;
    }
    this.#guard = guard;
    this.#pid = pid;
    this.#port = port;
    guard.once('end', () => void this.#recover());
  }

  /**
   * The owner's connection ended. After a crash of one of its processes the server restarts itself. A server
   * that was killed is started again.
   */
  async #recover(): Promise<void> {
    if (this.#stopped) return;
    this.log('the embedded PostgreSQL was lost; starting it again');
    for (let last = ''; !this.#stopped;) {
      try {
        await this.#acquire();
        if (this.#stopping()) await this.#stop();
        else this.log('the embedded PostgreSQL is back');
        return;
      } catch (error) {
        if (messageOf(error) !== last) this.log(messageOf(error));
        last = messageOf(error);
        await sleep(RECOVERY_PAUSE_MS);
      }
    }
  }
}

/** See {@link EmbeddedPostgres}. @throws StartupError as {@link EmbeddedPostgres.start} does. */
export function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  return EmbeddedPostgres.start(options);
}

async function takeOwnership(guard: Client, clock: Clock): Promise<boolean> {
  const end = clock.monotonicMs() + OWNER_GRACE_MS;
  for (;;) {
    const { rows } = await guard.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [
      OWNER_LOCK,
    ]);
    if (rows[0]?.taken) return true;
    if (clock.monotonicMs() > end) return false;
    await sleep(POLL_MS);
  }
}

async function createDatabase(guard: Client): Promise<void> {
  const { rowCount } = await guard.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
  if (rowCount === 0) await guard.query(`CREATE DATABASE ${DATABASE}`);
}
