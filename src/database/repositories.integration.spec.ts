import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PLANNED } from '../../testing/builders/executions.js';
import { aMinedEnd } from '../../testing/builders/mined-end.js';
import { TestDatabase } from '../../testing/database.js';
import { HaltError } from '../domain/errors.js';
import type { Address, Hash } from '../domain/hex.js';
import type { Database } from './database.js';
import { ExecutionsRepository } from './repositories/executions.js';
import { OutboxRepository, type OutboxIntent } from './repositories/outbox.js';
import type { RecordedRows } from './repositories/outbox-statements.js';
import { SafetyRepository } from './repositories/safety.js';

const SENDER: Address = `0x${'5e'.repeat(20)}`;
const DAY = '2026-01-31';
const OWNER = { chainId: 8453, sender: SENDER, day: DAY };
const hash = (n: number): Hash => `0x${n.toString(16).padStart(64, '0')}`;

describe('repositories', { timeout: 60_000 }, () => {
  let running: TestDatabase;
  let database: Database;
  let executions: ExecutionsRepository;
  let outbox: OutboxRepository;
  let safety: SafetyRepository;
  let nonce = 0;

  const intent = (change: Partial<OutboxIntent> = {}): OutboxIntent => {
    nonce += 1;
    return {
      nonce,
      hash: hash(nonce),
      raw: '0x02f8',
      door: 'public',
      reservation: { feeWei: 7n * 10n ** 15n, lossUsd8: 17_500_000_001n },
      execution: { ...PLANNED, status: 'authorised' },
      ...change,
    };
  };

  const record = (...intents: readonly OutboxIntent[]) => outbox.record(OWNER, intents);

  const recorded = async (one: OutboxIntent, owner = OWNER): Promise<RecordedRows> => {
    const done = await outbox.record(owner, [one]);
    const row = done.kind === 'recorded' ? done.rows[0] : undefined;
    if (!row) throw new Error('not recorded');
    return row;
  };

  const booked = async (): Promise<bigint> => (await safety.volumeUsd8ByDay()).get(DAY) ?? 0n;

  beforeAll(async () => {
    running = await TestDatabase.start();
    ({ database } = running);
    executions = new ExecutionsRepository(database);
    outbox = new OutboxRepository(database);
    safety = new SafetyRepository(database, 8453);
  });

  afterAll(() => running.stop());

  describe('executions', () => {
    it('come back as they were written, amounts to the last unit', async () => {
      const id = await executions.insert(PLANNED);
      expect(await executions.find(id)).toMatchObject({
        id,
        ...PLANNED,
        reason: null,
        settledAt: null,
        plan: { amount: String(2n ** 256n - 1n), key: '***', name: 'a\ufffdb\ufffd', nested: [{ n: 1 }] },
      });
    });

    it('money survives the round trip at every value that its column can hold', async () => {
      const amount = fc.bigInt({ min: -(10n ** 78n) + 1n, max: 10n ** 78n - 1n });
      const usd8 = fc.bigInt({ min: -(10n ** 30n) + 1n, max: 10n ** 30n - 1n });
      const extremes = [0n, 1n, -1n, 10n ** 78n - 1n, -(10n ** 78n) + 1n, 2n ** 256n - 1n];
      const usdExtremes = [0n, 1n, -1n, 10n ** 30n - 1n, -(10n ** 30n) + 1n, 10n ** 8n];
      const examples = extremes.map((value, index): [bigint, bigint] => [value, usdExtremes[index] ?? 0n]);
      await fc.assert(
        fc.asyncProperty(amount, usd8, async (debtToCover, simulatedProfitUsd8) => {
          const id = await executions.insert({ ...PLANNED, debtToCover, simulatedProfitUsd8 });
          expect(await executions.find(id)).toMatchObject({ debtToCover, simulatedProfitUsd8 });
        }),
        { numRuns: 60, examples },
      );
    });

    it('an amount beyond its column is refused, not rounded', async () => {
      await expect(executions.insert({ ...PLANNED, debtToCover: 10n ** 78n })).rejects.toThrow(HaltError);
      await expect(executions.insert({ ...PLANNED, notionalUsd8: 10n ** 30n })).rejects.toThrow(
        /numeric field overflow/,
      );
    });

    it('a rejected plan may lack amounts, a planned one may not', async () => {
      const unknown = { ...PLANNED, debtToCover: null, simulatedProfitUsd8: null };
      const id = await executions.insert({ ...unknown, status: 'rejected', reason: 'simulation-reverted' });
      expect(await executions.find(id)).toMatchObject({ debtToCover: null, reason: 'simulation-reverted' });
      await expect(executions.insert(unknown)).rejects.toThrow(/executions_planned_in_full/);
    });

    it('are listed newest first, page by page, and counted', async () => {
      const before = await executions.count();
      const ids = await executions.insertMany([PLANNED, { ...PLANNED, status: 'dry-run' }, PLANNED]);
      expect(await executions.count()).toBe(before + 3);
      expect((await executions.latest(31_337, 2)).map(({ id }) => id)).toEqual([ids[2], ids[1]]);
      expect(await executions.latest(8453, 9)).toEqual([]);
      expect((await executions.latest(31_337, 1, ids[1])).map(({ id }) => id)).toEqual([ids[0]]);
      expect((await executions.countByStatus())['dry-run']).toBe(1);
      expect(await executions.insertMany([])).toEqual([]);
    });

    it('go from authorised to settled; a late answer of the node does not undo the receipt', async () => {
      const signed = intent();
      const rows = await recorded(signed);
      const id = rows.executionId;
      await outbox.accept([{ ...rows, hash: signed.hash, headToSendUs: 1234 }]);
      expect((await executions.open()).map((open) => open.id)).toContain(id);
      const won = aMinedEnd(rows, signed.hash, true);
      const outcomeDetails = { tipPerGasWei: 11n };
      await outbox.settle([{ ...won, execution: { ...won.execution, outcomeDetails } }]);
      await outbox.accept([{ ...rows, hash: signed.hash, headToSendUs: 99 }]);
      const settled = await executions.find(id);
      expect(settled).toMatchObject({
        status: 'succeeded',
        headToSendUs: 1234,
        realisedProfitUsd8: -8n,
        gasUsed: 9n,
        feesWei: 3n * 10n ** 15n,
        outcome: 'won',
        outcomeDetails: { tipPerGasWei: '11' },
      });
      expect(settled?.settledAt).toBeInstanceOf(Date);
      expect((await executions.open()).map((open) => open.id)).not.toContain(id);
      await expect(executions.settle('999999', { status: 'rejected', reason: 'x' })).rejects.toThrow(
        /no execution 999999/,
      );
    });

    it('keep their decision and are never deleted', async () => {
      const id = await executions.insert(PLANNED);
      for (const change of [
        'notional_usd = 1',
        `plan = '{}'`,
        `borrower = '0x${'00'.repeat(20)}'`,
        'market_id = NULL',
        'created_at = now()',
      ])
        await expect(database.query(`UPDATE executions SET ${change} WHERE id = $1`, [id])).rejects.toThrow(
          /append-only/,
        );
      await expect(database.query('DELETE FROM executions WHERE id = $1', [id])).rejects.toThrow(
        /append-only/,
      );
      await expect(database.query('TRUNCATE executions CASCADE')).rejects.toThrow(/append-only/);
      await database.query(`UPDATE executions SET status = 'dropped', reason = 'x' WHERE id = $1`, [id]);
    });
  });

  describe('outbox', () => {
    it('one transaction: the rows, their authorised executions, the booked volume; in the order of the plans', async () => {
      const before = await booked();
      const intents = [intent(), intent(), intent()];
      const done = await record(...intents);
      const rows = done.kind === 'recorded' ? done.rows : [];
      expect(rows).toHaveLength(3);
      expect(await booked()).toBe(before + 3n * 10_000_000_001n);
      for (const [index, { execution, reservation, ...row }] of intents.entries()) {
        const { executionId, outboxId } = rows[index]!;
        expect(await executions.find(executionId)).toMatchObject({
          ...execution,
          txHash: row.hash,
          settledAt: null,
          plan: { amount: String(2n ** 256n - 1n), key: '***', name: 'a\ufffdb\ufffd', nested: [{ n: 1 }] },
        });
        expect(await outbox.find(8453, SENDER, row.nonce)).toMatchObject({
          ...row,
          id: outboxId,
          executionId,
          status: 'prepared',
          reservedFeeWei: reservation.feeWei,
          reservedLossUsd8: reservation.lossUsd8,
          spentDay: null,
        });
        expect(await outbox.versionsOf(outboxId, executionId)).toMatchObject([{ kind: 'first' }]);
      }
      const ids = rows.map(({ executionId }) => Number(executionId));
      expect(ids).toEqual(ids.toSorted((x, y) => x - y));
    });

    it('money survives the way into one statement at every value that its column can hold', async () => {
      const extremes = [0n, 1n, -1n, 10n ** 78n - 1n, -(10n ** 78n) + 1n, 2n ** 256n - 1n];
      for (const debtToCover of extremes) {
        const simulatedProfitUsd8 = debtToCover % 10n ** 30n;
        const execution = { ...PLANNED, status: 'authorised' as const, debtToCover, simulatedProfitUsd8 };
        const { executionId } = await recorded(intent({ execution }));
        expect(await executions.find(executionId)).toMatchObject({ debtToCover, simulatedProfitUsd8 });
      }
    });

    it('(chain, sender, nonce) is one intent: another is a typed conflict, and nothing of its pass is written', async () => {
      const first = intent();
      await recorded(first);
      const [before, count] = [await booked(), await executions.count()];
      const free = intent();
      const conflict = await record(free, intent({ nonce: first.nonce, hash: hash(7_000_001) }));
      expect(conflict).toMatchObject({
        kind: 'nonce-taken',
        existing: { hash: first.hash, status: 'prepared' },
      });
      // F26 a second process with our key makes the same bytes of the same plan: they are not its to send.
      expect(await record(first)).toMatchObject({ kind: 'nonce-taken' });
      expect(await outbox.find(8453, SENDER, free.nonce)).toBeNull();
      expect([await booked(), await executions.count()]).toEqual([before, count]);
    });

    it('one row that the database refuses: nothing of its pass is written', async () => {
      const [before, count] = [await booked(), await executions.count()];
      const good = intent();
      await expect(record(good, intent({ raw: '0x0' }))).rejects.toThrow(HaltError);
      expect(await outbox.find(8453, SENDER, good.nonce)).toBeNull();
      expect([await booked(), await executions.count()]).toEqual([before, count]);
      expect(await record(good)).toMatchObject({ kind: 'recorded' });
    });

    it('twenty at once for one nonce: one is recorded, one volume is booked', async () => {
      const shared = (nonce += 1);
      const before = await booked();
      const intents = Array.from({ length: 20 }, (_, index) =>
        intent({ nonce: shared, hash: hash(8_000_000 + index) }),
      );
      const results = await Promise.all(intents.map((one) => record(one)));
      expect(results.filter(({ kind }) => kind === 'recorded')).toHaveLength(1);
      expect(results.filter(({ kind }) => kind === 'nonce-taken')).toHaveLength(19);
      expect(await booked()).toBe(before + 10_000_000_001n);
    });

    it('two passes at once for overlapping nonces: each is written as a whole or not at all', async () => {
      const [one, two, three] = [intent(), intent(), intent()];
      const count = await executions.count();
      const other = { ...two, hash: hash(8_100_000) };
      const results = await Promise.allSettled([record(one, two), record(other, three)]);
      const written = results.filter((done) => done.status === 'fulfilled' && done.value.kind === 'recorded');
      expect(written).toHaveLength(1);
      expect(await executions.count()).toBe(count + 2);
      const rows = await Promise.all([one, three].map((row) => outbox.find(8453, SENDER, row.nonce)));
      expect(rows.filter((row) => row !== null)).toHaveLength(1);
    });

    it('a nonce whose transaction failed or was dropped serves another intent', async () => {
      const first = intent();
      const { outboxId } = await recorded(first);
      await outbox.end(outboxId, 'dropped');
      const again = intent({ nonce: first.nonce, hash: hash(9_000_001), door: 'other' });
      expect(await recorded(again)).toMatchObject({ outboxId });
      expect(await outbox.find(8453, SENDER, first.nonce)).toMatchObject({
        hash: again.hash,
        door: 'other',
        status: 'prepared',
      });
    });

    it('every version of a transaction is kept for its execution; the row follows the newest, then the mined one', async () => {
      const first = intent();
      const { outboxId, executionId: id } = await recorded(first);
      const bump = { hash: hash(9_100_001), raw: '0xb1', kind: 'bump', reason: 'too cheap' } as const;
      const late = { hash: hash(9_100_002), raw: '0xc1' } as const;
      const cancellation = { ...late, kind: 'cancellation', reason: 'late' } as const;
      const larger = { feeWei: 8n * 10n ** 15n, lossUsd8: 20_000_000_001n };
      await outbox.addVersion(outboxId, { ...bump, reservation: larger });
      await outbox.addVersion(outboxId, { ...bump, reservation: larger });
      await outbox.addVersion(outboxId, { ...cancellation, reservation: { feeWei: 1n, lossUsd8: 2n } });
      // Any of them may be mined, so the row reserves the largest.
      expect(await outbox.find(8453, SENDER, first.nonce)).toMatchObject({
        reservedFeeWei: larger.feeWei,
        reservedLossUsd8: larger.lossUsd8,
      });
      const { hash: firstHash, raw } = first;
      expect(await outbox.versionsOf(outboxId, id)).toMatchObject([
        { kind: 'first', hash: firstHash, raw, reason: null },
        bump,
        cancellation,
      ]);
      expect(await outbox.find(8453, SENDER, first.nonce)).toMatchObject({ hash: cancellation.hash });
      await outbox.takeVersion(outboxId, bump);
      expect(await outbox.find(8453, SENDER, first.nonce)).toMatchObject({ hash: bump.hash, raw: '0xb1' });

      await outbox.end(outboxId, 'dropped');
      await expect(
        outbox.addVersion(outboxId, { ...bump, hash: hash(9_100_003), reservation: larger }),
      ).rejects.toThrow(/not in flight/);
      const { executionId: other } = await recorded(intent({ nonce: first.nonce, hash: hash(9_100_004) }));
      expect(await outbox.versionsOf(outboxId, other)).toMatchObject([{ kind: 'first' }]);
      expect(await outbox.versionsOf(outboxId, id)).toHaveLength(3);
    });

    it('lists unsettled and mined transactions, and tells the highest mined nonce', async () => {
      const sender: Address = `0x${'5f'.repeat(20)}`;
      expect(await outbox.highestMinedNonce(8453, sender)).toBeUndefined();
      for (const [n, status] of [
        [0, 'mined'],
        [1, 'failed'],
        [2, 'broadcast'],
        [3, 'prepared'],
        [4, 'dropped'],
      ] as const) {
        const one = intent({ nonce: n, hash: hash(10_000_000 + n) });
        const rows = await recorded(one, { chainId: 8453, sender, day: DAY });
        const block = { number: 77, hash: hash(77) };
        if (status === 'mined') await outbox.settle([{ ...aMinedEnd(rows, one.hash, true), block }]);
        else if (status === 'broadcast') await outbox.accept([{ ...rows, hash: one.hash, headToSendUs: 1 }]);
        else if (status !== 'prepared') await outbox.end(rows.outboxId, status);
      }
      expect((await outbox.unsettled(8453, sender)).map((row) => row.nonce)).toEqual([2, 3]);
      expect(await outbox.highestMinedNonce(8453, sender)).toBe(0);
      const mined = { blockNumber: 77, blockHash: hash(77), bookedDay: DAY };
      expect(await outbox.find(8453, sender, 0)).toMatchObject(mined);
      expect((await outbox.minedBetween(8453, sender, 77, 77)).map((row) => row.nonce)).toEqual([0]);
      expect(await outbox.minedBetween(8453, sender, 0, 76)).toEqual([]);
      expect(await outbox.minedBetween(8453, sender, 78, 99)).toEqual([]);
    });

    it.each(['dropped', 'failed', 'reverted'] as const)(
      'what covered no debt is off its day, once: %s',
      async (status) => {
        const before = await booked();
        const one = intent();
        const rows = await recorded(one);
        const end = (): Promise<unknown> =>
          status === 'reverted'
            ? outbox.settle([aMinedEnd(rows, one.hash, false)])
            : outbox.end(rows.outboxId, status);
        await Promise.all([end(), end()]);
        expect(await booked()).toBe(before);
        expect(await outbox.find(8453, SENDER, one.nonce)).toMatchObject({ bookedDay: null });
      },
    );

    it('the receipts of a look are settled together: each row, the volume and the spending of their days, once', async () => {
      const sender: Address = `0x${'6a'.repeat(20)}`;
      const owner = { chainId: 8453, sender, day: DAY };
      const volume = await booked();
      const signed = [0, 1, 2, 3].map((n) => intent({ nonce: n, hash: hash(20_000_000 + n) }));
      const rows = await Promise.all(signed.map((one) => recorded(one, owner)));
      const ends = rows.map((row, n) => {
        const end = aMinedEnd(row, hash(20_000_000 + n), n % 2 === 0);
        const day = n === 3 ? '2026-02-01' : '2026-01-31';
        return { ...end, spent: { day, feeWei: 10n ** BigInt(n), lossUsd8: BigInt(n) } };
      });
      const spent = ends.map((end) => end.spent);
      expect(await outbox.settle(ends)).toEqual(spent);
      const later = ends.map((end) => ({ ...end, spent: { ...end.spent, day: '2026-03-01' } }));
      expect(await Promise.all([outbox.settle(later), outbox.settle(later)])).toEqual([spent, spent]);
      expect(await outbox.spentByDay(8453, sender)).toEqual(
        new Map([
          ['2026-01-31', { feeWei: 111n, lossUsd8: 3n }],
          ['2026-02-01', { feeWei: 1_000n, lossUsd8: 3n }],
        ]),
      );
      const found = await Promise.all(rows.map(({ executionId }) => executions.find(executionId)));
      expect(found.map((row) => row?.status)).toEqual(['succeeded', 'reverted', 'succeeded', 'reverted']);
      expect(await booked()).toBe(volume + 2n * 10_000_000_001n);
      const lost = { ...ends[0]!, outboxId: '999999' };
      await expect(outbox.settle([lost])).rejects.toThrow(/no transaction 999999/);
    });

    it.each([true, false])(
      'F15 reopened is as if never mined, said once or twice (covered: %s)',
      async (covered) => {
        const one = intent();
        const { outboxId, executionId: id } = await recorded(one);
        await outbox.accept([{ outboxId, executionId: id, hash: one.hash, headToSendUs: 1234 }]);
        const rows = `SELECT to_jsonb(t) - 'updated_at' AS t, to_jsonb(e) AS e, d.notional_usd
          FROM transactions t JOIN executions e ON e.id = t.execution_id JOIN daily_volume d ON d.chain_id = t.chain_id AND d.day = '${DAY}'
          WHERE t.id = ${outboxId}`;
        const before = await database.query(rows);
        await outbox.settle([aMinedEnd({ outboxId, executionId: id }, one.hash, covered)]);
        expect(await database.query(rows)).not.toEqual(before);
        await Promise.all([outbox.reopen(outboxId, DAY), outbox.reopen(outboxId, DAY)]);
        expect(await database.query(rows)).toEqual(before);
      },
    );
  });
});
