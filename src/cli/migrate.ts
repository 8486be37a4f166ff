import { loadRowsConfig, type RowsConfig } from '../config/index.js';
import { openDatabase, openRunning, pendingMigrations } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { Events, type BotEvent } from '../domain/events/events.js';
import type { Terminal } from './terminal.js';

export interface MigrateOptions {
  json?: boolean;
  check?: boolean;
}

/** @returns 0; with `check` 1 when the tables are not up to date. */
export async function migrateDatabase(
  { json = false, check = false }: MigrateOptions,
  terminal: Terminal,
  load: () => Promise<RowsConfig> = loadRowsConfig,
): Promise<number> {
  const config = await load();
  const ran: string[] = [];
  const { database, close } = check
    ? await openRunning(config)
    : await openDatabase(config, new HeardMigrations(ran), new Clock());
  let pending: string[];
  try {
    pending = await pendingMigrations(database);
  } finally {
    await close();
  }
  if (json) terminal.print(JSON.stringify({ upToDate: pending.length === 0, ran, pending }, null, 2));
  else if (pending.length > 0) terminal.print(`the tables are not up to date; to run: ${pending.join(', ')}`);
  else if (ran.length > 0) terminal.print(`the tables were brought up to date: ${ran.join(', ')}`);
  else terminal.print('the tables are up to date');
  return pending.length === 0 ? 0 : 1;
}

class HeardMigrations extends Events {
  constructor(private readonly ran: string[]) {
    super();
  }

  emit(event: BotEvent): void {
    if (event.event === 'migrations-run') this.ran.push(...event.names);
  }
}
