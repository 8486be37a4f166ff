import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExecutionWorld } from '../../../testing/execution-world.js';
import type { Bench } from '../../../testing/execution.js';
import { FakeRelay } from '../../../testing/nodes/fake-relay.js';
import type { Fault } from '../../../testing/nodes/fake-rpc.js';
import { Clock } from '../../domain/clock.js';
import { Secret } from '../../domain/secret.js';
import { Chain } from '../../rpc/chain/chain.js';
import { PrivateRelay, type RelayMethod } from '../../rpc/endpoints/private-relay.js';
import { RpcPool } from '../../rpc/endpoints/rpc-pool.js';
import { PrivateDoor } from './private-door.js';

const KEY = 'Bearer k3y-0f-the-relay';
const BLOCKS = 5;

const FAULTS: readonly [string, Fault][] = [
  ['429', { kind: 'status', status: 429 }],
  ['500', { kind: 'status', status: 500 }],
  ['503', { kind: 'status', status: 503 }],
  ['401', { kind: 'status', status: 401 }],
  ['a web page', { kind: 'body', body: '<html>busy</html>' }],
  ['wrong JSON', { kind: 'body', body: '{"jsonrpc":"2.0","id":1,"result":' }],
  ['another hash', { kind: 'body', body: `{"jsonrpc":"2.0","id":1,"result":"0x${'ab'.repeat(32)}"}` }],
  ['no answer', { kind: 'black-hole' }],
  ['a connection that breaks', { kind: 'reset' }],
];

describe('the private door', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();
  let bench: Bench;
  let relay: FakeRelay;
  let pool: RpcPool;

  const door = (method: RelayMethod = 'eth_sendPrivateTransaction', key = KEY): PrivateDoor => {
    const headers = [{ name: 'Authorization', value: new Secret(key) }];
    const told = { url: new Secret(relay.url), headers, method };
    return new PrivateDoor('relay', new Chain(pool), new PrivateRelay(told, new Clock(), 500), BLOCKS);
  };
  const replaced = () => bench.events.named('transaction-replaced').map(({ kind }) => kind);
  const knownToNodes = async (hash: `0x${string}`): Promise<boolean> =>
    (await bench.chain.getTransaction(hash)) !== undefined;
  /** The chain passes the deadline of every plan, and the clock the time after which a loss is proved. */
  const passDeadline = async (): Promise<void> => {
    await bench.rpc('evm_increaseTime', [601]);
    await bench.mine();
  };
  const proveLoss = async () => {
    await bench.settle();
    bench.clock.putForward(13_000);
    return bench.settle();
  };

  beforeEach(async () => {
    relay = await FakeRelay.start(KEY, world.anvil.url);
    pool = new RpcPool({ chainId: 31337, primary: { http: new Secret(world.anvil.url) } });
  });

  afterEach(async () => {
    pool.close();
    await relay.stop();
  });

  it.each(['eth_sendPrivateTransaction', 'eth_sendRawTransaction'] as const)(
    'by %s a transaction reaches a block, and no node has it before',
    async (method) => {
      bench = await world.start({ doors: [door(method)] });
      relay.conduct = 'never includes';
      const { number } = await bench.chain.getBlock('latest');
      const submission = await bench.submit(1);
      if (submission.kind !== 'submitted') throw new Error('not submitted');
      expect(submission.accepted).toBe(true);
      expect(await knownToNodes(submission.hash)).toBe(false);
      const lastBlock = method === 'eth_sendPrivateTransaction' ? number + BLOCKS : undefined;
      expect([...relay.taken]).toMatchObject([[submission.hash, { lastBlock }]]);
      await relay.include();
      expect(await bench.mineAndSettle()).toMatchObject([{ outcome: 'won', hash: submission.hash }]);
      expect(await bench.outbox.find(31337, bench.signer.address, 0)).toMatchObject({ door: 'relay' });
    },
  );

  it.each(FAULTS)('F57 %s: it stays in flight, is handed over again, and is mined once', async (_, fault) => {
    bench = await world.start({ doors: [door()] });
    relay.fault = fault;
    const submission = await bench.submit(1);
    expect(submission).toMatchObject({ kind: 'submitted', accepted: false, nonce: 0 });
    expect(bench.events.named('transaction-unanswered')).toHaveLength(1);
    relay.fault = undefined;
    await bench.pass(4);
    await new Promise((resolve) => setTimeout(resolve, 1_010)); // the pause after a 429
    const news = [...(await bench.settle()), ...(await bench.mineAndSettle())];
    expect(news).toMatchObject([{ outcome: 'won' }]);
    expect(relay.taken.size).toBe(1);
    expect(await bench.count()).toBe(1);
  });

  it('what it has already is no failure, and is not offered at higher fees before it may be', async () => {
    bench = await world.start({ doors: [door()] });
    relay.conduct = 'never includes';
    relay.fault = { kind: 'reset' }; // it takes it, and cuts the connection
    await bench.submit(1);
    relay.fault = undefined;
    expect(relay.taken.size).toBe(1);
    await bench.pass(4);
    await bench.settle();
    expect(relay.handed).toBe(2);
    expect(bench.events.named('transaction-refused-again')).toEqual([]);
    expect(replaced()).toEqual([]);
  });

  it('F57 never included: after its blocks and its deadline it is gone, without a cancellation, and its nonce serves the next', async () => {
    bench = await world.start({ doors: [door()] });
    relay.conduct = 'never includes';
    const first = await bench.submit(1);
    await bench.mine(BLOCKS);
    await passDeadline();
    expect(await proveLoss()).toMatchObject([{ executionId: first.executionId, status: 'dropped' }]);
    expect(replaced()).toEqual([]);
    expect(await bench.outboxOf(0)).toBe('dropped');
    relay.conduct = 'includes';
    const next = await bench.submit(2);
    expect(next).toMatchObject({ kind: 'submitted', nonce: 0 });
    expect(await bench.mineAndSettle()).toMatchObject([{ outcome: 'won' }]);
    expect(await bench.count()).toBe(1);
  });

  it('past its deadline, but within its blocks: a cancellation leaves by the same door, and is mined', async () => {
    bench = await world.start({ doors: [door()] });
    relay.conduct = 'never includes';
    const { executionId } = await bench.submit(1);
    await passDeadline();
    relay.conduct = 'includes';
    await bench.settle();
    expect(replaced()).toEqual(['cancellation']);
    expect(await bench.mineAndSettle()).toMatchObject([{ executionId, status: 'cancelled' }]);
    expect(relay.taken.size).toBe(2);
  });

  it('F57 several that are never included are gone from the last to the first', async () => {
    bench = await world.start({ doors: [door()] });
    relay.conduct = 'never includes';
    await bench.submitAll(1, 2, 3);
    await bench.mine(BLOCKS);
    await passDeadline();
    for (let round = 0; round < 40 && bench.execution.inFlight().size > 0; round += 1) {
      await bench.settle();
      await bench.pass(3);
    }
    expect(bench.execution.inFlight().size).toBe(0);
    expect(await bench.count()).toBe(0);
    relay.conduct = 'includes';
    expect(await bench.submit(4)).toMatchObject({ kind: 'submitted', nonce: 0 });
  });

  it('after a restart its blocks are counted from the start on', async () => {
    bench = await world.start({ doors: [door()] });
    relay.conduct = 'never includes';
    await bench.submit(1);
    await bench.mine(BLOCKS + 1);
    bench = await world.restart({ doors: [door()] });
    await passDeadline();
    expect(await proveLoss()).toEqual([]);
    await bench.mine(2 * BLOCKS);
    expect(await proveLoss()).toMatchObject([{ status: 'dropped' }]);
  });

  it('F57 a relay that repeats the key it was sent: no event and no row holds it, nor the address', async () => {
    bench = await world.start({ doors: [door('eth_sendPrivateTransaction', 'Bearer wr0ng-and-secret')] });
    const submission = await bench.submit(1);
    expect(submission).toMatchObject({ kind: 'dropped' });
    const rows: unknown = await bench.dataSource.query('SELECT * FROM executions');
    const all = JSON.stringify([submission, bench.events.all, rows], (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    expect(all).toContain('unknown key ***');
    expect(all).not.toMatch(/wr0ng|s3cretPath/);
  });
});
