import { describe, expect, it, vi } from 'vitest';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { HaltError, RetryError } from '../domain/errors.js';
import { toAddress, type Hash, type Hex } from '../domain/hex.js';
import { positionKey } from '../domain/position-id.js';
import { CHIMERA, MARKET, USD } from '../../testing/builders/plan.js';
import {
  answering,
  Bench,
  reverting,
  STAND_IN_CODE,
  type Fork,
  type Settings,
} from '../../testing/execution.js';

const AWAY = new RetryError('the database does not serve');
/** Contract code that reverts without a reason. */
const REVERTS: Hex = '0x5f5ffd';
const NOTIONAL = 100n * USD;
const keyOf = ({ borrower }: { readonly borrower: string }): string =>
  positionKey({ market: MARKET, borrower: toAddress(borrower) });
/** The event of an execution that is reopened. */
const reopened = (was: 'succeeded' | 'reverted', reported = true) => ({
  event: 'execution-reopened',
  was,
  reported,
});

describe('F15 a settled transaction whose block a reorg takes back', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile({ statesKept: 256 });
  let bench: Bench;
  let fork: Fork;

  const start = async (settings: Partial<Settings> = {}): Promise<void> => {
    bench = await world.start({ confirmationBlocks: 0, ...settings });
    await mark();
  };
  const restart = async (): Promise<void> => {
    bench = await world.restart();
  };
  /** Branches that {@link reorg} makes differ from the next block on. */
  const mark = async (): Promise<void> => {
    await bench.mine();
    fork = await bench.fork();
  };
  const reorg = (blocks = 4): Promise<Hash[]> => bench.reorg(fork, blocks);
  const rowOf = (nonce: number) => bench.outbox.find(31337, bench.signer.address, nonce);
  /** The day's volume. Memory and rows must agree on it. */
  const booked = async (): Promise<bigint> => {
    const inRows = await bench.bookedToday();
    expect(bench.safety.volume.todayUsd8).toBe(inRows);
    return inRows;
  };
  const failures = (): number => bench.safety.status().consecutiveFailures;

  it.each([0, 1])(
    'is in flight again, and settled again by the new branch (confirmationBlocks: %i)',
    async (confirmationBlocks) => {
      await start({ confirmationBlocks });
      const { executionId, hash, settlement } = await bench.settled(1);
      const before = await bench.executions.find(executionId);
      expect(settlement).toMatchObject({ status: 'succeeded' });
      const gone = await reorg();

      const sent = vi.spyOn(bench.chain, 'sendRawTransactions');
      const [first, ...others] = await bench.settle(gone);
      expect(others).toEqual([]);
      expect(first).toEqual({
        ...reopened('succeeded'),
        executionId,
        borrower: settlement.borrower,
        hash,
        block: settlement.block,
        realisedProfitUsd8: settlement.realisedProfitUsd8,
      });
      expect(await bench.outboxRows()).toEqual([`0 ${hash} broadcast`]);
      expect(await rowOf(0)).toMatchObject({ blockNumber: null, blockHash: null });
      expect(await bench.executions.find(executionId)).toMatchObject({
        status: 'submitted',
        txHash: hash,
        reason: null,
        realisedProfit: null,
        realisedProfitUsd8: null,
        settledAt: null,
        headToSendUs: before?.headToSendUs,
      });
      expect([...bench.execution.inFlight()]).toEqual([keyOf(settlement)]);
      expect(bench.execution.pendingCalls()).toHaveLength(1);
      expect(await booked()).toBe(NOTIONAL);
      expect(sent.mock.calls.flatMap(([all]) => all.map((one) => one.hash))).toEqual([hash]);

      const [again] = await bench.mineAndSettle();
      if (again?.event !== 'execution-settled') throw new Error('not settled again');
      expect(again).toEqual({
        ...settlement,
        block: again.block,
        realisedProfitUsd8: again.realisedProfitUsd8,
        fees: again.fees, // another base fee
      });
      expect(again.block).toBeGreaterThan(settlement.block ?? 0);
      const receipt = await bench.chain.getTransactionReceipt(hash);
      expect(await rowOf(0)).toMatchObject({ status: 'mined', blockHash: receipt?.blockHash });
      expect(await bench.executions.find(executionId)).toMatchObject({
        status: 'succeeded',
        realisedProfit: before?.realisedProfit,
        realisedProfitUsd8: BigInt(again.realisedProfitUsd8 ?? 0),
      });
      expect(await booked()).toBe(NOTIONAL);
      expect(await bench.settle()).toEqual([]);
      expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1 });
    },
  );

  it('is reopened and settled in one look when the new branch already has it', async () => {
    await start();
    const { executionId, hash, settlement } = await bench.settled(1);
    const row = await rowOf(0);
    const tip = await bench.chain.getBlock('latest');
    // The second of the two new blocks has the transaction.
    await bench.mine();
    await bench.rpc('anvil_reorg', [2, [[row?.raw, 1]]]);
    expect(await bench.settle([tip.hash])).toMatchObject([
      reopened('succeeded'),
      { executionId, hash, status: 'succeeded', block: (settlement.block ?? 0) + 1 },
    ]);
    expect(await booked()).toBe(NOTIONAL);
    expect(bench.execution.inFlight().size).toBe(0);
  });

  it('a success that reverts on the new branch counts as a failure, on top of the failures before it', async () => {
    await start({ limits: { maxConsecutiveFailures: 5 } });
    await bench.settled(1, { data: reverting('0x') });
    await bench.settled(2, { data: reverting('0x') });
    expect(failures()).toBe(2);
    await mark();
    const { executionId, hash } = await bench.settled(3);
    expect([failures(), bench.safety.status().state]).toEqual([0, 'NORMAL']);
    expect(await booked()).toBe(NOTIONAL);

    expect(await bench.settle(await reorg())).toMatchObject([reopened('succeeded')]);
    expect([failures(), bench.safety.status().state]).toEqual([2, 'THROTTLED']);
    await bench.rpc('anvil_setCode', [CHIMERA, REVERTS]);
    expect(await bench.mineAndSettle()).toMatchObject([{ executionId, hash, status: 'reverted' }]);
    expect(await bench.executions.find(executionId)).toMatchObject({
      status: 'reverted',
      realisedProfit: null,
    });
    expect(failures()).toBe(3);
    expect(await booked()).toBe(0n);
    expect(await bench.settle()).toEqual([]);
  });

  it('a failure that succeeds on the new branch counts in the volume of the day, and no longer as a failure', async () => {
    await start();
    await bench.rpc('anvil_setCode', [CHIMERA, REVERTS]);
    await mark();
    const { executionId, hash } = await bench.settled(1);
    expect(await bench.statusOf(executionId)).toMatch(/^reverted/);
    expect([failures(), await booked()]).toEqual([1, 0n]);

    const gone = await reorg();
    await bench.rpc('anvil_setCode', [CHIMERA, STAND_IN_CODE]);
    expect(await bench.settle(gone)).toMatchObject([reopened('reverted')]);
    expect(await bench.statusOf(executionId)).toBe('submitted');
    expect([failures(), await booked()]).toEqual([0, NOTIONAL]);
    expect(bench.safety.status().state).toBe('NORMAL');
    expect(await bench.mineAndSettle()).toMatchObject([{ executionId, hash, status: 'succeeded' }]);
    expect([failures(), await booked()]).toEqual([0, NOTIONAL]);
    expect(await bench.outboxRows()).toEqual([`0 ${hash} mined`]);
  });

  it('is dropped after its deadline when no node has it, and its nonce serves the next intent', async () => {
    await start();
    const { executionId, hash } = await bench.settled(1);
    vi.spyOn(bench.chain, 'sendRawTransactions').mockImplementation(
      answering({ kind: 'unknown', detail: 'no answer' }),
    );
    const gone = await reorg();
    expect(await bench.settle(gone)).toMatchObject([reopened('succeeded')]);
    // The chain counts one transaction fewer than was settled. That is no reason to halt.
    bench.clock.putForward(11_000);
    expect(await bench.mineAndSettle()).toEqual([]);
    await bench.rpc('evm_increaseTime', [601]);
    expect(await bench.mineAndSettle()).toEqual([]);
    bench.clock.putForward(13_000);
    expect(await bench.settle()).toMatchObject([{ executionId, hash, status: 'dropped' }]);
    expect(await bench.statusOf(executionId)).toBe('dropped: it was not mined before its deadline');
    expect([failures(), await booked()]).toEqual([0, 0n]);
    vi.restoreAllMocks();

    const next = await bench.submit(2);
    expect(next).toMatchObject({ kind: 'submitted', nonce: 0 });
    expect(await bench.mineAndSettle()).toMatchObject([{ status: 'succeeded' }]);
    expect(await bench.outboxRows()).toHaveLength(1);
    expect(await booked()).toBe(NOTIONAL);
  });

  it('two transactions of one block are reopened together; F51 the one that would revert again is cancelled', async () => {
    await start();
    const first = await bench.submit(1);
    const second = await bench.submit(2, { data: reverting('0x') });
    expect(await bench.mineAndSettle()).toMatchObject([{ status: 'succeeded' }, { status: 'reverted' }]);
    expect([failures(), await booked()]).toEqual([1, NOTIONAL]);

    expect(await bench.settle(await reorg())).toMatchObject([reopened('reverted'), reopened('succeeded')]);
    expect([failures(), await booked()]).toEqual([0, 2n * NOTIONAL]);
    // The malfunction left room for two; a quiet minute makes room for one more.
    bench.clock.putForward(60_000);
    expect(await bench.submit(3)).toMatchObject({ kind: 'submitted', nonce: 2 });
    expect(await bench.mineAndSettle()).toMatchObject([
      { executionId: first.executionId, status: 'succeeded' },
      { executionId: second.executionId, status: 'cancelled' },
      { status: 'succeeded' },
    ]);
    expect([failures(), await booked()]).toEqual([0, 2n * NOTIONAL]);
    expect(await bench.outboxRows()).toHaveLength(3);
    expect(await bench.count()).toBe(3);
  });

  it('is not taken for a foreign transaction; another one that uses its nonce is (F23)', async () => {
    await start();
    const { executionId } = await bench.settled(1);
    const gone = await reorg();
    await bench.sendForeign(0);
    await bench.mine();
    expect(await bench.settle(gone)).toMatchObject([reopened('succeeded')]);
    expect(bench.safety.isHalted).toBe(false);
    bench.clock.putForward(13_000);
    await expect(bench.mineAndSettle()).rejects.toBeInstanceOf(HaltError);
    expect(await bench.statusOf(executionId)).toBe('dropped: its nonce was used by another transaction');
    expect(await booked()).toBe(0n);
  });

  it('is not settled again by the receipt of a node that is still on the old branch', async () => {
    await start();
    const { executionId, hash } = await bench.settled(1);
    const old = await bench.chain.getTransactionReceipt(hash);
    const gone = await reorg();
    expect(await bench.settle(gone)).toMatchObject([reopened('succeeded')]);
    const batch = bench.pool.batch.bind(bench.pool);
    const late = vi.spyOn(bench.pool, 'batch').mockImplementation(async (calls, options) => {
      const answers: unknown[] = await batch(calls, options);
      return calls.map(({ method }, index) =>
        method === 'eth_getTransactionReceipt' ? old : answers[index],
      );
    });
    expect(await bench.mineAndSettle()).toEqual([]);
    expect(late).toHaveBeenCalled();
    late.mockRestore();
    expect(await bench.settle()).toMatchObject([{ executionId, status: 'succeeded' }]);
    expect((await rowOf(0))?.blockHash).not.toBe(old?.blockHash);
  });

  it('stays in flight, and is reopened once, when the database is away', async () => {
    await start();
    await bench.rpc('anvil_setCode', [CHIMERA, REVERTS]);
    await mark();
    const { executionId, settlement } = await bench.settled(1);
    const gone = await reorg();
    const reopen = bench.outbox.reopen.bind(bench.outbox);
    vi.spyOn(bench.outbox, 'reopen')
      .mockRejectedValueOnce(AWAY)
      .mockImplementationOnce(async (id, day) => {
        await reopen(id, day);
        throw AWAY; // The row is written, and the answer is lost.
      });
    await expect(bench.settle(gone)).rejects.toBe(AWAY);
    expect([...bench.execution.inFlight()]).toEqual([keyOf(settlement)]);
    await expect(bench.settle()).rejects.toBe(AWAY);
    expect(await bench.settle()).toMatchObject([{ executionId, ...reopened('reverted') }]);
    expect([failures(), await booked()]).toEqual([0, NOTIONAL]);
    expect(await bench.mineAndSettle()).toMatchObject([{ executionId, status: 'cancelled' }]);
    expect([failures(), await booked()]).toEqual([0, 0n]);
  });

  it('is reopened by each of three reorgs in a row', async () => {
    await start();
    const { executionId, hash } = await bench.settled(1);
    for (const blocks of [6, 4, 2]) {
      expect(await bench.settle(await reorg(blocks))).toMatchObject([reopened('succeeded')]);
      expect(await bench.mineAndSettle()).toMatchObject([{ executionId, status: 'succeeded' }]);
    }
    expect(await bench.outboxRows()).toEqual([`0 ${hash} mined`]);
    expect(await booked()).toBe(NOTIONAL);
  });

  it('stays settled when the reorg takes back later blocks only', async () => {
    await start();
    await bench.settled(1);
    const block = await bench.chain.getBlock('latest');
    await bench.mine(3);
    const others = await bench.chain.getBlocks(block.number + 1, block.number + 3);
    expect(await bench.settle(others.map(({ hash }) => hash))).toEqual([]);
    expect(bench.execution.inFlight().size).toBe(0);
  });

  it('can be reopened for 128 blocks before the last head, however far the next head jumps', async () => {
    await start();
    await bench.settled(1);
    for (const blocks of [128, 40]) {
      await bench.mine(blocks);
      expect(await bench.settle()).toEqual([]);
    }
    expect(await bench.settle(await reorg(180))).toMatchObject([reopened('succeeded')]);
  });

  it('is too old to be reopened: when the chain has lost it for longer than a late node explains, the bot halts', async () => {
    await start();
    const { executionId } = await bench.settled(1);
    for (const blocks of [129, 1]) {
      await bench.mine(blocks);
      expect(await bench.settle()).toEqual([]);
    }
    const gone = await reorg(140);
    expect(await bench.settle(gone)).toEqual([]);
    expect(await bench.statusOf(executionId)).toBe('succeeded');
    bench.clock.putForward(11_000);
    await expect(bench.settle()).rejects.toThrow(/deeper than our books can go back/);
    expect(bench.safety.isHalted).toBe(true);
  });

  describe('while no process runs', () => {
    it('is reopened by the next process, which settles it by the new branch', async () => {
      await start();
      const { executionId, hash } = await bench.settled(1);
      await reorg();
      await restart();
      expect(bench.execution.inFlight().size).toBe(1);
      expect(await bench.outboxRows()).toEqual([`0 ${hash} broadcast`]);
      expect(await bench.mineAndSettle()).toMatchObject([
        { executionId, ...reopened('succeeded', false) },
        { executionId, hash, status: 'succeeded' },
      ]);
      expect(await booked()).toBe(NOTIONAL);
      expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1 });
    });

    it('a failure is booked again and no longer counted, also after a second restart', async () => {
      await start();
      const { executionId } = await bench.settled(1, { data: reverting('0x') });
      expect([failures(), await booked()]).toEqual([1, 0n]);
      await reorg();
      await restart();
      await restart();
      expect([failures(), await booked()]).toEqual([0, NOTIONAL]);
      expect(await bench.mineAndSettle()).toMatchObject([{ executionId, status: 'cancelled' }]);
      expect([failures(), await booked()]).toEqual([0, 0n]);
    });

    it('the next process waits until the chain has reached the number of its block', async () => {
      await start();
      await bench.mine(5);
      await bench.settled(1);
      await reorg(1);
      bench = await world.reopen();
      await expect(bench.execution.recover()).rejects.toThrow(/the chain is at block \d+, behind block \d+/);
      await bench.mine(8);
      await bench.execution.recover();
      expect(await bench.mineAndSettle()).toMatchObject([
        reopened('succeeded', false),
        { status: 'succeeded' },
      ]);
    });

    it('is reopened by a reorg after the restart too', async () => {
      await start();
      const { executionId } = await bench.settled(1);
      await restart();
      expect(await bench.settle()).toEqual([]);
      expect(await bench.settle(await reorg())).toMatchObject([
        { executionId, ...reopened('succeeded', false) },
      ]);
      expect(await bench.mineAndSettle()).toMatchObject([{ executionId, status: 'succeeded' }]);
      expect(await bench.outboxRows()).toHaveLength(1);
      expect(await booked()).toBe(NOTIONAL);
    });
  });
});
