import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { executionRow } from '../../execution/index.js';
import { aMinedEnd } from '../../../testing/builders/mined-end.js';
import { aPlan } from '../../../testing/builders/plan.js';
import { PooledDatabase, TestDatabase } from '../../../testing/database.js';
import { eventually } from '../../../testing/eventually.js';
import { hasPgBouncer } from '../../../testing/pg-bouncer.js';
import type { Address, Hash } from '../../domain/hex.js';
import { NO_SPEND } from '../../domain/spend.js';
import { Fence, LeaseLost } from '../fence.js';
import { ExecutionsRepository } from './executions.js';
import { LeasesRepository, type LeaseKey } from './leases.js';
import { OutboxRepository, type OutboxIntent } from './outbox.js';

const NOTHING = NO_SPEND;
const LONG_MS = 600_000;
const BLOCK = { number: 7, hash: `0x${'07'.repeat(32)}` } as const;

/** The lease needs no session: each statement may reach the server by another connection. */
const ROADS = [
  { road: 'the server itself', pooled: false },
  { road: 'PgBouncer in transaction mode', pooled: true },
].filter(({ pooled }) => !pooled || hasPgBouncer);

describe.each(ROADS)('the lease of a wallet, through $road', { timeout: 60_000 }, ({ pooled }) => {
  let running: Pick<TestDatabase, 'database' | 'dataSource' | 'stop'>;
  let leases: LeasesRepository;
  let key: LeaseKey;
  let wallets = 0;

  beforeAll(async () => {
    running = await (pooled ? PooledDatabase.start() : TestDatabase.start());
    leases = new LeasesRepository(running.database);
  });

  afterAll(() => running.stop());

  beforeEach(() => {
    wallets += 1;
    const wallet: Address = `0x${wallets.toString(16).padStart(40, '0')}`;
    key = { chainId: 31337, wallet };
  });

  /** As if the lease had run out, by the clock of the server. */
  const runOut = () =>
    running.database.query(`UPDATE leases SET expires_at = now() - interval '1 ms' WHERE wallet = $1`, [
      key.wallet,
    ]);

  it('F26 of two processes one gets it, and the other one hears who has it', async () => {
    expect(await leases.acquire(key, 'first', LONG_MS)).toEqual({ kind: 'acquired', epoch: 1 });
    const by = { holder: 'first', epoch: 1 };
    expect(await leases.acquire(key, 'second', LONG_MS)).toEqual({ kind: 'held', by });
    expect(await leases.renew(key, 1, LONG_MS)).toBe(true);
  });

  it('F26 of twenty at once one gets it, when it is new and when it has run out', async () => {
    const all = () =>
      Promise.all(Array.from({ length: 20 }, (_, index) => leases.acquire(key, `no. ${index}`, LONG_MS)));
    expect((await all()).filter(({ kind }) => kind === 'acquired')).toEqual([{ kind: 'acquired', epoch: 1 }]);
    await runOut();
    await running.database.query(`UPDATE leases SET holder = 'gone' WHERE wallet = $1`, [key.wallet]);
    expect((await all()).filter(({ kind }) => kind === 'acquired')).toEqual([{ kind: 'acquired', epoch: 2 }]);
  });

  it('another chain, or another wallet, is another lease', async () => {
    await leases.acquire(key, 'first', LONG_MS);
    const acquired = { kind: 'acquired', epoch: 1 };
    expect(await leases.acquire({ ...key, chainId: 1 }, 'second', LONG_MS)).toEqual(acquired);
    const wallet: Address = `0x${'ff'.repeat(20)}`;
    expect(await leases.acquire({ ...key, wallet }, 'second', LONG_MS)).toEqual(acquired);
  });

  it('F18 F26 runs out by the clock of the server, and the next process gets a higher epoch', async () => {
    await leases.acquire(key, 'first', 1_000);
    await eventually(
      async () => (await leases.acquire(key, 'second', LONG_MS)).kind === 'acquired',
      'the lease to run out',
    );
    const by = { holder: 'second', epoch: 2 };
    expect(await leases.acquire(key, 'third', LONG_MS)).toEqual({ kind: 'held', by });
    const [row] = await running.database.query(
      `SELECT extract(epoch FROM acquired_at) AS at, extract(epoch FROM now()) AS now FROM leases WHERE wallet = $1`,
      [key.wallet],
    );
    expect(Number(row?.at)).toBeLessThanOrEqual(Number(row?.now));
  });

  it('F26 is kept by renewing it, for longer than it lasts', async () => {
    await leases.acquire(key, 'first', 1_000);
    for (let renewal = 0; renewal < 8; renewal += 1) {
      await sleep(200);
      expect(await leases.renew(key, 1, 1_000)).toBe(true);
    }
    expect(await leases.acquire(key, 'second', LONG_MS)).toMatchObject({ kind: 'held' });
  });

  it('F27 is not renewed under an old epoch; one that ran out is renewed while no other process has taken it', async () => {
    await leases.acquire(key, 'first', LONG_MS);
    await runOut();
    expect(await leases.renew(key, 1, LONG_MS)).toBe(true);
    await runOut();
    await leases.acquire(key, 'second', LONG_MS);
    expect(await leases.renew(key, 1, LONG_MS)).toBe(false);
    await leases.release(key, 1);
    expect(await leases.acquire(key, 'third', LONG_MS)).toMatchObject({ kind: 'held' });
  });

  it('given back, it is free at once', async () => {
    await leases.acquire(key, 'first', LONG_MS);
    await leases.release(key, 1);
    expect(await leases.acquire(key, 'second', LONG_MS)).toEqual({ kind: 'acquired', epoch: 2 });
  });

  it('a process whose answer was lost takes its own lease again', async () => {
    await leases.acquire(key, 'first', LONG_MS);
    expect(await leases.acquire(key, 'first', LONG_MS)).toEqual({ kind: 'acquired', epoch: 2 });
  });

  describe('F27 as the fence of the outbox', () => {
    let fence: Fence;
    let executions: ExecutionsRepository;
    let outbox: OutboxRepository;

    beforeEach(async () => {
      fence = new Fence();
      executions = new ExecutionsRepository(running.database, fence);
      outbox = new OutboxRepository(running.database, fence);
      await leases.acquire(key, 'first', LONG_MS);
      fence.hold(key, 1);
    });

    const takenOver = async () => {
      await runOut();
      expect(await leases.acquire(key, 'second', LONG_MS)).toEqual({ kind: 'acquired', epoch: 2 });
    };

    const intent = (nonce: number): OutboxIntent => {
      const execution = executionRow(aPlan(), { ...key, mode: 'live' }, 'authorised');
      const hash: Hash = `0x${key.wallet.slice(2)}${nonce.toString(16).padStart(24, '0')}`;
      return { nonce, hash, raw: '0x02', door: 'public', reservation: NOTHING, execution };
    };

    const record = (one: OutboxIntent) =>
      outbox.record({ chainId: key.chainId, sender: key.wallet, day: '2026-01-31' }, [one]);

    const recorded = async (nonce: number) => {
      const one = intent(nonce);
      const done = await record(one);
      const row = done.kind === 'recorded' ? done.rows[0] : undefined;
      if (!row) throw new Error('not recorded');
      return { ...one, id: row.outboxId, executionId: row.executionId };
    };

    const rows = () =>
      running.database.query(
        `SELECT to_jsonb(t) AS t, to_jsonb(e) AS e, d.notional_usd FROM transactions t
           JOIN executions e ON e.id = t.execution_id JOIN daily_volume d ON d.chain_id = t.chain_id AND d.day = t.booked_day
           WHERE t.sender = $1 ORDER BY t.nonce`,
        [key.wallet],
      );

    it('takes a nonce and settles while it is held', async () => {
      const { id, executionId, hash } = await recorded(0);
      await outbox.accept([{ outboxId: id, executionId, hash, headToSendUs: 1 }]);
      await outbox.settle([aMinedEnd({ outboxId: id, executionId }, hash, true)]);
      await outbox.reopen(id, '2026-01-31');
      expect(await outbox.find(key.chainId, key.wallet, 0)).toMatchObject({ status: 'broadcast' });
    });

    it('refuses the late row of a process that stood still, writes nothing, and the nonce stays free', async () => {
      const late = intent(0);
      const count = await executions.count();
      await takenOver();
      expect(await record(late)).toEqual({ kind: 'lease-lost' });
      expect(await rows()).toEqual([]);
      expect(await executions.count()).toBe(count);
      fence.hold(key, 2);
      expect(await recorded(0)).toMatchObject({ nonce: 0 });
    });

    it('refuses what a process concludes about its transactions after another one has taken over', async () => {
      const { id, executionId, hash } = await recorded(0);
      await outbox.accept([{ outboxId: id, executionId, hash, headToSendUs: 1 }]);
      await takenOver();
      const before = await rows();
      for (const write of [
        () => outbox.accept([{ outboxId: id, executionId, hash, headToSendUs: 2 }]),
        () => outbox.end(id, 'dropped'),
        () =>
          outbox.addVersion(id, {
            hash: BLOCK.hash,
            raw: '0x03',
            kind: 'cancellation',
            reason: 'late',
            reservation: NOTHING,
          }),
        () => outbox.settle([aMinedEnd({ outboxId: id, executionId }, hash, true)]),
        () => executions.settle(executionId, { status: 'rejected', reason: 'late' }),
      ])
        await expect(write()).rejects.toThrow(LeaseLost);
      expect(await rows()).toEqual(before);
      fence.hold(key, 2);
      await outbox.settle([aMinedEnd({ outboxId: id, executionId }, hash, true)]);
      const settled = await rows();
      fence.hold(key, 1);
      await outbox.reopen(id, '2026-01-31');
      expect(await rows()).toEqual(settled);
    });

    it('refuses every write once it is closed, before any lease was held too', async () => {
      const { id, executionId, hash } = await recorded(0);
      const late = intent(1);
      fence.close(key);
      expect(await record(late)).toEqual({ kind: 'lease-lost' });
      const accepted = { outboxId: id, executionId, hash, headToSendUs: 1 };
      await expect(outbox.accept([accepted])).rejects.toThrow(LeaseLost);
    });

    it('a row that is being written is seen by the process that takes over: it waits for it', async () => {
      const late = intent(0);
      await recorded(1); // books the day
      await runOut();
      // The transaction that holds the day's row keeps the statement from its end.
      const holding = running.dataSource.createQueryRunner();
      await holding.query('BEGIN');
      await holding.query('SELECT 1 FROM daily_volume FOR UPDATE');
      const writing = record(late);
      await eventually(async () => {
        const [row] = await running.database.query(
          `SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'`,
        );
        return Number(row?.n) === 1;
      }, 'the row to wait');
      const taking = leases.acquire(key, 'second', LONG_MS).then(() => outbox.unsettled(31337, key.wallet));
      await holding.query('COMMIT');
      await holding.release();
      expect(await writing).toMatchObject({ kind: 'recorded' });
      expect(await taking).toMatchObject([{ nonce: 0, hash: late.hash }, { nonce: 1 }]);
    });
  });
});
