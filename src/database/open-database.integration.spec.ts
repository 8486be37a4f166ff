import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LEAST, VARIABLES, withSection } from '../../testing/configuration.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { parseConfig, type ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { openAsGuest, openDatabase, openToRead, runningBot } from './open-database.js';

let dataDir: string;
let config: ChimeraConfig;
let events: RecordedEvents;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'chimera-db-'));
  config = parseConfig(withSection('database', `{ embedded: true, dataDir: '${dataDir}' }`), VARIABLES);
  events = new RecordedEvents();
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

describe('the database of a command', () => {
  it('is the embedded server of a running bot as its guest, and is started where none runs', async () => {
    await expect(openToRead(config, events, new Clock())).rejects.toThrow(
      `database.dataDir: there is no database in ${dataDir} yet; the bot makes it`,
    );
    expect(existsSync(join(dataDir, 'cluster'))).toBe(false);
    expect(await openAsGuest(config)).toBeUndefined();

    const owner = await openDatabase(config, events, new Clock());
    const [migrated] = events.named('migrations-run');
    expect(migrated?.names.length).toBeGreaterThan(0);
    const guest = await openToRead(config, events, new Clock());
    expect(await guest.database.query('SELECT count(*) AS count FROM positions')).toEqual([{ count: '0' }]);
    // A command is no bot.
    expect(await runningBot(guest.database, 8453)).toBeUndefined();
    await expect(openDatabase(config, events, new Clock())).rejects.toThrow(/is in use by another bot/);
    await guest.close();
    expect(await owner.database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await owner.close();

    const again = await openToRead(config, events, new Clock());
    expect(await again.database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await again.close();
    expect(await openAsGuest(config)).toBeUndefined();
  });

  it('that does not answer is told in one sentence', async () => {
    const away = parseConfig(LEAST.replace('host: localhost', 'host: 127.0.0.1, port: 1'), VARIABLES);
    for (const open of [openToRead, openDatabase])
      await expect(open(away, events, new Clock())).rejects.toThrow(/127\.0\.0\.1:1/);
  });
});
