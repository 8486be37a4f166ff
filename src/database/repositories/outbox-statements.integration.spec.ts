import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PLANNED } from '../../../testing/builders/executions.js';
import { TestDatabase } from '../../../testing/database.js';
import { ExecutionsRepository } from './executions.js';
import { decisionValues, toJson } from './decision-columns.js';
import { RECORD } from './outbox-statements.js';

const SENDER = `0x${'5e'.repeat(20)}`;
const HISTORY = 5_000;

/** A step of a plan as PostgreSQL explains it. */
interface Step {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Step[];
}

/** How many rows of the table were looked at. */
function readOf(step: Step, table: string): number {
  const {
    'Actual Rows': rows,
    'Actual Loops': loops,
    'Rows Removed by Filter': removed = 0,
    Plans = [],
  } = step;
  const own = step['Relation Name'] === table ? (rows + removed) * loops : 0;
  return Plans.reduce((sum, child) => sum + readOf(child, table), own);
}

describe('the statement that makes a list of transactions durable', { timeout: 60_000 }, () => {
  let running: TestDatabase;

  beforeAll(async () => {
    running = await TestDatabase.start();
  });

  afterAll(() => running.stop());

  it('does not read what the wallet sent before, however much that is', async () => {
    const { database, dataSource } = running;
    const id = await new ExecutionsRepository(database).insert(PLANNED);
    await database.query(
      `INSERT INTO transactions (execution_id, chain_id, sender, nonce, hash, raw, door, status)
        SELECT $1, 8453, $2, n, '0x' || lpad(to_hex(n), 64, '0'), '0x02', 'public', 'dropped'
        FROM generate_series(1, $3::integer) AS n`,
      [id, SENDER, HISTORY],
    );
    const items = Array.from({ length: 20 }, (_, index) => {
      const nonce = HISTORY + 1 + index;
      const hash = `0x${nonce.toString(16).padStart(64, '0')}`;
      const sent = {
        nonce,
        hash,
        raw: '0x02f8',
        door: 'public',
        reserved_fee_wei: '1',
        reserved_loss_usd: '1',
      };
      return { ...decisionValues({ ...PLANNED, status: 'authorised' }), ...sent };
    });
    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    const explain = `EXPLAIN (ANALYZE, FORMAT JSON) ${RECORD}`;
    const values = [toJson(items), 8453, SENDER, '2026-01-31', null];
    const { records } = await runner.query(explain, values, true);
    await runner.rollbackTransaction();
    await runner.release();
    const [{ 'QUERY PLAN': plans }] = records as [{ 'QUERY PLAN': [{ Plan: Step }] }];
    expect(readOf(plans[0].Plan, 'transactions')).toBeLessThan(HISTORY / 10);
  });
});
