import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ambient } from '../../testing/ambient.js';
import { VARIABLES, withSection } from '../../testing/configuration.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { ChimeraConfigModule, parseConfig, type ChimeraConfig, type Variables } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { StartupError } from '../domain/errors.js';
import { Events } from '../domain/events/events.js';
import { checkDatabase } from './check-database.js';
import { DatabaseModule } from './database.module.js';
import { DatabaseServer } from './database-server.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../embedded-postgres/index.js';
import { readPostmaster } from '../embedded-postgres/postmaster.js';
import { ExecutionsRepository } from './repositories/executions.js';

const { RPC_PRIMARY_HTTP } = VARIABLES;
const configOf = (database: string, variables: Variables = {}): ChimeraConfig =>
  parseConfig(withSection('database', database), { RPC_PRIMARY_HTTP, ...variables });

describe('DatabaseModule', { timeout: 60_000 }, () => {
  let dataDir: string;

  beforeAll(() => {
    Logger.overrideLogger(false);
    dataDir = mkdtempSync(join(tmpdir(), 'chimera-module-'));
  });

  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  it('starts its own server, migrates, and stops it after the pool is closed', async () => {
    const config = configOf(`{ embedded: true, dataDir: '${dataDir}' }`);
    expect(await checkDatabase(config)).toEqual([]);
    @Module({ imports: [ChimeraConfigModule.forRoot(() => config), Ambient, DatabaseModule] })
    class App {}
    const app = await NestFactory.createApplicationContext(App);
    expect(await app.get(ExecutionsRepository, { strict: false }).count()).toBe(0);
    const dataSource = app.get(DataSource, { strict: false });
    const events = app.get<Events, RecordedEvents>(Events, { strict: false });
    expect(events.named('migrations-run')[0]?.names[0]).toMatch(/^Initial/);
    expect(readPostmaster(join(dataDir, 'cluster'))?.pid).toBeGreaterThan(0);
    await app.close();
    expect(dataSource.isInitialized).toBe(false);
    expect(readPostmaster(join(dataDir, 'cluster'))).toBeUndefined();
  });

  describe('an external server', () => {
    let server: EmbeddedPostgres;
    let silent: Server;
    const at = (port: number, name = 'chimera'): string =>
      `{ host: 127.0.0.1, port: ${port}, name: ${name} }`;
    const login = (): Variables => ({ DB_USER: server.user, DB_PASSWORD: server.password.reveal() });

    beforeAll(async () => {
      server = await startEmbeddedPostgres({ dataDir });
      silent = createServer().listen(0, '127.0.0.1');
      await once(silent, 'listening');
    });

    afterAll(async () => {
      silent.close();
      await server.stop();
    });

    it('that can be used has no problems', async () => {
      expect(await checkDatabase(configOf(at(server.port), login()))).toEqual([]);
    });

    it('that is not there, does not answer, refuses the login or lacks the database gives one sentence, no secret', async () => {
      const wrong = { DB_USER: 'someone-else', DB_PASSWORD: 'a-wrong-password' };
      const address = silent.address();
      const silentPort = address !== null && typeof address === 'object' ? address.port : 0;
      const where = `database at 127.0.0.1:${server.port}`;
      const cases: (readonly [ChimeraConfig, string])[] = [
        [configOf(at(1), login()), 'database at 127.0.0.1:1 cannot be reached: the connection was refused'],
        [
          configOf(at(silentPort), login()),
          `database at 127.0.0.1:${silentPort} cannot be reached: no answer within 2 s`,
        ],
        [
          configOf(at(server.port), wrong),
          `${where} refuses the login; the user and the password of DB_USER and DB_PASSWORD were expected to be its own`,
        ],
        [configOf(at(server.port), { DB_USER: 'chimera' }), `${where} asks for a password; set DB_PASSWORD`],
        [
          configOf(at(server.port, 'other'), login()),
          `${where} has no database "other"; create it, or name another in database.name`,
        ],
      ];
      for (const [config, sentence] of cases) {
        expect(await checkDatabase(config)).toEqual([sentence]);
        const error: unknown = await DatabaseServer.open(config, new RecordedEvents(), new Clock()).catch(
          (reason: unknown) => reason,
        );
        expect(error).toBeInstanceOf(StartupError);
        expect(error).toMatchObject({ problems: [sentence] });
      }
    });
  });
});
