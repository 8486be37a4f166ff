import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { RpcClient } from '../../devnet/chain/rpc.js';
import { FakeRpc, NodeRefusal } from '../../testing/nodes/fake-rpc.js';
import { RetryError } from '../domain/errors.js';
import { Bench, reverting } from '../../testing/execution.js';
import { faultBegins } from '../../testing/fault-times.js';

const SEND = 'eth_sendRawTransaction';
const RECEIPT = 'eth_getTransactionReceipt';

describe('execution over a faulty node', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();
  /** The only endpoint, in front of the real node. */
  let node: FakeRpc;
  let bench: Bench;

  beforeEach(async () => {
    node = await FakeRpc.start();
    node.forwardTo(world.anvil.url);
    bench = await world.start({ rpcUrl: node.url('http') });
  });

  afterEach(() => node.stop());

  it('F05 the connection is reset after the node took a transaction: its hash is looked up, and it is sent once', async () => {
    node.failMethod(SEND, { kind: 'reset' });
    expect(await bench.submit(1)).toMatchObject({ kind: 'submitted', nonce: 0, accepted: false });
    expect(bench.events.named('transaction-unanswered')).toHaveLength(1);
    expect(bench.events.named('transaction-sent')).toMatchObject([{ nonce: 0 }]);
    node.failMethod(SEND, undefined);
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ status: 'succeeded' }]);
    expect(node.seenOf(SEND)).toHaveLength(1);
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1, accepted: true });
  });

  it('F05 the connection is reset before the node took it: its hash is looked up, and the same bytes are sent again', async () => {
    node.on(SEND, () => null);
    const fault = faultBegins();
    node.failMethod(SEND, { kind: 'reset' });
    const submission = await bench.submit(1);
    expect(submission).toMatchObject({ kind: 'submitted', accepted: false });
    fault.detected();
    node.forwardTo(world.anvil.url);
    fault.over();
    node.failMethod(SEND, undefined);
    await bench.pass(2);
    expect(await bench.settle()).toEqual([]);

    const [first, second] = node.seenOf(SEND);
    expect(second).toEqual(first);
    const hash = submission.kind === 'submitted' ? submission.hash : undefined;
    const lookedUp = node.seen.findIndex(({ method, params }) => method === RECEIPT && params[0] === hash);
    expect(lookedUp).toBeGreaterThan(0);
    expect(lookedUp).toBeLessThan(node.seen.findLastIndex(({ method }) => method === SEND));
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ status: 'succeeded' }]);
    fault.recovered();
    expect(await bench.count()).toBe(1);
  });

  it('F10 the receipt of another transaction settles nothing; its own receipt does', async () => {
    const succeeding = await bench.submit(1);
    await bench.submit(2, { data: reverting('0x6d1a9eb5') });
    await bench.mine(2);
    const hash = succeeding.kind === 'submitted' ? succeeding.hash : '0x';
    const foreign = await new RpcClient(world.anvil.url).call(RECEIPT, [hash]);
    const fault = faultBegins();
    node.on(RECEIPT, () => foreign);
    await expect(bench.settle()).rejects.toBeInstanceOf(RetryError);
    fault.detected();
    expect(bench.execution.inFlight().size).toBe(2);
    expect(bench.safety.status()).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });

    fault.over();
    node.forwardTo(world.anvil.url);
    expect(await bench.settle()).toMatchObject([{ status: 'succeeded' }, { status: 'reverted' }]);
    fault.recovered();
  });

  it('F10 a node that names another hash has not accepted the transaction, which is then found by its own hash', async () => {
    const other = `0x${'cd'.repeat(32)}`;
    node.on(SEND, async ([raw]) => {
      await new RpcClient(world.anvil.url).call(SEND, [raw]);
      return other;
    });
    const submission = await bench.submit(1);
    expect(submission).toMatchObject({ kind: 'submitted', accepted: false });
    expect(submission).not.toMatchObject({ hash: other });
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ status: 'succeeded' }]);
    expect(node.seenOf(SEND)).toHaveLength(1);
  });

  describe('F44 a node that refuses a transaction and has taken it', () => {
    /** @returns the execution, which is dropped */
    async function refused(words: string): Promise<string> {
      node.on(SEND, async ([raw]) => {
        await new RpcClient(world.anvil.url).call(SEND, [raw]);
        return new NodeRefusal(-32000, words);
      });
      const { executionId } = await bench.submit(1);
      expect(await bench.statusOf(executionId)).toBe(`dropped: every node refused it: ${words}`);
      node.forwardTo(world.anvil.url);
      return executionId;
    }

    async function expectBooked(executionId: string): Promise<void> {
      await bench.mine(2);
      await bench.settle();
      expect(await bench.executions.find(executionId)).toMatchObject({ status: 'succeeded', reason: null });
      expect(bench.safety.status()).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });
    }

    it.each([
      'insufficient funds for gas * price + value: have 1 want 2',
      'tx fee (1.63 ether) exceeds the configured cap (1.00 ether)',
      'the stars are not right',
    ])('with "%s": it is booked when it is mined', async (words) => {
      await expectBooked(await refused(words));
      expect(bench.execution.inFlight().size).toBe(0);
    });

    it('and the next plan takes its nonce: one of them is booked, and the lane goes on', async () => {
      const first = await refused('the stars are not right');
      const second = await bench.submit(2);
      expect(second).toMatchObject({ kind: 'submitted', nonce: 0, accepted: false });
      await expectBooked(first);
      expect(await bench.executions.find(second.executionId)).toMatchObject({
        status: 'dropped',
        outcome: 'stale',
      });
      expect(await bench.submit(3)).toMatchObject({ kind: 'submitted', nonce: 1, accepted: true });
      await bench.mine(2);
      expect(await bench.settle()).toMatchObject([{ status: 'succeeded' }]);
    });
  });
});
