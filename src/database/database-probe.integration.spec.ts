import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestDatabase } from '../../testing/database.js';
import { eventually } from '../../testing/eventually.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { OPEN, TcpProxy } from '../../testing/nodes/tcp-proxy.js';
import { Clock } from '../domain/clock.js';
import { DatabaseAvailability } from './availability.js';
import { createDataSource } from './data-source.js';
import { DatabaseProbe } from './database-probe.js';
import { Database } from './database.js';

let running: TestDatabase;
let proxy: TcpProxy;
let source: DataSource;

beforeAll(async () => {
  running = await TestDatabase.start();
  proxy = await TcpProxy.start(running.server);
  const { user, password, database } = running.server;
  source = await createDataSource({
    host: '127.0.0.1',
    port: proxy.port,
    user,
    password,
    database,
  }).initialize();
});

afterAll(async () => {
  await source.destroy();
  await proxy.stop();
  await running.stop();
});

it('F30 the time of an answer is known while it is awaited; silence counts as absence, and ends', async () => {
  const clock = new Clock();
  const availability = new DatabaseAvailability(new RecordedEvents(), clock);
  const probe = new DatabaseProbe(new Database(source, availability), clock);
  await probe.ask();
  expect(availability.isAway).toBe(false);

  proxy.become({ kind: 'silent' });
  const asking = probe.ask();
  await eventually(() => probe.latencyMs > 2_000, 'the answer to be late');
  await asking;
  expect(availability.isAway).toBe(true);
  expect(probe.latencyMs).toBeGreaterThan(2_000);

  proxy.become(OPEN);
  await eventually(async () => {
    await probe.ask();
    return !availability.isAway;
  }, 'the database to be back');
});
