import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Bench } from '../../testing/execution.js';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { HaltError, RetryError } from '../domain/errors.js';

const A_SECOND_MS = 1_000;

describe('the wallet at rest', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();
  let bench: Bench;

  beforeEach(async () => {
    bench = await world.start();
    await bench.settle();
  });

  afterEach(() => vi.restoreAllMocks());

  it('is looked at about once a second, by a question of two calls', async () => {
    expect(bench.execution.isLookDue).toBe(false);
    bench.clock.putForward(A_SECOND_MS);
    expect(bench.execution.isLookDue).toBe(true);
    const batch = vi.spyOn(bench.pool, 'batch');
    await bench.settle();
    const methods = batch.mock.calls.map(([calls]) => calls.map(({ method }) => method));
    expect(methods).toEqual([['eth_getTransactionCount', 'eth_getBalance']]);
    expect(bench.execution.isLookDue).toBe(false);
  });

  it('is looked at with each head while something is in flight', async () => {
    await bench.submit(1);
    expect(bench.execution.isLookDue).toBe(true);
    await bench.settle();
    expect(bench.execution.isLookDue).toBe(true);
    await bench.mineAndSettle();
    expect(bench.execution.isLookDue).toBe(false);
  });

  it('F15 is looked at with each head again when a reorg takes back what was settled', async () => {
    const fork = await bench.fork();
    await bench.settled(1);
    expect(bench.execution.isLookDue).toBe(false);
    await bench.settle(await bench.reorg(fork, 2));
    expect(bench.execution.isLookDue).toBe(true);
  });

  it('F23 another one uses the key: the next look sees it, and from there on each head looks until it is proved', async () => {
    await bench.sendForeign(0);
    await bench.mine();
    expect(bench.execution.isLookDue).toBe(false);
    bench.clock.putForward(A_SECOND_MS);
    expect(bench.execution.isLookDue).toBe(true);
    await bench.settle();
    expect(bench.execution.isLookDue).toBe(true);
    bench.clock.putForward(5_000);
    await expect(bench.settle()).rejects.toBeInstanceOf(HaltError);
  });

  it('is looked at with the next head after a look that failed', async () => {
    const away = new RetryError('the node is away');
    vi.spyOn(bench.pool, 'batch').mockRejectedValueOnce(away);
    await expect(bench.settle()).rejects.toBe(away);
    expect(bench.execution.isLookDue).toBe(true);
    await bench.settle();
    expect(bench.execution.isLookDue).toBe(false);
  });
});
