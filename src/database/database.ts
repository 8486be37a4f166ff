import { Injectable } from '@nestjs/common';
import { Client } from 'pg';
import {
  DataSource,
  type EntityManager,
  type EntityTarget,
  type ObjectLiteral,
  type QueryRunner,
  type Repository,
} from 'typeorm';
import { DatabaseAvailability } from './availability.js';
import { TIMEOUTS, type DatabaseAddress } from './data-source.js';
import { DatabaseAway, databaseError, isPlanLost } from './database-errors.js';
import { LoginScrubber } from './server-words.js';

export type Row = Readonly<Record<string, unknown>>;

/** The only way to the database. Every failure becomes an error whose class says what to do. */
@Injectable()
export class Database {
  private readonly scrub: (text: string) => string;
  private readonly timeouts: DatabaseAddress['timeouts'];

  /** @param availability left out by tools that need no events. */
  constructor(
    private readonly dataSource: DataSource,
    private readonly availability?: DatabaseAvailability,
    { user = '', password, timeouts }: Partial<DatabaseAddress> = {},
  ) {
    const secrets = new LoginScrubber({ user, password });
    this.scrub = (text) => secrets.scrub(text);
    this.timeouts = timeouts;
  }

  /**
   * Runs one parametrised statement, which is a transaction of its own.
   *
   * @throws RetryError when the database cannot be reached or is busy; HaltError when it refused the
   *   statement.
   */
  async query(sql: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> {
    if (this.timeouts === 'transaction')
      return this.transaction(({ queryRunner }) => rowsFrom(queryRunner, sql, parameters));
    return this.#run(() => this.#withRunner((runner) => rowsFrom(runner, sql, parameters)));
  }

  /**
   * As {@link Database.query}, for a long statement that is made again and again: the server plans it once
   * for each connection, under this name. Behind a pooler that gives each transaction another connection it
   * is planned each time, and so where the server has lost its plan, or a migration made it old.
   */
  async prepared(name: string, sql: string, parameters: readonly unknown[]): Promise<readonly Row[]> {
    if (this.timeouts === 'transaction') return this.query(sql, parameters);
    return this.#run(() =>
      this.#withRunner(async (runner) => {
        const connection: unknown = await runner.connect();
        if (!(connection instanceof Client)) throw new TypeError('a connection of another driver');
        try {
          return rowsOf((await connection.query({ name, text: sql, values: [...parameters] })).rows);
        } catch (error) {
          if (!isPlanLost(error)) throw error;
          return rowsFrom(runner, sql, parameters);
        }
      }),
    );
  }

  /** @throws as {@link Database.query}. */
  with<Entity extends ObjectLiteral, Result>(
    entity: EntityTarget<Entity>,
    work: (repository: Repository<Entity>) => Promise<Result>,
  ): Promise<Result> {
    return this.timeouts === 'transaction'
      ? this.transaction((manager) => work(manager.getRepository(entity)))
      : this.#run(() => work(this.dataSource.getRepository(entity)));
  }

  /**
   * Runs `work` in one transaction. After a RetryError it is not known whether it was committed: read before
   * you try again.
   *
   * @throws as {@link Database.query}.
   */
  transaction<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    return this.#run(() =>
      this.dataSource.transaction(async (manager) => {
        if (this.timeouts === 'transaction') await manager.query(SET_TIMEOUTS);
        return work(manager);
      }),
    );
  }

  async #withRunner<Result>(work: (runner: QueryRunner) => Promise<Result>): Promise<Result> {
    const runner = this.dataSource.createQueryRunner();
    try {
      return await work(runner);
    } finally {
      await runner.release();
    }
  }

  async #run<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      const result = await work();
      this.availability?.answered();
      return result;
    } catch (error) {
      const classified = databaseError(error, this.scrub);
      if (classified instanceof DatabaseAway) this.availability?.lost(classified.message);
      throw classified;
    }
  }
}

/** Until the end of the transaction. No query: the transaction may still choose its isolation level. */
const SET_TIMEOUTS = Object.entries(TIMEOUTS)
  .map(([name, ms]) => `SET LOCAL ${name} = ${ms}`)
  .join('; ');

/** The rows of one statement on the connection of a transaction. */
export async function rowsFrom(
  runner: QueryRunner | undefined,
  sql: string,
  parameters: readonly unknown[],
): Promise<Row[]> {
  if (!runner) throw new TypeError('a transaction without a connection');
  const { records } = await runner.query(sql, [...parameters], true);
  return rowsOf(records);
}

function rowsOf(records: readonly unknown[]): Row[] {
  return records
    .filter((record) => typeof record === 'object' && record !== null)
    .map((record) => ({ ...record }));
}
