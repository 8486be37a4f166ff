import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { TestClock } from '../../../testing/fakes/test-clock.js';
import { startFakePool, type FakePool, type FakePoolOptions } from '../../../testing/nodes/fake-pool.js';
import { eventually, html502, NodeRefusal, type FakeRpc } from '../../../testing/nodes/fake-rpc.js';
import { Secret } from '../../domain/secret.js';
import { toNumber } from '../quantities.js';
import { CallReverted, RpcAnswerError, RpcError } from '../rpc-errors.js';
import { timingsOf } from './rpc-options.js';
import { RpcPool } from './rpc-pool.js';
import { faultBegins } from '../../../testing/fault-times.js';

const PRIMARY_HEAD = 100;
const BACKUP_HEAD = 105;
/** The share of each of two endpoints in the deadline of a call. */
const SHARE_MS = 1_000;

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
  backup.onSwallowed = () => clock.advance(2 * SHARE_MS); // the last one has all the time that is left
};

beforeEach(() => start());
afterEach(() => fakes.close());

/** The number tells which endpoint answered, because their heads differ. */
const head = (): Promise<number> => pool.call('eth_blockNumber', [], toNumber);
const stateOf = (role: string): string | undefined =>
  pool.status().find((status) => status.role === role)?.state;
const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.fail('it answered'),
    (error: unknown) => error,
  );

describe('failover', () => {
  it('the primary serves while it can, and the backup is not asked', async () => {
    expect(await head()).toBe(PRIMARY_HEAD);
    expect(backup.requests).toBe(0);
  });

  it('F02 the backup answers the call when the primary is broken', async () => {
    const fault = faultBegins();
    primary.fault = html502;
    expect(await head()).toBe(BACKUP_HEAD);
    fault.detected();
    fault.over();
    primary.fault = undefined;
    expect(await head()).toBe(PRIMARY_HEAD);
    fault.recovered();
  });

  it('F03 the backup answers the call when the answer of the primary does not parse', async () => {
    const fault = faultBegins();
    primary.on('eth_blockNumber', () => null);
    expect(await head()).toBe(BACKUP_HEAD);
    fault.detected();
    fault.over();
    primary.on('eth_blockNumber', () => '0x64');
    expect(await head()).toBe(PRIMARY_HEAD);
    fault.recovered();
  });

  it('F04 when the primary never answers, the backup answers within the deadline of the call, 2 s by default', async () => {
    primary.fault = { kind: 'black-hole' };
    expect(await head()).toBe(BACKUP_HEAD);
    expect(clock.monotonicMs()).toBe(1_000);
    const { deadlineMs } = timingsOf({ chainId: 31337 });
    expect(deadlineMs).toBe(2_000);
  });

  it('a revert is an answer, and the backup is not asked', async () => {
    primary.on('eth_call', () => new NodeRefusal(3, 'execution reverted', '0x01'));
    expect(await failure(pool.call('eth_call', [], String))).toBeInstanceOf(CallReverted);
    expect(backup.requests).toBe(0);
    expect(stateOf('primary')).toBe('ok');
  });

  it('when no endpoint serves, the error tells what each of them did', async () => {
    primary.fault = html502;
    backup.fault = { kind: 'black-hole' };
    const error = await failure(head());
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({
      kind: 'provider',
      message: expect.stringMatching(
        /primary: HTTP 502; backup: no answer to eth_blockNumber within \d+ ms/,
      ) as string,
    });
  });
});

describe('the circuit', () => {
  const failOften = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) await head();
  };

  it('F04 it opens after three failures, and the endpoint is not asked', async () => {
    const fault = faultBegins(() => clock.monotonicMs());
    primary.fault = { kind: 'black-hole' };
    await failOften();
    expect(stateOf('primary')).toBe('circuit-open');
    fault.detected();
    const before = primary.requests;
    expect(await head()).toBe(BACKUP_HEAD);
    expect(primary.requests).toBe(before);
  });

  it('after its rest a probe in the background closes it, no call waits, and the primary serves again', async () => {
    primary.fault = html502;
    await failOften();
    primary.fault = undefined;
    primary.head = BACKUP_HEAD;
    clock.advance(5_000);
    backup.head = BACKUP_HEAD + 1;
    expect(await head()).toBe(BACKUP_HEAD + 1); // still the backup; the probe is on its way
    await eventually(() => stateOf('primary') === 'ok');
    expect(await head()).toBe(BACKUP_HEAD);
  });

  it('a failed probe keeps it open', async () => {
    primary.fault = html502;
    await failOften();
    clock.advance(5_000);
    const before = primary.requests;
    await head();
    await eventually(() => primary.requests === before + 1 && pool.status()[0]?.failed === 4);
    await head();
    expect(stateOf('primary')).toBe('circuit-open');
    expect(primary.requests).toBe(before + 1);
  });

  it('a single endpoint is used even while its circuit is open', async () => {
    await fakes.close();
    await start({ withBackup: false });
    primary.fault = html502;
    for (let i = 0; i < 4; i++) expect(await failure(head())).toBeInstanceOf(RpcError);
    expect(stateOf('primary')).toBe('circuit-open');
    primary.fault = undefined;
    expect(await head()).toBe(PRIMARY_HEAD);
    expect(stateOf('primary')).toBe('ok');
  });
});

describe('F01 rate limits', () => {
  it('F01 the endpoint is not asked before its pause is over, and serves afterwards', async () => {
    const fault = faultBegins(() => clock.monotonicMs());
    primary.fault = { kind: 'status', status: 429, headers: { 'retry-after': '7' } };
    expect(await head()).toBe(BACKUP_HEAD);
    expect(clock.monotonicMs()).toBe(0); // nobody waited
    expect(stateOf('primary')).toBe('paused');
    fault.detected();

    fault.over();
    primary.fault = undefined;
    clock.advance(6_900);
    expect(await head()).toBe(BACKUP_HEAD);
    await pool.probe();
    expect(primary.requests).toBe(1);
    clock.advance(200);
    expect(await head()).toBe(PRIMARY_HEAD);
    fault.recovered();
  });

  it('F01 when all endpoints ask for a pause, nothing is sent and the error tells for how long', async () => {
    primary.fault = { kind: 'status', status: 429, headers: { 'retry-after': '7' } };
    backup.fault = { kind: 'status', status: 429, headers: { 'retry-after': '3' } };
    expect(await failure(head())).toMatchObject({ kind: 'rate-limit', retryAfterMs: 3_000 });
    expect(await failure(head())).toMatchObject({ kind: 'rate-limit', retryAfterMs: 3_000 });
    expect([primary.requests, backup.requests]).toEqual([1, 1]);
  });

  it('F01 when all endpoints limit our rate, a call waits for the shortest pause that leaves it time', async () => {
    primary.fault = { kind: 'status', status: 429 };
    backup.fault = { kind: 'status', status: 429, headers: { 'retry-after': '7' } };
    for (let call = 0; call < 3; call++) {
      primary.fault = { kind: 'status', status: 429 };
      const asked = head();
      await eventually(() => stateOf('primary') === 'paused' && stateOf('backup') === 'paused');
      primary.fault = undefined;
      clock.advance(1_000);
      expect(await asked).toBe(PRIMARY_HEAD);
    }
    expect(backup.requests).toBe(1);
  });

  it('F01 a call that waits for a pause ends when the pool is closed', async () => {
    for (const node of [primary, backup]) node.fault = { kind: 'status', status: 429 };
    const asked = failure(head());
    await eventually(() => stateOf('backup') === 'paused');
    pool.close();
    expect(await asked).toBeInstanceOf(RpcError);
  });
});

describe('F07 nodes that are behind', () => {
  it('F07 a node that is behind but answers is not used until it has caught up', async () => {
    const fault = faultBegins();
    backup.head = PRIMARY_HEAD + 16;
    await pool.probe();
    expect(stateOf('primary')).toBe('out-of-sync');
    fault.detected();
    expect(await head()).toBe(PRIMARY_HEAD + 16);

    fault.over();
    primary.head = PRIMARY_HEAD + 15;
    await pool.probe();
    expect(await head()).toBe(PRIMARY_HEAD + 15);
    fault.recovered();
  });

  it('F07 a node that is behind is not used even when the other one is down', async () => {
    backup.head = PRIMARY_HEAD + 16;
    await pool.probe();
    backup.fault = html502;
    const before = primary.requests;
    expect(await failure(head())).toBeInstanceOf(RpcError);
    expect(primary.requests).toBe(before);
  });

  it('F07 when a node does not have the block, the next one is asked and its health is not affected', async () => {
    primary.on('eth_call', () => new NodeRefusal(-32000, 'header not found'));
    backup.on('eth_call', () => '0x01');
    for (let i = 0; i < 5; i++) expect(await pool.call('eth_call', [], String)).toBe('0x01');
    expect(stateOf('primary')).toBe('ok');
  });

  it('F07 when no node has the block yet, all are asked once more a moment later', async () => {
    let asked = 0;
    primary.on('eth_call', () => (++asked === 1 ? new NodeRefusal(-32000, 'header not found') : '0x02'));
    backup.on('eth_call', () => new NodeRefusal(-32001, 'Resource not found'));
    expect(await pool.call('eth_call', [], String)).toBe('0x02');
    primary.on('eth_call', () => new NodeRefusal(-32000, 'header not found'));
    expect(await failure(pool.call('eth_call', [], String))).toMatchObject({ kind: 'out-of-sync' });
  });
});

describe('F12 the chain id', () => {
  it('F12 the start-up check names each endpoint that cannot be used, and tells which is on another chain', async () => {
    expect(await pool.checkEndpoints()).toEqual([]);
    primary.chainId = 1;
    await backup.stop();
    expect(await pool.checkEndpoints()).toEqual([
      {
        role: 'primary',
        problem: 'rpc.primary answers chain id 1, 31337 was expected',
        wrongChain: true,
      },
      {
        role: 'backup',
        problem: 'rpc.backup cannot be used: connection refused (ECONNREFUSED)',
        wrongChain: false,
      },
    ]);
  });

  it('F12 an endpoint that changes its chain later is not used until it returns to ours', async () => {
    await pool.probe();
    const fault = faultBegins();
    primary.chainId = 1;
    await pool.probe();
    expect(stateOf('primary')).toBe('wrong-chain');
    fault.detected();
    expect(await head()).toBe(BACKUP_HEAD);
    backup.fault = html502;
    expect(await failure(head())).toBeInstanceOf(RpcError); // the other chain is never used
    backup.fault = undefined;
    fault.over();
    primary.chainId = 31337;
    await pool.probe();
    expect(await head()).toBe(PRIMARY_HEAD);
    fault.recovered();
  });

  it('F12 a call starts the probes once the interval has passed', async () => {
    await fakes.close();
    await start({ timings: { probeIntervalMs: 5_000 } });
    primary.chainId = 1;
    expect(await head()).toBe(PRIMARY_HEAD);
    clock.advance(5_000);
    await head();
    await eventually(() => stateOf('primary') === 'wrong-chain');
    expect(primary.seenOf('eth_chainId')).toHaveLength(1);
  });
});

describe('batches', () => {
  const CALLS = [
    { method: 'eth_chainId', params: [], parse: toNumber },
    { method: 'eth_call', params: [], parse: String },
    { method: 'eth_blockNumber', params: [], parse: (raw: unknown) => ({ head: toNumber(raw) }) },
  ] as const;

  it('each call has a value of its own type in one round trip, and a revert is such a value', async () => {
    primary.on('eth_call', () => new NodeRefusal(3, 'execution reverted', '0x01'));
    const [chainId, call, block] = await pool.batch(CALLS);
    const sum: number =
      chainId instanceof RpcAnswerError || block instanceof RpcAnswerError ? 0 : chainId + block.head;
    expect(sum).toBe(31337 + PRIMARY_HEAD);
    expect(call).toBeInstanceOf(CallReverted);
    expect(primary.requests).toBe(1);
  });

  it('F06 when one endpoint answers a batch wrongly, the other serves the whole batch', async () => {
    const fault = faultBegins();
    primary.fault = { kind: 'tampered', tamper: (answers) => answers.slice(1) };
    backup.on('eth_call', () => '0x05');
    expect(await pool.batch(CALLS)).toEqual([31337, '0x05', { head: BACKUP_HEAD }]);
    fault.detected();
    fault.over();
    primary.fault = undefined;
    primary.on('eth_call', () => '0x06');
    expect(await pool.batch(CALLS)).toEqual([31337, '0x06', { head: PRIMARY_HEAD }]);
    fault.recovered();
  });

  it('an empty batch sends nothing', async () => {
    expect(await pool.batch([])).toEqual([]);
    expect(primary.requests).toBe(0);
  });
});

describe('the archive', () => {
  const archived = (): Promise<unknown> =>
    pool.batchAs([{ method: 'eth_blockNumber', params: [], parse: toNumber }], ([head]) => head, {
      archive: true,
    });

  it('it alone serves archive calls, and when it fails the live endpoints are not asked', async () => {
    await fakes.close();
    await start({ withArchive: true });
    fakes.archive.head = 7;
    expect(await archived()).toBe(7);
    fakes.archive.fault = html502;
    expect(await failure(archived())).toMatchObject({ message: 'archive: HTTP 502' });
    expect([primary.requests, backup.requests]).toEqual([0, 0]);
  });

  it('without an archive the live endpoints serve archive calls', async () => {
    expect(await archived()).toBe(PRIMARY_HEAD);
  });
});

describe('the shut-down', () => {
  it('it ends calls in flight at once', async () => {
    primary.fault = { kind: 'black-hole' };
    // No deadline ends, because nothing moves the clock.
    primary.onSwallowed = () => pool.close();
    const error = await failure(pool.call('eth_blockNumber', [], toNumber));
    expect(error).toMatchObject({ message: expect.stringContaining('closed') as string });
  });
});

it('a malformed URL is refused and not shown', () => {
  const make = (http: string) => (): RpcPool =>
    new RpcPool({ chainId: 1, primary: { http: new Secret(http) } });
  for (const url of ['ftp://host/k3y', 'no url k3y', 'http://'])
    expect(make(url)).toThrow(
      'the URL of the primary RPC endpoint is not valid: it must begin with http:// or https://',
    );
});
