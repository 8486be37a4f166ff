import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { HaltError } from '../../domain/errors.js';
import { notApplied } from '../applied-writes.js';
import { Database, rowsFrom } from '../database.js';
import { Execution } from '../entities/execution.js';
import { divergenceStatement, type NewDivergence } from './divergences.js';
import type { NewExecution } from './executions.js';

/** A row that may be written later than it was decided. */
export type RowToWrite =
  | { readonly kind: 'execution'; readonly row: NewExecution }
  | { readonly kind: 'divergence'; readonly row: NewDivergence };

/** It is made once, however often it is tried. */
export type QueuedWrite = RowToWrite & { readonly id: string };

/** Writes that are tried again until they are made. Every method throws as {@link Database.query} does. */
@Injectable()
export class QueuedWritesRepository {
  constructor(private readonly database: Database) {}

  /**
   * Makes those of these writes that have not been made before: all or none.
   *
   * @returns the ids of the new rows of executions, by the id of their write.
   */
  apply(writes: readonly QueuedWrite[]): Promise<ReadonlyMap<string, string>> {
    return this.database.transaction(async (manager) => {
      const fresh = await notApplied(
        manager,
        writes.map(({ id }) => id),
      );
      const ids = new Map<string, string>();
      for (const write of writes) {
        if (!fresh.has(write.id)) continue;
        if (write.kind === 'execution') ids.set(write.id, await insert(manager, write.row));
        else await rowsFrom(manager.queryRunner, ...divergenceStatement(write.row));
      }
      return ids;
    });
  }

  /** A name of this database, in digits: what waits for it must reach no other one. */
  async databaseName(): Promise<string> {
    const [row] = await this.database.query('SELECT id::text FROM database_identity');
    if (row === undefined) throw new HaltError('the identity is missing from the database');
    return String(row.id).slice(0, 8);
  }

  /** Forgets writes that were made long ago: none of them can come again. @returns how many */
  async forget(olderThanDays: number): Promise<number> {
    const rows = await this.database.query(
      `DELETE FROM applied_writes WHERE at < now() - make_interval(days => $1) RETURNING id`,
      [olderThanDays],
    );
    return rows.length;
  }
}

async function insert(manager: EntityManager, row: NewExecution): Promise<string> {
  // TypeORM writes the id into the object that it gets, so it gets a copy.
  const { identifiers } = await manager.insert(Execution, { ...row });
  return String(identifiers[0]?.id);
}
