import type { EntityManager } from 'typeorm';
import { rowsFrom } from './database.js';

const NOTE = `
INSERT INTO applied_writes (id) SELECT unnest($1::uuid[])
ON CONFLICT (id) DO NOTHING
RETURNING id`;

/**
 * Notes writes in the transaction in which they are made.
 *
 * @returns those that have not been made before: only these are to be made.
 */
export async function notApplied(
  { queryRunner }: EntityManager,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await rowsFrom(queryRunner, NOTE, [ids]);
  return new Set(rows.map(({ id }) => String(id)));
}
