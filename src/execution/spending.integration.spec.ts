import { Wallet } from 'ethers';
import { beforeEach, describe, expect, it } from 'vitest';
import { aPlan, USD } from '../../testing/builders/plan.js';
import { reverting, type Bench } from '../../testing/execution.js';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { NO_SPEND } from '../domain/spend.js';

/** 500,000 gas at 10 gwei at most: $12.50 if it reverts. */
const { feeWei: FEE, lossUsd8: LOSS } = aPlan().reservation;
const REVERTING = { data: reverting('0xdeadbeef') };
const DAY_MS = 86_400_000;

describe('F48 what is spent and what is in flight', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();
  let bench: Bench;
  let key: string;

  beforeEach(() => {
    key = Wallet.createRandom().privateKey;
  });

  const start = async (spending: Parameters<ExecutionWorld['start']>[0] = {}): Promise<void> => {
    bench = await world.start({ key, ...spending });
  };
  const reasonOf = (submission: { kind: string; reason?: string }): string =>
    submission.kind === 'rejected' ? String(submission.reason) : submission.kind;

  it.each([
    ['daily-loss-reached', { maxDailyLossUsd8: 2n * LOSS }],
    ['daily-fee-reached', { maxDailyFeeWei: 2n * FEE }],
    // Of one ether.
    ['wallet-share-reached', { maxWalletShareBps: 100 }],
  ] as const)(
    'a burst is bounded beforehand, however many are submitted at once: %s',
    async (reason, spending) => {
      await start({ spending });
      const submissions = await Promise.all([1, 2, 3, 4].map((number) => bench.submit(number)));
      expect(submissions.map(reasonOf).sort()).toEqual([reason, reason, 'submitted', 'submitted'].sort());
      expect(bench.safety.status().state).toBe('NORMAL');
      // The receipts release what was not spent.
      await bench.mineAndSettle();
      expect(reasonOf(await bench.submit(5))).toBe('submitted');
    },
  );

  it('a transaction above the fee of one is refused for good, and halts nothing', async () => {
    await start({ spending: { maxFeePerTransactionWei: FEE - 1n } });
    expect(reasonOf(await bench.submit(1))).toBe('fee-above-limit');
    expect(bench.safety.status().state).toBe('NORMAL');
  });

  it('a revert books its fee as a loss; a gain is not counted against it; a restart keeps both', async () => {
    await start();
    const { settlement } = await bench.settled(1, REVERTING);
    await bench.settled(2);
    const { spent, reserved } = bench.execution.spending();
    expect(reserved).toEqual(NO_SPEND);
    expect(spent.lossUsd8).toBe(-BigInt(settlement.realisedProfitUsd8 ?? '0'));
    const fees = (await bench.executions.latest(31337, 2)).map(({ feesWei }) => feesWei ?? 0n);
    expect(spent.feeWei).toBe(fees.reduce((sum, fee) => sum + fee, 0n));
    expect(spent.feeWei).toBeGreaterThan(0n);
    bench = await world.restart();
    expect(bench.execution.spending()).toMatchObject({ spent, reserved });
  });

  it('what is in flight stays reserved over a restart, also when the row is all that was written', async () => {
    await start({ spending: { maxDailyLossUsd8: 2n * LOSS } });
    await bench.submit(1);
    await bench.submit(2);
    const before = bench.execution.spending();
    expect(before.reserved).toEqual({ feeWei: 2n * FEE, lossUsd8: 2n * LOSS });
    bench = await world.restart();
    expect(bench.execution.spending()).toEqual(before);
    expect(reasonOf(await bench.submit(3))).toBe('daily-loss-reached');
    await bench.mineAndSettle();
    expect(bench.execution.spending().reserved).toEqual(NO_SPEND);
    expect(reasonOf(await bench.submit(4))).toBe('submitted');
  });

  it('UTC midnight frees what was spent, and not what is in flight', async () => {
    await start({ spending: { maxDailyFeeWei: (3n * FEE) / 2n } });
    await bench.settled(1);
    expect(bench.execution.spending().spent.feeWei).toBeGreaterThan(0n);
    await bench.submit(2);
    bench.clock.putWallForward(DAY_MS);
    expect(bench.execution.spending()).toMatchObject({ spent: NO_SPEND, reserved: { lossUsd8: LOSS } });
    expect(reasonOf(await bench.submit(3))).toBe('daily-fee-reached');
    await bench.mineAndSettle();
    // Booked to the day of its receipt.
    expect(bench.execution.spending().spent.feeWei).toBeGreaterThan(0n);
    expect(reasonOf(await bench.submit(4))).toBe('submitted');
  });

  it('a clock that is a day ahead at the start, and is put right later: what was spent on the true day still counts', async () => {
    await start();
    await bench.settled(1, REVERTING);
    const { spent } = bench.execution.spending();
    expect(spent.lossUsd8).toBeGreaterThan(0n);
    bench = await world.reopen();
    bench.clock.putWallForward(DAY_MS);
    await bench.lead();
    expect(bench.execution.spending().spent).toEqual(NO_SPEND);
    bench.clock.putWallForward(-DAY_MS);
    expect(bench.execution.spending().spent).toEqual(spent);
  });

  it('F15 a reorg takes back exactly what was booked, and reserves it again', async () => {
    await start();
    const fork = await bench.fork();
    await bench.settled(1, REVERTING);
    const { spent } = bench.execution.spending();
    const gone = await bench.reorg(fork, 3);
    await bench.settle(gone);
    expect(bench.execution.spending()).toMatchObject({
      spent: NO_SPEND,
      reserved: { feeWei: FEE, lossUsd8: LOSS },
    });
    const [row] = await bench.dataSource.query<{ fee_wei: string; loss_usd: string }[]>(
      'SELECT fee_wei, loss_usd FROM daily_spend',
    );
    expect(row).toMatchObject({ fee_wei: '0', loss_usd: '0.00000000' });
    expect(spent.lossUsd8).toBeLessThan(13n * USD);
  });

  it('a row from before budgets reserves what its bytes say', async () => {
    await start();
    await bench.submit(1);
    await bench.dataSource.query('UPDATE transactions SET reserved_fee_wei = NULL, reserved_loss_usd = NULL');
    bench = await world.restart();
    expect(bench.execution.spending().reserved).toEqual({ feeWei: FEE, lossUsd8: LOSS });
  });
});
