/** Chain, database and bot together, as the demo, the end-to-end tests and the benchmarks need them. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import type { EmbeddedPostgres } from '../../src/embedded-postgres/index.js';
import { readPostmaster, stopPostmaster } from '../../src/embedded-postgres/postmaster.js';
import type { BotEvent } from '../../src/domain/events/events.js';
import { type Borrower, demoBorrowers } from '../borrowers/borrowers.js';
import { Devnet, operatorPrivateKey, type DevnetOptions } from '../devnet.js';
import { botConfig, type BotSettings, newApiKeys } from './bot-config.js';
import { BotProcess } from './bot-process.js';
import { startPostgres } from './postgres.js';

export interface StackOptions {
  readonly borrowers?: readonly Borrower[];
  readonly settings?: BotSettings;
  /** As in {@link BotProcessOptions}. */
  readonly shipped?: boolean;
  /** Default: that of a local chain. */
  readonly chainId?: number;
  /** Its database and its directory of journals are used: it is to be stopped after this one. */
  readonly beside?: Stack | Promise<Stack>;
  readonly statesKept?: DevnetOptions['statesKept'];
  readonly onProgress?: (step: string) => void;
}

/** What an API call answered. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

export class Stack {
  readonly keys = newApiKeys();
  /** The bot that runs, or ran last. */
  bot: BotProcess | undefined;
  readonly #bots: BotProcess[] = [];
  #database: Pool | undefined;

  private constructor(
    readonly devnet: Devnet,
    readonly borrowers: readonly Borrower[],
    readonly postgres: EmbeddedPostgres,
    private readonly directory: string,
    private readonly settings: BotSettings,
    private readonly shipped: boolean | undefined,
    private readonly beside: Stack | undefined,
  ) {}

  static async start(options: StackOptions = {}): Promise<Stack> {
    const { borrowers = demoBorrowers(), settings = {}, onProgress = () => undefined } = options;
    const { chainId, statesKept } = options;
    const directory = await mkdtemp(join(tmpdir(), 'chimera-stack-'));
    // PostgreSQL refuses root: another user has to reach its directory inside this one.
    await chmod(directory, 0o755);
    let devnet: Devnet | undefined;
    try {
      onProgress('starting PostgreSQL');
      const besideStarting = Promise.resolve(options.beside);
      const starting = besideStarting.then(
        (other) => other?.postgres ?? startPostgres(join(directory, 'postgres')),
      );
      const chainStarting = Devnet.start({
        onProgress,
        ...(chainId !== undefined && { chainId }),
        ...(statesKept !== undefined && { statesKept }),
      });
      // Side by side; a failure of the second must not leave the first running unnoticed.
      const [postgres, chain] = await Promise.allSettled([starting, chainStarting]);
      if (chain.status === 'fulfilled') devnet = chain.value;
      if (postgres.status === 'rejected') throw postgres.reason;
      if (!devnet) {
        if (options.beside === undefined) await postgres.value.stop();
        throw (chain as PromiseRejectedResult).reason;
      }
      onProgress(`opening ${borrowers.length} positions`);
      await devnet.openPositions(borrowers);
      const { shipped } = options;
      return new Stack(devnet, borrowers, postgres.value, directory, settings, shipped, await besideStarting);
    } catch (error) {
      await devnet?.stop();
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /**
   * Starts the bot; resolves when it listens to heads and knows every borrower.
   * @throws Error with its log's tail
   */
  async startBot(onEvent?: (event: BotEvent) => void, settings?: BotSettings): Promise<BotProcess> {
    const bot = await this.launchBot(onEvent, settings);
    const ready = ['bot-started', 'backfill-finished', 'api-listening'] as const;
    await Promise.all(ready.map((event) => bot.waitFor(event)));
    return bot;
  }

  /**
   * Starts the bot as a process, and does not wait for it.
   *
   * @param onLine told the lines of its output that are no events
   */
  async launchBot(
    onEvent?: (event: BotEvent) => void,
    settings: BotSettings = {},
    onLine?: (line: string) => void,
  ): Promise<BotProcess> {
    const file = join(this.directory, 'chimera.yaml');
    const { host, port, database, user, password } = this.postgres;
    const all = { ...this.settings, ...settings };
    const journalDir = join(this.beside?.directory ?? this.directory, 'journal');
    const address = { host, port: all.databasePort ?? port, database, journalDir };
    await writeFile(file, botConfig(this.devnet, address, this.keys, all));
    const bot = new BotProcess({
      environment: {
        CHIMERA_CONFIG: file,
        RPC_PRIMARY_HTTP: this.devnet.rpcUrl,
        RPC_PRIMARY_WS: this.devnet.wsUrl,
        DB_USER: user,
        DB_PASSWORD: password.reveal(),
        OPERATOR_PRIVATE_KEY: operatorPrivateKey,
        ...all.variables,
      },
      onEvent,
      onLine,
      shipped: this.shipped,
    });
    this.bot = bot;
    this.#bots.push(bot);
    return bot;
  }

  /** Where the API of the bot that was launched last listens. */
  get apiUrl(): string {
    if (!this.bot) throw new Error('the bot was not started');
    return this.bot.apiUrl;
  }

  /** A call of the operator REST API, of the bot that was launched last unless another one is named. */
  async api(
    path: string,
    options: { readonly key?: string; readonly body?: object; readonly bot?: BotProcess } = {},
  ): Promise<ApiAnswer> {
    const { key = this.keys.operator, body, bot } = options;
    const response = await fetch(`${bot?.apiUrl ?? this.apiUrl}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(5_000),
    });
    return { status: response.status, body: await response.json() };
  }

  /** Rows of the bot's own database, read past everything that stands between it and the bot. */
  async query<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    if (!this.#database) {
      const { host, port, database, user, password } = this.postgres;
      this.#database = new Pool({ host, port, database, user, password: password.reveal(), max: 2 });
      this.#database.on('error', () => undefined); // The server is stopped by us, and the next query connects.
    }
    const { rows } = await this.#database.query<Row>(sql, [...values]);
    return rows;
  }

  /** Ends the database server, which then starts again by itself, on the same port. */
  async restartDatabase(): Promise<void> {
    const postmaster = readPostmaster(join(this.directory, 'postgres', 'cluster'));
    if (postmaster) await stopPostmaster(postmaster.pid);
  }

  /** Ends bots, chain and database, in this order, and removes their files. */
  async stop(): Promise<void> {
    await Promise.all(this.#bots.map((bot) => bot.stop()));
    await this.#database?.end();
    await this.devnet.stop();
    if (!this.beside) await this.postgres.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}
