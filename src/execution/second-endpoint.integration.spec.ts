import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { FakeRpc } from '../../testing/nodes/fake-rpc.js';
import { Bench, reverting, type Settings } from '../../testing/execution.js';

/** The answer of an honest node to calls that succeed. */
const allSucceed = ([{ blockStateCalls }]: readonly [{ blockStateCalls: { calls: unknown[] }[] }]): unknown =>
  blockStateCalls.map(({ calls }) => ({
    calls: calls.map(() => ({ status: '0x1', returnData: '0x', gasUsed: '0x5208', logs: [] })),
  }));

const REVERTING = { data: reverting('0x6d1a9eb5') };

describe('F09 a node that lies about calls', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();
  /** The endpoint that lies, in front of the real node. */
  let primary: FakeRpc;
  let bench: Bench;

  const start = async (settings: Partial<Settings> = {}): Promise<void> => {
    bench = await world.start({ rpcUrl: primary.url('http'), backupUrl: world.anvil.url, ...settings });
  };
  const lie = (): void => {
    primary.on('eth_simulateV1', (params) => allSucceed(params as Parameters<typeof allSucceed>[0]));
    primary.on('eth_call', () => '0x');
  };

  beforeEach(async () => {
    primary = await FakeRpc.start();
    primary.forwardTo(world.anvil.url);
  });

  afterEach(() => primary.stop());

  it('F09 a plan that succeeds only at the primary is rejected: nothing is signed, nothing is sent', async () => {
    await start();
    lie();
    const sign = vi.spyOn(bench.signer, 'sign');
    const { executionId, ...submission } = await bench.submit(1, REVERTING);
    expect(submission).toMatchObject({
      kind: 'rejected',
      reason: 'second-endpoint-disagrees',
      detail: { endpoint: 'backup', minProfit: '1' },
    });
    expect(await bench.statusOf(executionId)).toBe('rejected: second-endpoint-disagrees');
    expect(sign).not.toHaveBeenCalled();
    expect(await bench.outboxOf(0)).toBeUndefined();
    expect(primary.seenOf('eth_sendRawTransaction')).toEqual([]);
    await bench.mine();
    expect(await bench.count()).toBe(0);
    expect(bench.execution.inFlight().size).toBe(0);
    expect(await bench.bookedToday()).toBe(0n);

    // A plan that succeeds at both is sent, with the nonce that the rejected one did not use.
    expect(await bench.submit(1)).toMatchObject({ kind: 'submitted', nonce: 0 });
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ status: 'succeeded' }]);
  });

  it('F09 without a second opinion the same plan is signed and reverts on the chain', async () => {
    await start({ secondOpinion: false });
    lie();
    expect(await bench.submit(1, REVERTING)).toMatchObject({ kind: 'submitted' });
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ status: 'reverted' }]);
  });

  it('F09 a dry run rejects it too', async () => {
    await start({ mode: 'dry-run' });
    lie();
    expect(await bench.submit(1, REVERTING)).toMatchObject({ reason: 'second-endpoint-disagrees' });
    expect(await bench.submit(2)).toMatchObject({ kind: 'dry-run' });
  });

  it('a plan is simulated after the calls in flight, and rejected only for its own revert', async () => {
    await start();
    expect(await bench.submit(1)).toMatchObject({ kind: 'submitted', nonce: 0 });
    lie();
    const seen = primary.seenOf('eth_simulateV1').length;
    expect(await bench.submit(2, REVERTING)).toMatchObject({ reason: 'second-endpoint-disagrees' });
    expect(await bench.submit(3)).toMatchObject({ kind: 'submitted', nonce: 1 });
    const calls = primary
      .seenOf('eth_simulateV1')
      .slice(seen)
      .map(({ params }) => (params as Parameters<typeof allSucceed>[0])[0].blockStateCalls[0]?.calls.length);
    expect(calls).toEqual([2, 2]);
  });

  it('an endpoint that cannot be asked does not stop the plan, and an event tells of it', async () => {
    await start();
    primary.failMethod('eth_simulateV1', { kind: 'status', status: 502 });
    expect(await bench.submit(1)).toMatchObject({ kind: 'submitted', nonce: 0 });
    expect(bench.events.named('second-opinion-unavailable')).toMatchObject([
      { borrower: expect.stringMatching(/^0xb+1$/) as unknown, message: 'primary: HTTP 502' },
    ]);
  });

  it('no endpoint is asked about a plan that safety refuses; a halt while one is asked rejects the plan', async () => {
    await start();
    const asked = primary.seenOf('eth_simulateV1').length;
    await bench.safety.halt('test', 'chimera');
    expect(await bench.submit(1)).toMatchObject({ reason: 'halted' });
    expect(primary.seenOf('eth_simulateV1')).toHaveLength(asked);
    await bench.safety.resume('go on', 'chimera');
    primary.on('eth_simulateV1', async (params) => {
      await bench.safety.halt('meanwhile', 'chimera');
      return allSucceed(params as Parameters<typeof allSucceed>[0]);
    });
    expect(await bench.submit(1)).toMatchObject({ reason: 'halted' });
    expect(await bench.outboxOf(0)).toBeUndefined();
  });
});
