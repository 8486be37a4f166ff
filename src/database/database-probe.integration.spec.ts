import { afterAll, beforeAll, expect, it } from 'vitest';
import { ProxiedDatabase } from '../../testing/database.js';
import { eventually } from '../../testing/eventually.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { OPEN } from '../../testing/nodes/tcp-proxy.js';
import { Clock } from '../domain/clock.js';
import { DatabaseAvailability } from './availability.js';
import { DatabaseProbe } from './database-probe.js';
import { Database } from './database.js';

let running: ProxiedDatabase;

beforeAll(async () => {
  running = await ProxiedDatabase.start();
});

afterAll(() => running.stop());

it('F30 the time of an answer is known while it is awaited; silence counts as absence, and ends', async () => {
  const clock = new Clock();
  const availability = new DatabaseAvailability(new RecordedEvents(), clock);
  const probe = new DatabaseProbe(new Database(running.dataSource, availability), clock);
  await probe.ask();
  expect(availability.isAway).toBe(false);

  running.proxy.become({ kind: 'silent' });
  const asking = probe.ask();
  await eventually(() => probe.latencyMs > 2_000, 'the answer to be late');
  await asking;
  expect(availability.isAway).toBe(true);
  expect(probe.latencyMs).toBeGreaterThan(2_000);

  running.proxy.become(OPEN);
  await eventually(async () => {
    await probe.ask();
    return !availability.isAway;
  }, 'the database to be back');
});
