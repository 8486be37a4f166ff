import { Interface } from 'ethers';
import { describe, expect, it, vi } from 'vitest';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { HaltError, RetryError } from '../domain/errors.js';
import type { Hex } from '../domain/hex.js';
import type { FeesPaid } from '../domain/events/execution.js';
import { costUsd8 } from '../domain/money.js';
import { CHIMERA, USD } from '../../testing/builders/plan.js';
import {
  answering,
  Bench,
  DOING_NOTHING,
  emitting,
  ETHER,
  reverting,
  type Settings,
} from '../../testing/execution.js';
import { ALICE } from '../../testing/builders/safety.js';
import { faultBegins } from '../../testing/fault-times.js';

const AWAY = new RetryError('the database does not serve');
const NO_ANSWER = { kind: 'unknown', detail: 'primary: no answer' } as const;
const PROFIT = ETHER / 100n;
const PROFIT_BELOW_FLOOR = new Interface([
  'error ProfitBelowFloor(uint256 profit, uint256 floor)',
]).encodeErrorResult('ProfitBelowFloor', [7, 9]) as Hex;
const GAS_PRICE_ORACLE = '0x420000000000000000000000000000000000000f';
/** Answers every call with 10^15. */
const ANSWERS_MILLIETHER = `0x7f${(10n ** 15n).toString(16).padStart(64, '0')}5f5260205ff3`;
const LOOPS_FOR_EVER = '0x5b5f56';

describe('ExecutionService.settle', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();
  let bench: Bench;

  const start = async (settings?: Partial<Settings>): Promise<void> => {
    bench = await world.start(settings);
  };
  const restart = async (): Promise<void> => {
    bench = await world.restart();
  };
  const submitUnanswered = async (number: number, changes?: Parameters<Bench['submit']>[1]) => {
    const send = vi.spyOn(bench.chain, 'sendRawTransactions').mockImplementationOnce(answering(NO_ANSWER));
    return { send, ...(await bench.submit(number, changes)) };
  };

  it('a confirmed receipt with our event is a success; its profit and its fees are the result', async () => {
    await start();
    const { executionId, ...submission } = await bench.submit(1);
    const hash = submission.kind === 'submitted' ? submission.hash : '0x';
    expect(await bench.settle()).toEqual([]);
    await bench.mine();
    expect(await bench.settle()).toEqual([]);
    expect(bench.execution.inFlight().size).toBe(1);
    expect(bench.execution.pendingCalls()).toEqual([]);
    await bench.mine();
    const [settlement] = await bench.settle();
    expect(bench.execution.inFlight().size).toBe(0);

    const receipt = await bench.chain.getTransactionReceipt(hash);
    const feesUsd8 = costUsd8(receipt!.gasUsed * receipt!.effectiveGasPrice, {
      decimals: 18,
      priceUsd8: 2_500n * USD,
    });
    const realisedProfitUsd8 = 20n * USD - feesUsd8; // 0.01 WETH at $2,000
    expect(settlement).toEqual({
      event: 'execution-settled',
      executionId,
      borrower: receipt!.logs[0]!.topics[2]!.replace(/^0x0{24}/, '0x'),
      hash: receipt!.transactionHash,
      outcome: 'won',
      status: 'succeeded',
      reason: undefined,
      rival: undefined,
      block: receipt!.blockNumber,
      realisedProfitUsd8: String(realisedProfitUsd8),
      simulatedNetProfitUsd8: String(19n * USD),
      fees: expect.objectContaining({ l1Wei: '0', operatorWei: '0' }) as FeesPaid,
    });
    if (settlement?.event !== 'execution-settled') throw new Error('not settled');
    const { gasWei = '', bidWei = '' } = settlement.fees ?? {};
    expect(BigInt(gasWei) + BigInt(bidWei)).toBe(receipt!.gasUsed * receipt!.effectiveGasPrice);
    expect(await bench.executions.find(executionId)).toMatchObject({
      status: 'succeeded',
      reason: null,
      debtCovered: 1_000n,
      collateralSeized: 2_000n,
      realisedProfit: PROFIT,
      realisedProfitUsd8,
      gasUsed: receipt!.gasUsed,
    });
    expect(await bench.outboxOf(0)).toBe('mined');
    expect(await bench.bookedToday()).toBe(100n * USD);
    expect(await bench.settle()).toEqual([]);
  });

  it('subtracts what the GasPriceOracle says of L1 data and operator fee at the block of the receipt', async () => {
    await start({ confirmationBlocks: 0 });
    await bench.rpc('anvil_setCode', [GAS_PRICE_ORACLE, ANSWERS_MILLIETHER]);
    await bench.submit(1);
    await bench.mine();
    const [settlement] = await bench.settle();
    await bench.rpc('anvil_setCode', [GAS_PRICE_ORACLE, '0x']);
    const realised = BigInt(settlement!.realisedProfitUsd8!);
    expect(realised).toBeLessThan(15n * USD); // two fees of 0.001 ether at $2,500
    expect(realised).toBeGreaterThan(14n * USD);
  });

  it('F48 a floor that fails is stale: its cost and reason are booked, its volume is released, no failure counts', async () => {
    await start();
    const { executionId } = await bench.submit(1, { data: reverting(PROFIT_BELOW_FLOOR) });
    await bench.mine(2);
    const [settlement] = await bench.settle();
    expect(settlement).toMatchObject({
      outcome: 'stale',
      status: 'reverted',
      reason: 'ProfitBelowFloor(7, 9)',
    });
    expect(BigInt(settlement!.realisedProfitUsd8!)).toBeLessThan(0n);
    expect(await bench.statusOf(executionId)).toBe('reverted: ProfitBelowFloor(7, 9)');
    expect(bench.safety.status()).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });
    expect(await bench.bookedToday()).toBe(0n);
    expect(bench.safety.volume.todayUsd8).toBe(0n);
  });

  it('F49 running out of gas is a malfunction: it counts as a failure and throttles', async () => {
    await start({ confirmationBlocks: 0 });
    await bench.rpc('anvil_setCode', [CHIMERA, LOOPS_FOR_EVER]);
    await bench.submit(1);
    await bench.mine();
    expect(await bench.settle()).toMatchObject([
      { outcome: 'malfunction', status: 'reverted', reason: 'out of gas' },
    ]);
    expect(bench.safety.status()).toMatchObject({ state: 'THROTTLED', reason: 'out of gas' });
  });

  it.each([
    ['no event', DOING_NOTHING],
    ['the event of another borrower', emitting({ borrower: `0x${'77'.repeat(20)}`, profit: PROFIT })],
  ])('status 1 with %s is no success', async (_, data) => {
    await start();
    await bench.submit(1, { data });
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([
      {
        outcome: 'malfunction',
        status: 'reverted',
        reason: 'the contract reported no liquidation of this borrower',
      },
    ]);
    expect(bench.safety.status().consecutiveFailures).toBe(1);
  });

  it('a transaction that is not mined is handed over again, the same bytes, at growing distances', async () => {
    await start();
    const { send } = await submitUnanswered(1);
    send.mockImplementation(answering(NO_ANSWER));
    const planned = (await bench.chain.getBlock('latest')).number;
    const sentAt: number[] = [];
    for (let block = 1; block <= 14; block++) {
      await bench.pass(1);
      const before = send.mock.calls.length;
      await bench.settle();
      if (send.mock.calls.length > before) sentAt.push(block);
    }
    expect(sentAt).toEqual([2, 6, 14]);
    expect(new Set(send.mock.calls.map(([all]) => all[0]?.raw)).size).toBe(1);
    expect((await bench.chain.getBlock('latest')).number).toBe(planned + 14);

    send.mockRestore();
    await bench.pass(16);
    await bench.settle();
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ status: 'succeeded' }]);
    expect(await bench.count()).toBe(1);
  });

  it('a call mined after the head of the pass is still pending for that pass', async () => {
    await start();
    await bench.submit(1);
    const head = await bench.chain.getBlock('latest');
    await bench.mine();
    await bench.execution.settle(head);
    expect(bench.execution.pendingCalls()).toHaveLength(1);
    await bench.settle();
    expect(bench.execution.pendingCalls()).toHaveLength(0);
  });

  it('F15 a reorg removes a receipt before it is confirmed: nothing is settled, and the transaction is sent again', async () => {
    await start();
    await bench.submit(1);
    const before = await bench.rpc('evm_snapshot');
    await bench.pass(1);
    expect(await bench.settle()).toEqual([]);
    expect(bench.execution.pendingCalls()).toEqual([]);
    await bench.rpc('evm_revert', [before]);
    await bench.rpc('anvil_dropAllTransactions');
    expect(await bench.settle()).toEqual([]);
    await bench.pass(1);
    expect(await bench.settle()).toEqual([]);
    expect(bench.execution.pendingCalls()).toHaveLength(1);
    await bench.pass(1);
    expect(await bench.settle()).toEqual([]);
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ status: 'succeeded' }]);
    expect(bench.safety.status().state).toBe('NORMAL');
  });

  it('F23 a transaction of our key that we did not sign halts; after a resume the next nonce follows it', async () => {
    await start();
    const fault = faultBegins(() => bench.clock.monotonicMs());
    await bench.sendForeign(0);
    await bench.mine();
    expect(await bench.settle()).toEqual([]);
    expect(await bench.submit(9)).toMatchObject({ kind: 'rejected', reason: 'nonce-in-question' });
    bench.clock.putForward(6_000);
    await expect(bench.settle()).rejects.toBeInstanceOf(HaltError);
    fault.detected();
    expect(bench.safety.status().reason).toContain('has sent 1 transaction that this bot did not sign');
    fault.over();
    await bench.safety.resume('it was me', ALICE);
    expect(await bench.settle()).toEqual([]);
    expect(await bench.submit(1)).toMatchObject({ kind: 'submitted', nonce: 1 });
    fault.recovered();
  });

  it('in a dry run another bot may use the key', async () => {
    await start({ mode: 'dry-run' });
    await bench.sendForeign(0);
    await bench.mine();
    expect(await bench.settle()).toEqual([]);
    expect((await bench.submit(1)).kind).toBe('dry-run');
  });

  it('F23 a transaction whose nonce another one used is dropped after some seconds, and the bot halts', async () => {
    await start();
    const { executionId } = await submitUnanswered(1);
    await bench.sendForeign(0);
    await bench.mine();
    expect(await bench.settle()).toEqual([]);
    bench.clock.putForward(13_000);
    await expect(bench.settle()).rejects.toBeInstanceOf(HaltError);
    expect(await bench.statusOf(executionId)).toBe('dropped: its nonce was used by another transaction');
    expect(bench.safety.isHalted).toBe(true);
    expect(await bench.bookedToday()).toBe(0n);
    expect(await bench.settle()).toMatchObject([{ status: 'dropped' }]);
  });

  it('a transaction past its deadline that no node has is dropped, and its nonce serves the next one', async () => {
    await start();
    const { executionId, send } = await submitUnanswered(1);
    send.mockImplementation(answering(NO_ANSWER));
    await bench.rpc('evm_increaseTime', [601]);
    await bench.mine();
    expect(await bench.settle()).toEqual([]);
    bench.clock.putForward(13_000);
    expect(await bench.settle()).toMatchObject([{ executionId, outcome: 'stale', status: 'dropped' }]);
    expect(await bench.statusOf(executionId)).toBe('dropped: it was not mined before its deadline');
    expect(bench.safety.status().consecutiveFailures).toBe(0);
    send.mockRestore();
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 0 });
  });

  it('F22 a transaction past its deadline for which later ones wait frees its nonce by a cancellation', async () => {
    await start();
    await submitUnanswered(1);
    await bench.submit(2);
    await bench.rpc('evm_increaseTime', [601]);
    await bench.mine(2);
    expect(await bench.count()).toBe(0);
    expect(await bench.settle()).toEqual([]);
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ status: 'cancelled' }, { status: 'cancelled' }]);
    expect(await bench.count()).toBe(2);
  });

  it('hands nothing over again while HALTED, and goes on after the resume', async () => {
    await start();
    const { send } = await submitUnanswered(1);
    await bench.safety.raise('books', 'HALTED', 'stop');
    await bench.pass(3);
    await bench.settle();
    expect(send).toHaveBeenCalledTimes(1);
    await bench.safety.resume('go on', ALICE);
    await bench.settle();
    expect(send).toHaveBeenCalledTimes(2);
  });

  it('F29 the database is away when outcomes are written: they are told when their rows are there, a failure counts once', async () => {
    await start();
    await bench.submit(1);
    await bench.submit(2, { data: reverting('0x') });
    await bench.mine(2);
    const failing = vi.spyOn(bench.outbox, 'settle').mockRejectedValueOnce(AWAY);
    await expect(bench.settle()).rejects.toBe(AWAY);
    failing.mockRestore();
    expect(bench.news()).toEqual([]);
    expect(await bench.settle()).toMatchObject([{ status: 'succeeded' }, { status: 'reverted' }]);
    expect(bench.safety.status().consecutiveFailures).toBe(1);
  });

  it('keeps the time from head to hand-over when the database is away right after it', async () => {
    await start();
    vi.spyOn(bench.outbox, 'accept').mockRejectedValueOnce(AWAY);
    const { executionId } = await bench.submit(1);
    await bench.mine(2);
    await bench.settle();
    const row = await bench.executions.find(executionId);
    expect(row?.status).toBe('succeeded');
    expect(row?.headToSendUs).toBeGreaterThan(0);
  });

  it('F39 a drain follows what is in flight to its end, or ends when its time is over', async () => {
    await start();
    await bench.submit(1);
    let ended = false;
    const first = bench.execution.drain(60_000).finally(() => (ended = true));
    const looks = vi.spyOn(bench.pool, 'batch');
    await vi.waitFor(() => expect(looks).toHaveBeenCalled());
    expect(ended).toBe(false);
    bench.clock.putForward(60_000);
    await first;
    expect(bench.events.named('left-in-flight')).toMatchObject([{ transactions: 1 }]);
    expect(bench.news()).toEqual([]);

    const second = bench.execution.drain(60_000);
    await bench.mine(2);
    await second;
    expect(bench.news()).toMatchObject([{ status: 'succeeded' }]);
    expect(bench.execution.inFlight().size).toBe(0);
    expect(bench.events.named('left-in-flight')).toHaveLength(1);
  });

  describe('after a restart', () => {
    it('a transaction that was mined meanwhile is settled by its row alone', async () => {
      await start();
      const { executionId } = await bench.submit(1);
      await vi.waitFor(async () => expect(await bench.outboxOf(0)).toBe('broadcast'));
      const headToSendUs = (await bench.executions.find(executionId))?.headToSendUs;
      await bench.mine(2);
      await restart();
      expect(await bench.settle()).toMatchObject([{ executionId, status: 'succeeded' }]);
      expect(await bench.executions.find(executionId)).toMatchObject({
        realisedProfit: PROFIT,
        headToSendUs,
      });
      expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1 });
    });

    it('a transaction that was never mined is handed over again at once', async () => {
      await start();
      const { executionId } = await submitUnanswered(1);
      vi.restoreAllMocks();
      await restart();
      expect(bench.execution.inFlight().size).toBe(1);
      // The row is marked in the background, as after every send.
      await vi.waitFor(async () => expect(await bench.outboxOf(0)).toBe('broadcast'));
      await bench.mine(2);
      expect(await bench.settle()).toMatchObject([{ executionId, status: 'succeeded' }]);
    });

    it('nothing is handed over while HALTED', async () => {
      await start();
      await submitUnanswered(1);
      vi.restoreAllMocks();
      await bench.safety.raise('books', 'HALTED', 'stop');
      await restart();
      await bench.mine(2);
      expect(await bench.settle()).toEqual([]);
      expect(await bench.count()).toBe(0);
      expect(bench.execution.inFlight().size).toBe(1);
    });

    it('to recover twice changes nothing', async () => {
      await start();
      await bench.submit(1);
      await bench.execution.recover();
      expect(await bench.submit(2)).toMatchObject({ nonce: 1 });
    });

    it('waits for a node that is late, and halts on a chain that has lost our transactions', async () => {
      await start();
      await bench.submit(1);
      await bench.mine(2);
      await bench.settle();
      await bench.rpc('anvil_setNonce', [bench.signer.address, '0x0']);
      const late = await world.reopen();
      await expect(late.execution.recover()).rejects.toThrow(/waiting for the node/);
      late.clock.putForward(11_000);
      await expect(late.execution.recover()).rejects.toBeInstanceOf(HaltError);
    });
  });
});
