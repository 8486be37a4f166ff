import { executionDetail } from '../api/execution-detail.js';
import { loadRowsConfig, type RowsConfig } from '../config/index.js';
import { ExecutionsRepository, openToRead, type Execution } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { StartupError } from '../domain/errors.js';
import { RemarkedEvents } from './positions-parts.js';
import type { Terminal } from './terminal.js';

/** Tells a row of the executions, by its id. A bot may run. */
export async function explain(
  { id, json = false }: { id: string; json?: boolean },
  terminal: Terminal,
  load: () => Promise<RowsConfig> = loadRowsConfig,
): Promise<number> {
  if (!/^\d{1,18}$/.test(id))
    throw new StartupError([
      `${JSON.stringify(id)} is no execution; its number was expected, as GET /api/v1/executions and the log have it`,
    ]);
  const { database, close } = await openToRead(await load(), new RemarkedEvents(terminal), new Clock());
  let row: Execution | null;
  try {
    row = await new ExecutionsRepository(database).find(id);
  } finally {
    await close();
  }
  if (!row) throw new StartupError([`the database has no execution ${id}`]);
  const detail = executionDetail(row);
  if (json) terminal.print(JSON.stringify(detail, null, 2));
  else {
    const { explanation } = detail;
    const width = Math.max(...explanation.map(({ subject }) => subject.length));
    for (const { subject, text } of explanation) terminal.print(`${subject.padEnd(width)}  ${text}`);
  }
  return 0;
}
