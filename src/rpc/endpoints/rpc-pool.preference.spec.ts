import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { TestClock } from '../../../testing/fakes/test-clock.js';
import { startFakePool, type FakePool, type FakePoolOptions } from '../../../testing/nodes/fake-pool.js';
import { eventually, html502, type FakeRpc } from '../../../testing/nodes/fake-rpc.js';
import { Clock } from '../../domain/clock.js';
import { toNumber } from '../quantities.js';
import type { EndpointStatus, RpcPool } from './rpc-pool.js';

const PRIMARY_HEAD = 100;
const BACKUP_HEAD = 105;
/** The share of each of two endpoints in the deadline of a call. */
const SHARE_MS = 100;

let clock: TestClock;
let fakes: FakePool;
let pool: RpcPool;
let primary: FakeRpc;
let backup: FakeRpc;

const start = async (options?: FakePoolOptions): Promise<void> => {
  clock = new TestClock();
  const timings = { deadlineMs: 2 * SHARE_MS, probeDeadlineMs: SHARE_MS, ...options?.timings };
  fakes = await startFakePool({ clock, ...options, timings });
  ({ pool, primary, backup } = fakes);
  primary.head = PRIMARY_HEAD;
  backup.head = BACKUP_HEAD;
  // Who waits for an answer that does not come waits until its deadline is over.
  primary.onSwallowed = () => clock.advance(SHARE_MS);
};

beforeEach(() => start());
afterEach(() => fakes.close());

/** The number tells which endpoint answered, because their heads differ. */
const head = (): Promise<number> => pool.call('eth_blockNumber', [], toNumber);
const statusOf = (role: string): EndpointStatus | undefined =>
  pool.status().find((status) => status.role === role);

describe('return to the primary', () => {
  it.each([
    ['F02 a primary that answered with web pages', html502],
    ['F03 a primary whose answers were cut off', { kind: 'truncated' }],
    ['F04 a primary that never answered', { kind: 'black-hole' }],
    ['F05 a primary that reset connections', { kind: 'reset' }],
  ] as const)('%s serves again with the first probe that it answers', async (_name, fault) => {
    primary.fault = fault;
    for (let i = 0; i < 3; i++) expect(await head()).toBe(BACKUP_HEAD);
    expect(statusOf('primary')?.state).toBe('circuit-open');
    for (let i = 0; i < 10; i++) {
      clock.advance(5_000);
      await pool.probe(); // an outage of a minute
    }
    primary.fault = undefined;
    clock.advance(5_000);
    await pool.probe();
    expect(await head()).toBe(PRIMARY_HEAD);
    expect(statusOf('primary')).toMatchObject({ state: 'ok', struggling: false });
  });

  it('F04 after a second outage right after the first the backup serves until the primary has answered for a while', async () => {
    for (let outage = 1; outage <= 2; outage++) {
      primary.fault = { kind: 'black-hole' };
      for (let i = 0; i < 3; i++) expect(await head()).toBe(BACKUP_HEAD);
      primary.fault = undefined;
      clock.advance(5_000);
      await pool.probe();
    }
    expect(statusOf('primary')).toMatchObject({ state: 'ok', struggling: true });
    expect(await head()).toBe(BACKUP_HEAD);
    for (let i = 0; i < 20; i++) await pool.probe();
    expect(await head()).toBe(PRIMARY_HEAD);
  });
});

describe('a struggling endpoint is asked second', () => {
  it('an endpoint that fails often is asked second until it has answered for a while', async () => {
    for (let i = 0; i < 12; i++) {
      primary.fault = i % 2 === 0 ? html502 : undefined;
      await head();
    }
    primary.fault = undefined;
    expect(statusOf('primary')).toMatchObject({ state: 'ok', struggling: true });
    expect(await head()).toBe(BACKUP_HEAD);
    backup.fault = html502;
    expect(await head()).toBe(PRIMARY_HEAD); // the only endpoint that answers
    backup.fault = undefined;
    for (let i = 0; i < 20; i++) await pool.probe();
    expect(await head()).toBe(PRIMARY_HEAD);
  });

  it('an endpoint that is far slower than the other is asked second until it is fast again', async () => {
    await fakes.close();
    await start({ timings: { deadlineMs: 20_000, probeDeadlineMs: 20_000 }, clock: new Clock() });
    const probedUntil = async (struggling: boolean): Promise<void> => {
      while (statusOf('primary')?.struggling !== struggling) await pool.probe();
    };
    primary.fault = { kind: 'slow', ms: 400 };
    await probedUntil(true);
    expect(statusOf('primary')).toMatchObject({ state: 'ok' });
    primary.fault = undefined;
    expect(await head()).toBe(BACKUP_HEAD);
    await probedUntil(false);
    expect(await head()).toBe(PRIMARY_HEAD);
  });

  it('the primary is asked first when both are struggling', async () => {
    for (let i = 0; i < 6; i++) {
      for (const node of [primary, backup]) node.fault = html502;
      await expect(head()).rejects.toThrow('HTTP 502');
      for (const node of [primary, backup]) node.fault = undefined;
      await pool.probe();
    }
    expect(pool.status().map(({ struggling }) => struggling)).toEqual([true, true]);
    expect(await head()).toBe(PRIMARY_HEAD);
  });
});

describe('F07 heads seen elsewhere', () => {
  const FAR = PRIMARY_HEAD + 50;

  it('F07 they reveal a primary that is behind before the next probe, and it serves again when it has caught up', async () => {
    await pool.probe();
    clock.advance(1_000);
    backup.head = FAR;
    pool.sawHead(FAR);
    await eventually(() => statusOf('primary')?.state === 'out-of-sync');
    expect(await head()).toBe(FAR);

    primary.head = FAR + 1;
    clock.advance(1_000);
    pool.sawHead(FAR + 1);
    await eventually(() => statusOf('primary')?.state === 'ok');
    expect(await head()).toBe(FAR + 1);
  });

  it('F07 a node whose last probe is old is probed, and goes on serving', async () => {
    await pool.probe();
    clock.advance(1_000);
    primary.head = FAR;
    pool.sawHead(FAR);
    await eventually(() => statusOf('primary')?.head === FAR);
    expect(statusOf('primary')?.state).toBe('ok');
    expect(await head()).toBe(FAR);
  });

  it('F07 a node that is behind is probed once a second, not at every head', async () => {
    await pool.probe();
    const asked = (): number => primary.seenOf('eth_chainId').length;
    const before = asked();
    clock.advance(1_000);
    for (let number = FAR; number < FAR + 10; number++) {
      pool.sawHead(number);
      await eventually(() => statusOf('primary')?.state === 'out-of-sync');
    }
    expect(asked()).toBe(before + 1);
    clock.advance(1_000);
    pool.sawHead(FAR + 10);
    await eventually(() => asked() === before + 2);
  });

  it('F07 a single endpoint that is behind the seen head is not used', async () => {
    await fakes.close();
    await start({ withBackup: false });
    await pool.probe();
    clock.advance(1_000);
    pool.sawHead(FAR);
    await eventually(() => statusOf('primary')?.state === 'out-of-sync');
    await expect(head()).rejects.toThrow('no endpoint may be used now: primary is out-of-sync');
  });

  it('a seen head that no endpoint confirms is forgotten after ten seconds', async () => {
    await pool.probe();
    clock.advance(1_000);
    pool.sawHead(1_000_000_000);
    await eventually(() => pool.status().every(({ state }) => state === 'out-of-sync'));
    clock.advance(10_000);
    await pool.probe();
    expect(await head()).toBe(PRIMARY_HEAD);
  });
});
