import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Query = (sql: string) => Promise<readonly object[]>;

const SIZE_MB = 24;
const MEBIBYTE = Buffer.alloc(1_048_576, 1);
/** What takes the last of the room; less than a page of a table. */
const SMALL = Buffer.alloc(1_024, 1);

/** The disk of a database, which can be filled. Its tables exist already, and nobody uses them yet. */
export interface FullDisk {
  /** Tables that grow get SQLSTATE 53100 from now on. */
  fill(): Promise<void>;
  makeRoom(): Promise<void>;
  /** Call it after the server has stopped. */
  remove(): void;
}

/**
 * The tables are moved to a file system of a few megabytes. Where this account may not mount one, the server
 * raises the same SQLSTATE for each new row.
 */
export async function fullDiskOf(query: Query): Promise<FullDisk> {
  const directory = mkdtempSync(join(tmpdir(), 'chimera-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m`, 'tmpfs', directory]);
  if (mounted.status !== 0) {
    rmSync(directory, { recursive: true });
    return raisedByTrigger(query);
  }
  const [row] = (await query('SHOW data_directory')) as readonly { readonly data_directory: string }[];
  const { uid, gid } = statSync(row?.data_directory ?? directory);
  chownSync(directory, uid, gid);
  const filler = join(directory, 'filler');
  await query(`CREATE TABLESPACE small LOCATION '${directory}'`);
  await query('ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE small');
  await query('ALTER INDEX ALL IN TABLESPACE pg_default SET TABLESPACE small');
  return {
    fill: () => {
      for (const piece of [MEBIBYTE, SMALL]) while (append(filler, piece));
      return Promise.resolve();
    },
    makeRoom: () => {
      rmSync(filler);
      return Promise.resolve();
    },
    remove: () => {
      spawnSync('umount', [directory]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function append(file: string, bytes: Buffer): boolean {
  try {
    writeFileSync(file, bytes, { flag: 'a' });
    return true;
  } catch {
    return false;
  }
}

async function raisedByTrigger(query: Query): Promise<FullDisk> {
  await query(`CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
  END $$`);
  const tables = ['executions', 'transactions', 'state_transitions'];
  return {
    fill: async () => {
      for (const table of tables)
        await query(
          `CREATE TRIGGER no_room BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION no_room()`,
        );
    },
    makeRoom: async () => {
      for (const table of tables) await query(`DROP TRIGGER no_room ON ${table}`);
    },
    remove: () => undefined,
  };
}
