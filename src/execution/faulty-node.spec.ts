import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { Wallet } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AnvilProcess } from '../../devnet/anvil.js';
import { RpcClient } from '../../devnet/rpc.js';
import { FakeRpc } from '../../testing/nodes/fake-rpc.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../database/index.js';
import { RetryError } from '../domain/errors.js';
import { Bench, reverting } from '../../testing/execution.js';

const SEND = 'eth_sendRawTransaction';
const RECEIPT = 'eth_getTransactionReceipt';

describe('execution over a faulty node', { timeout: 60_000 }, () => {
  let dataDir: string;
  let database: EmbeddedPostgres;
  let anvil: AnvilProcess;
  /** The only endpoint, in front of the real node. */
  let node: FakeRpc;
  let bench: Bench;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    dataDir = mkdtempSync(join(tmpdir(), 'chimera-faulty-'));
    [database, anvil] = await Promise.all([
      startEmbeddedPostgres({ dataDir }),
      AnvilProcess.start({ chainId: 31337, port: 0, statesKept: 64 }),
    ]);
  });

  beforeEach(async () => {
    await Bench.reset(database);
    node = await FakeRpc.start();
    node.forwardTo(anvil.url);
    bench = await Bench.start({
      rpcUrl: node.url('http'),
      database,
      key: Wallet.createRandom().privateKey,
    });
  });

  afterEach(async () => {
    await bench.close();
    await node.stop();
  });

  afterAll(async () => {
    await anvil.stop();
    await database.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('F05 a reset after the node took the transaction: its hash is looked up, and it is sent once', async () => {
    node.failMethod(SEND, { kind: 'reset' });
    expect(await bench.submit(1)).toMatchObject({ kind: 'submitted', nonce: 0, accepted: false });
    node.failMethod(SEND, undefined);
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ outcome: 'succeeded' }]);
    expect(node.seenOf(SEND)).toHaveLength(1);
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1, accepted: true });
  });

  it('F05 a reset before the node took it: the same bytes go out again, after a look for the hash', async () => {
    node.on(SEND, () => null);
    node.failMethod(SEND, { kind: 'reset' });
    const submission = await bench.submit(1);
    expect(submission).toMatchObject({ kind: 'submitted', accepted: false });
    node.forwardTo(anvil.url);
    node.failMethod(SEND, undefined);
    await bench.mine(2);
    expect(await bench.settle()).toEqual([]);

    const [first, second] = node.seenOf(SEND);
    expect(second).toEqual(first);
    const hash = submission.kind === 'submitted' ? submission.hash : undefined;
    const lookedUp = node.seen.findIndex(({ method, params }) => method === RECEIPT && params[0] === hash);
    expect(lookedUp).toBeGreaterThan(0);
    expect(lookedUp).toBeLessThan(node.seen.findLastIndex(({ method }) => method === SEND));
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ outcome: 'succeeded' }]);
    expect(await bench.count()).toBe(1);
  });

  it('F10 the receipt of another transaction settles nothing; the own one does', async () => {
    const succeeding = await bench.submit(1);
    await bench.submit(2, { data: reverting('0x6d1a9eb5') });
    await bench.mine(2);
    const hash = succeeding.kind === 'submitted' ? succeeding.hash : '0x';
    const foreign = await new RpcClient(anvil.url).call(RECEIPT, [hash]);
    node.on(RECEIPT, () => foreign);
    await expect(bench.settle()).rejects.toBeInstanceOf(RetryError);
    expect(bench.execution.inFlight().size).toBe(2);
    expect(bench.safety.status()).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });

    node.forwardTo(anvil.url);
    const settlements = await bench.settle();
    expect(settlements.map(({ outcome }) => outcome)).toEqual(['succeeded', 'reverted']);
  });

  it('F10 a node that names another hash has not accepted the transaction; what is mined is known by its own', async () => {
    const other = `0x${'cd'.repeat(32)}`;
    node.on(SEND, async ([raw]) => {
      await new RpcClient(anvil.url).call(SEND, [raw]);
      return other;
    });
    const submission = await bench.submit(1);
    expect(submission).toMatchObject({ kind: 'submitted', accepted: false });
    expect(submission).not.toMatchObject({ hash: other });
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ outcome: 'succeeded' }]);
    expect(node.seenOf(SEND)).toHaveLength(1);
  });
});
