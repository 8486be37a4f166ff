import { describe, expect, it, vi } from 'vitest';
import { PassTrace } from '../domain/pass-trace.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { HaltError, RetryError } from '../domain/errors.js';
import { FeeCapExceeded } from '../rpc/rpc-errors.js';
import { aPlan, CHIMERA, USD } from '../../testing/builders/plan.js';
import { answering, Bench, type Settings } from '../../testing/execution.js';
import { ALICE } from '../../testing/builders/safety.js';

const AWAY = new RetryError('the database does not serve');

describe('ExecutionService.submit', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();
  let bench: Bench;

  /** The bot halts when the rows of the next pass are durable, before anything is handed over. */
  const haltWhenRecorded = (): void => {
    const record = bench.outbox.record.bind(bench.outbox);
    vi.spyOn(bench.outbox, 'record').mockImplementationOnce(async (...args) => {
      const recorded = await record(...args);
      void bench.safety.raise('books', 'HALTED', 'stop');
      return recorded;
    });
  };
  const start = async (settings?: Partial<Settings>): Promise<void> => {
    bench = await world.start(settings);
  };

  it('hands the transaction over only after its row, its authorisation and its volume are durable', async () => {
    await start();
    const send = bench.chain.sendRawTransactions.bind(bench.chain);
    let durable: unknown;
    vi.spyOn(bench.chain, 'sendRawTransactions').mockImplementation((all) =>
      all.map(async (one) => {
        const row = await bench.outbox.find(31337, bench.signer.address, 0);
        durable = {
          same: row?.raw === one.raw && row.hash === one.hash,
          status: row?.status,
          booked: await bench.bookedToday(),
        };
        const [outcome] = await Promise.all(send([one]));
        return outcome!;
      }),
    );
    const submission = await bench.submit(1);
    expect(durable).toEqual({ same: true, status: 'prepared', booked: 100n * USD });
    expect(submission).toMatchObject({ kind: 'submitted', nonce: 0, accepted: true });
    expect(bench.execution.inFlight().size).toBe(1);
    expect(bench.execution.pendingCalls()).toMatchObject([{ to: CHIMERA, gasLimit: 500_000n }]);
    await vi.waitFor(async () => expect(await bench.outboxOf(0)).toBe('broadcast'));
    const row = await bench.executions.find(submission.executionId);
    expect(row).toMatchObject({ status: 'submitted', txHash: 'hash' in submission ? submission.hash : '' });
  });

  it('tells of the transaction once it was handed over, with the time since the head; its row holds the same time', async () => {
    await start();
    const clock = new TestClock();
    const intent = { ...(await bench.plan(1)), trace: new PassTrace(clock, clock.monotonicMs()) };
    clock.advance(12.345);
    const submission = await bench.carryOut(intent);
    if (submission.kind !== 'submitted') throw new Error('not submitted');
    const { plan } = intent;
    const { executionId } = submission;
    expect(bench.events.all.map(({ event }) => event).slice(-2)).toEqual(['plan-ready', 'transaction-sent']);
    expect(bench.events.named('transaction-sent')).toEqual([
      {
        event: 'transaction-sent',
        executionId,
        borrower: plan.borrower,
        hash: submission.hash,
        nonce: 0,
        door: 'public',
        headToSendUs: 12_345,
        recordUs: 0,
        cpuUs: expect.any(Number) as number,
      },
    ]);
    await vi.waitFor(async () => expect(await bench.outboxOf(0)).toBe('broadcast'));
    expect(await bench.executions.find(executionId)).toMatchObject({ headToSendUs: 12_345 });
  });

  it('a dry run asks the gate, and neither signs nor sends nor writes', async () => {
    await start({ mode: 'dry-run' });
    const sign = vi.spyOn(bench.signer, 'sign');
    const send = vi.spyOn(bench.chain, 'sendRawTransactions');
    expect(await bench.submit(1)).toMatchObject({ kind: 'dry-run' });
    const tooLarge = await bench.submit(2, { notionalUsd8: 1_001n * USD });
    expect(tooLarge).toMatchObject({ kind: 'rejected', reason: 'notional-above-limit' });
    expect(sign).not.toHaveBeenCalled();
    expect(send).not.toHaveBeenCalled();
    expect(bench.execution.inFlight().size).toBe(0);
    // The row of the decision books it, and the bot has not written it.
    expect(await bench.bookedToday()).toBe(0n);
    expect(bench.safety.volume.todayUsd8).toBe(100n * USD);
  });

  it('concurrent submits never share a nonce, and all of them are mined', async () => {
    await start();
    for (const number of [1, 2, 3, 4]) await bench.settled(number); // Wins allow more in flight.
    const submissions = await Promise.all(Array.from({ length: 8 }, (_, index) => bench.submit(index + 5)));
    const nonces = submissions.map((one) => (one.kind === 'submitted' ? one.nonce : -1));
    expect(nonces.sort((a, b) => a - b)).toEqual(Array.from({ length: 8 }, (_, index) => index + 4));
    await bench.mine();
    expect(await bench.count()).toBe(12);
  });

  it('F48 no more are in flight than the last outcomes allow; the others are taken when there is room', async () => {
    await start();
    const submissions = await Promise.all([1, 2, 3, 4, 5, 6].map((number) => bench.submit(number)));
    const kinds = submissions.map((one) => (one.kind === 'rejected' ? one.reason : one.kind));
    expect(kinds.sort()).toEqual([
      ...['in-flight-limit', 'in-flight-limit'],
      ...['submitted', 'submitted', 'submitted', 'submitted'],
    ]);
    await bench.mineAndSettle();
    expect(bench.execution.outcomes.maxInFlight).toBe(8);
    expect(await bench.submit(7)).toMatchObject({ kind: 'submitted' });
  });

  it('two concurrent submits cannot exceed the volume of the day', async () => {
    await start({ limits: { maxDailyVolumeUsd8: 1_000n * USD } });
    const plans = [1, 2, 3].map((number) => bench.submit(number, { notionalUsd8: 400n * USD }));
    const kinds = (await Promise.all(plans)).map((one) => (one.kind === 'rejected' ? one.reason : one.kind));
    expect(kinds.sort()).toEqual(['daily-volume-reached', 'submitted', 'submitted']);
    expect(await bench.bookedToday()).toBe(800n * USD);
    expect(bench.safety.volume.todayUsd8).toBe(800n * USD);
  });

  it('THROTTLED lets one transaction be in flight, however many are submitted at once', async () => {
    await start();
    await bench.safety.recordFailure('reverted');
    const kinds = (await Promise.all([1, 2, 3].map((number) => bench.submit(number)))).map((one) =>
      one.kind === 'rejected' ? one.reason : one.kind,
    );
    expect(kinds.sort()).toEqual(['submitted', 'throttled', 'throttled']);
  });

  it('never sends a second transaction for a borrower in flight', async () => {
    await start();
    // Either of the two may come first; one of them is refused.
    const submissions = await Promise.all([bench.submit(1), bench.submit(1)]);
    expect(submissions.map(({ kind }) => kind).sort()).toEqual(['rejected', 'submitted']);
    expect(await bench.submit(1)).toMatchObject({ kind: 'rejected', reason: 'in-flight' });
  });

  it('signs nothing from the moment of a halt, not even a plan that was already waiting', async () => {
    await start();
    const sign = vi.spyOn(bench.signer, 'sign');
    const waiting = [bench.submit(1), bench.submit(2)];
    void bench.safety.raise('books', 'HALTED', 'stop');
    expect((await Promise.all(waiting)).map((one) => one.kind)).toEqual(['rejected', 'rejected']);
    expect(sign).not.toHaveBeenCalled();
    expect(await bench.count()).toBe(0);
  });

  it('a halt while the row is written: the signed transaction is not sent, its nonce and its volume are free again', async () => {
    await start();
    const record = bench.outbox.record.bind(bench.outbox);
    const send = vi.spyOn(bench.chain, 'sendRawTransactions');
    vi.spyOn(bench.outbox, 'record').mockImplementationOnce(async (...args) => {
      const recorded = await record(...args);
      void bench.safety.raise('books', 'HALTED', 'stop');
      return recorded;
    });
    const { executionId, ...submission } = await bench.submit(1);
    expect(submission).toMatchObject({ kind: 'rejected', reason: 'halted' });
    expect(send).not.toHaveBeenCalled();
    expect(await bench.statusOf(executionId)).toBe('rejected: halted');
    expect(await bench.outboxOf(0)).toBe('dropped');
    expect(await bench.bookedToday()).toBe(0n);
    await bench.safety.resume('go on', ALICE);
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 0 });
  });

  it('a halt while the rows of a pass are written: none is sent, and all nonces and the volume are free again', async () => {
    await start();
    haltWhenRecorded();
    const send = vi.spyOn(bench.chain, 'sendRawTransactions');
    const held = await bench.submitAll(1, 2, 3);
    expect(held).toMatchObject(Array(3).fill({ kind: 'rejected', reason: 'halted' }));
    expect(send).not.toHaveBeenCalled();
    expect((await bench.outboxRows()).map((row) => row.split(' ')[2])).toEqual(Array(3).fill('dropped'));
    expect(await bench.bookedToday()).toBe(0n);
    await bench.safety.resume('go on', ALICE);
    expect(await bench.submitAll(4, 5)).toMatchObject([{ nonce: 0 }, { nonce: 1 }]);
  });

  it('F28 rows that cannot be withdrawn stay in flight with those before them, without a gap of nonces', async () => {
    await start();
    haltWhenRecorded();
    const end = bench.outbox.end.bind(bench.outbox);
    let ended = 0;
    vi.spyOn(bench.outbox, 'end').mockImplementation((...args) =>
      ++ended === 2 ? Promise.reject(AWAY) : end(...args),
    );
    await bench.submitAll(1, 2, 3);
    expect(bench.execution.inFlight().size).toBe(2);
    expect([await bench.outboxOf(0), await bench.outboxOf(1), await bench.outboxOf(2)]).toEqual([
      ...['prepared', 'prepared', 'dropped'],
    ]);
    await bench.safety.resume('go on', ALICE);
    expect(await bench.submit(4)).toMatchObject({ kind: 'submitted', nonce: 2 });
    await bench.settle();
    await bench.mine(2);
    await bench.settle();
    expect(await bench.count()).toBe(3);
  });

  it('one durable write and one hand-over for the plans of a pass, in the order of their nonces', async () => {
    await start();
    const record = vi.spyOn(bench.outbox, 'record');
    const send = vi.spyOn(bench.chain, 'sendRawTransactions');
    expect(await bench.submitAll(1, 2, 3, 4)).toMatchObject(
      [0, 1, 2, 3].map((nonce) => ({ kind: 'submitted', nonce, accepted: true })),
    );
    expect([record, send].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    const rows = await Promise.all(
      [0, 1, 2, 3].map((nonce) => bench.outbox.find(31337, bench.signer.address, nonce)),
    );
    expect(send.mock.calls[0]?.[0].map(({ hash }) => hash)).toEqual(rows.map((row) => row?.hash));
    await bench.mine();
    expect(await bench.count()).toBe(4);
  });

  it('one of several that every node refuses: the others go on, and the next plan takes its nonce', async () => {
    await start();
    const plans = [await bench.plan(1), await bench.plan(2, { call: { ...aPlan().call, gasLimit: 1_000n } })];
    const submissions = await bench.execution.submit(
      [...plans, await bench.plan(3)].map(({ plan }) => plan),
      (await bench.plan(0)).trace,
    );
    expect(submissions).toMatchObject([
      { kind: 'submitted', nonce: 0 },
      { kind: 'dropped' },
      { kind: 'submitted', nonce: 2 },
    ]);
    expect(await bench.submit(4)).toMatchObject({ kind: 'submitted', nonce: 1 });
    await bench.mine();
    expect(await bench.count()).toBe(3);
  });

  it('F29 rows whose answer was lost are found, all of them; none of their nonces is used twice', async () => {
    await start();
    const record = bench.outbox.record.bind(bench.outbox);
    vi.spyOn(bench.outbox, 'record').mockImplementationOnce(async (...args) => {
      await record(...args);
      throw AWAY;
    });
    await expect(bench.submitAll(1, 2)).rejects.toBe(AWAY);
    expect(await bench.submitAll(3, 4)).toMatchObject([{ nonce: 2 }, { nonce: 3 }]);
    expect(bench.safety.volume.todayUsd8).toBe(400n * USD);
    await bench.settle();
    await bench.mine(2);
    expect(await bench.settle()).toHaveLength(4);
    expect(await bench.count()).toBe(4);
  });

  it('F24 "already known" is a success', async () => {
    await start();
    const send = bench.chain.sendRawTransactions.bind(bench.chain);
    vi.spyOn(bench.chain, 'sendRawTransactions').mockImplementationOnce((all) =>
      all.map(async (one) => {
        await Promise.all(send([one]));
        const [again] = await Promise.all(send([one]));
        expect(again).toEqual({ kind: 'accepted', alreadyKnown: true });
        return again!;
      }),
    );
    expect(await bench.submit(1)).toMatchObject({ kind: 'submitted', accepted: true });
    expect(bench.safety.status().state).toBe('NORMAL');
  });

  it('a transaction that every node refuses is refused and no failure, and does not block the lane', async () => {
    await start();
    const call = {
      to: CHIMERA,
      data: '0x',
      gasLimit: 1_000n,
      maxFeePerGas: 10n ** 10n,
      maxPriorityFeePerGas: 1n,
    } as const;
    const { executionId, ...refused } = await bench.submit(1, { call });
    expect(refused).toMatchObject({ kind: 'dropped' });
    expect(await bench.statusOf(executionId)).toMatch(/^dropped: every node refused it: .*gas/i);
    expect(await bench.outboxOf(0)).toBe('failed');
    expect(bench.safety.status()).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });
    expect(await bench.bookedToday()).toBe(0n);
    expect(bench.execution.inFlight().size).toBe(0);
    expect(await bench.settle()).toMatchObject([{ executionId, outcome: 'refused', status: 'dropped' }]);

    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 0 });
    await bench.mine();
    expect(await bench.count()).toBe(1);
  });

  it('a wallet that cannot pay halts nothing: the next plans bid less, and after a deposit all is as before', async () => {
    await start();
    await bench.rpc('anvil_setBalance', [bench.signer.address, '0x1']);
    const { executionId, ...submission } = await bench.submit(1);
    expect(submission.kind).toBe('dropped');
    expect(await bench.statusOf(executionId)).toContain('dropped: every node refused it');
    expect(bench.safety.status()).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });
    expect(bench.execution.allowance().nodeCapWei).toBe(aPlan().reservation.feeWei / 2n);
    await bench.settle();
    expect(await bench.submit(2)).toMatchObject({ kind: 'rejected', reason: 'operator-balance-low' });
    await bench.rpc('anvil_setBalance', [bench.signer.address, '0xde0b6b3a7640000']);
    await bench.settle();
    expect(await bench.submit(3)).toMatchObject({ kind: 'submitted', nonce: 0 });
  });

  it('a fee above the cap of the nodes is no failure, frees its nonce, and is the ceiling of the next', async () => {
    await start();
    const { feeWei } = aPlan().reservation;
    const reason = 'tx fee (0.005 ether) exceeds the configured cap (0.004 ether)';
    const error = new FeeCapExceeded(-32000, reason, 4n * 10n ** 15n);
    vi.spyOn(bench.chain, 'sendRawTransactions').mockImplementationOnce(
      answering({ kind: 'refused', error }),
    );
    expect(await bench.submit(1)).toMatchObject({ kind: 'dropped' });
    expect(bench.safety.status()).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });
    expect(bench.execution.allowance().nodeCapWei).toBe(4n * 10n ** 15n);
    expect(await bench.submit(1)).toMatchObject({
      kind: 'rejected',
      reason: 'fee-above-node-cap',
      detail: { feeWei: String(feeWei), leftWei: '4000000000000000' },
    });
    const call = { ...aPlan().call, maxFeePerGas: 8n * 10n ** 9n };
    expect(await bench.submit(1, { call })).toMatchObject({ kind: 'submitted', nonce: 0 });
  });

  it('F23 another transaction with our nonce halts before anything else is signed', async () => {
    await start();
    await bench.sendForeign(0);
    await bench.mine();
    // The one that comes first meets the foreign transaction; nothing more is signed until that is clear.
    const submissions = await Promise.all([bench.submit(1), bench.submit(2)]);
    expect(submissions.map(({ kind }) => kind).sort()).toEqual(['rejected', 'submitted']);
    expect(await bench.submit(3)).toMatchObject({ kind: 'rejected', reason: 'nonce-in-question' });
    expect(await bench.settle()).toEqual([]);
    bench.clock.putForward(13_000);
    await expect(bench.settle()).rejects.toBeInstanceOf(HaltError);
    expect(bench.safety.status().reason).toContain('someone else uses its key');
    expect(bench.news()).toMatchObject([{ status: 'dropped' }]);
    await bench.safety.resume('it was me', ALICE);
    expect(await bench.submit(4)).toMatchObject({ kind: 'submitted', nonce: 1 });
  });

  it('F28 nothing is sent while the database is away, and the nonce is used again', async () => {
    await start();
    const send = vi.spyOn(bench.chain, 'sendRawTransactions');
    vi.spyOn(bench.outbox, 'record').mockRejectedValueOnce(AWAY);
    await expect(bench.submit(1)).rejects.toBe(AWAY);
    expect(send).not.toHaveBeenCalled();
    expect(bench.execution.inFlight().size).toBe(0);
    expect(await bench.submit(1)).toMatchObject({ kind: 'submitted', nonce: 0 });
  });

  it('F29 a row whose answer was lost is found, sent and counted; its nonce is never used twice', async () => {
    await start();
    const record = bench.outbox.record.bind(bench.outbox);
    vi.spyOn(bench.outbox, 'record').mockImplementationOnce(async (...args) => {
      await record(...args);
      throw AWAY;
    });
    await expect(bench.submit(1)).rejects.toBe(AWAY);
    const [settled, next] = await Promise.all([bench.settle(), bench.submit(2)]);
    expect(settled).toEqual([]);
    expect(next).toMatchObject({ kind: 'submitted', nonce: 1 });
    expect(bench.safety.volume.todayUsd8).toBe(200n * USD);
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject([{ status: 'succeeded' }, { status: 'succeeded' }]);
    expect(await bench.count()).toBe(2);
  });

  it('refuses plans before it is recovered, and while it drains', async () => {
    bench = await world.open();
    expect(await bench.submit(1)).toMatchObject({ kind: 'rejected', reason: 'standing-by' });
    await bench.execution.recover();
    await bench.execution.drain(10);
    await expect(bench.submit(1)).rejects.toThrow('the bot is stopping');
    expect(await bench.count()).toBe(0);
  });
});
