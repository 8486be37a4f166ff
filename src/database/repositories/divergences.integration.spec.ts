import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestDatabase } from '../../../testing/database.js';
import type { Address, Hash } from '../../domain/hex.js';
import type { Database } from '../database.js';
import { divergenceStatement, DivergencesRepository, type NewDivergence } from './divergences.js';

const BORROWER: Address = `0x${'b0'.repeat(20)}`;
const hash = (n: number): Hash => `0x${n.toString(16).padStart(64, '0')}`;

describe('divergences', () => {
  let running: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    running = await TestDatabase.start();
    ({ database } = running);
  });

  afterAll(() => running.stop());

  const insert = (found: NewDivergence): Promise<unknown> => database.query(...divergenceStatement(found));

  it('are kept', async () => {
    const divergences = new DivergencesRepository(database);
    const found = {
      chainId: 31337,
      protocol: 'aave',
      account: BORROWER,
      blockNumber: 9,
      blockHash: hash(9),
      detail: { ours: '1', chain: '2' },
    };
    await insert(found);
    expect(await divergences.latest(1)).toMatchObject([found]);
  });

  it('F55 a position that stays wrong has one divergence a minute, and a flood has 100', async () => {
    const divergences = new DivergencesRepository(database);
    const rowsOf = async (): Promise<number> => (await divergences.latest(1_000)).length;
    await database.query('TRUNCATE divergences');
    const wrong = { chainId: 31337, protocol: 'aave', blockHash: hash(1), detail: { ours: '1', chain: '2' } };
    for (let block = 1; block <= 30; block++)
      await insert({ ...wrong, account: BORROWER, blockNumber: block });
    expect(await rowsOf()).toBe(1);
    for (let n = 1; n <= 150; n++) {
      const account = `0x${n.toString(16).padStart(40, '0')}` as const;
      await insert({ ...wrong, account, blockNumber: n });
    }
    expect(await rowsOf()).toBe(100);
    // The flood of one chain takes nothing from another one.
    await insert({ ...wrong, chainId: 8453, account: BORROWER, blockNumber: 1 });
    expect(await rowsOf()).toBe(101);
    await database.query(`UPDATE divergences SET at = at - interval '2 minutes'`);
    await insert({ ...wrong, account: BORROWER, blockNumber: 31 });
    expect(await rowsOf()).toBe(102);
  });
});
