import { Interface } from 'ethers';
import { describe, expect, it, vi } from 'vitest';
import { reverting, type Bench } from '../../testing/execution.js';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { RetryError } from '../domain/errors.js';
import type { Hex } from '../domain/hex.js';

const AWAY = new RetryError('the database does not serve');
const PROFIT_BELOW_FLOOR = new Interface([
  'error ProfitBelowFloor(uint256 profit, uint256 floor)',
]).encodeErrorResult('ProfitBelowFloor', [7, 9]) as Hex;

describe('ExecutionService.follow, as a pass does', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile({ statesKept: 256 });
  let bench: Bench;

  const follow = async (): Promise<void> => bench.execution.follow(await bench.chain.getBlock('latest'));
  const minedOf = async (data?: Hex): Promise<string> => {
    bench = await world.start();
    const { executionId } = await bench.submit(1, data === undefined ? {} : { data });
    await bench.mine(2);
    return executionId;
  };

  it('leaves a win to be settled later: until then its position and what it reserved are in flight', async () => {
    const executionId = await minedOf();
    const { reserved } = bench.execution.spending();
    await follow();
    expect(bench.execution.hasLeft).toBe(true);
    expect(bench.execution.inFlight().size).toBe(1);
    expect(bench.execution.spending().reserved).toEqual(reserved);
    // A state at this head shows what it did.
    expect(bench.execution.pendingCalls()).toEqual([]);
    expect(bench.news()).toEqual([]);

    await bench.execution.settled();
    expect(bench.execution.hasLeft).toBe(false);
    expect(bench.news()).toMatchObject([{ executionId, outcome: 'won' }]);
    expect(bench.execution.inFlight().size).toBe(0);
    expect(bench.execution.spending().reserved).toEqual({ feeWei: 0n, lossUsd8: 0n });
    expect(await bench.statusOf(executionId)).toMatch(/^succeeded/);
  });

  it('does not leave a failure: it counts before anything more is signed', async () => {
    const executionId = await minedOf(reverting(PROFIT_BELOW_FLOOR));
    await follow();
    expect(bench.execution.hasLeft).toBe(false);
    expect(bench.news()).toMatchObject([{ executionId, status: 'reverted' }]);
  });

  it('what was left and could not be saved is settled by the next look, which tells why', async () => {
    const executionId = await minedOf();
    await follow();
    const failing = vi.spyOn(bench.outbox, 'settle').mockRejectedValue(AWAY);
    await bench.execution.settled();
    expect(bench.execution.hasLeft).toBe(false);
    expect(bench.execution.inFlight().size).toBe(1);
    await expect(follow()).rejects.toBe(AWAY);
    failing.mockRestore();
    await follow();
    expect(bench.execution.hasLeft).toBe(false);
    expect(bench.news()).toMatchObject([{ executionId, outcome: 'won' }]);
  });

  it('what a pass forgot is settled with the next look, before anything else', async () => {
    const executionId = await minedOf();
    await follow();
    await follow();
    expect(bench.news()).toMatchObject([{ executionId, outcome: 'won' }]);
  });

  it('F15 what was left stays in flight when the chain takes its block back', async () => {
    bench = await world.start({ confirmationBlocks: 0 });
    await bench.mine();
    const fork = await bench.fork();
    await bench.submit(1);
    await bench.mine();
    await follow();
    expect(bench.execution.hasLeft).toBe(true);
    const gone = await bench.reorg(fork, 4);
    await bench.execution.settle(await bench.chain.getBlock('latest'), gone);
    // No endpoint tells any more what it paid in that block.
    expect(bench.news()).toEqual([]);
    expect(bench.execution.inFlight().size).toBe(1);
  });
});
