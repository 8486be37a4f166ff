import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PLANNED } from '../../testing/builders/executions.js';
import { TestDatabase } from '../../testing/database.js';
import { ExecutionsRepository } from '../database/index.js';
import { executionAnswer } from './executions-answer.js';

const WETH = { address: `0x${'c0'.repeat(20)}`, symbol: 'WETH', decimals: 18 };
const USDC = { address: `0x${'de'.repeat(20)}`, symbol: 'USDC', decimals: 6 };
const candidate = { collateral: WETH, debt: USDC, account: { reads: ['…'] } };

describe('a page of executions', () => {
  let database: TestDatabase;
  let executions: ExecutionsRepository;

  beforeAll(async () => {
    database = await TestDatabase.start();
    executions = new ExecutionsRepository(database.database);
  });
  afterAll(() => database.stop());

  it('says of each execution what its whole row says, without reading the whole plan', async () => {
    const plans: readonly object[] = [
      { candidate, profitAsset: USDC, call: { data: '0x' }, further: [{ a: 1 }, { b: [2, 3] }], route: [1] },
      { candidate, profitAsset: USDC, call: null, further: [] },
      { candidate, call: { data: '0x' } },
      { candidate, profitAsset: null, further: [{ a: 1 }] },
      { candidate: null, reason: 'simulation-reverted' },
      ...[null, 5, { a: 1 }].map((further) => ({ candidate, call: {}, further })),
      ...[{}, [], { candidate: [] }, { candidate: { debt: { symbol: 7 } } }, PLANNED.plan],
    ];
    const ids = await executions.insertMany(plans.map((plan) => ({ ...PLANNED, plan })));
    const page = await executions.latest(PLANNED.chainId ?? 0, plans.length);
    expect(page.map(({ id }) => id)).toEqual(ids.toReversed());
    const whole = await executions.all(ids);
    expect(page.map(executionAnswer)).toEqual(whole.toReversed().map(executionAnswer));
    const counts = whole.map((row) => executionAnswer(row).liquidations);
    expect(counts.slice(0, 8)).toEqual([3, 1, 1, null, null, 1, 1, 1]);
    expect(counts.slice(8)).toEqual(plans.slice(8).map(() => null));
    expect(page.at(-1)?.plan).toEqual({
      ...{ candidate: { collateral: WETH, debt: USDC }, profitAsset: USDC },
      ...{ call: null, further: [null, null] },
    });
  });
});
