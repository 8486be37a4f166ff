import { Wallet } from 'ethers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Bench } from '../../testing/execution.js';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { killedBench, type Death } from '../../testing/killed-bench.js';
import { nativeUsd8 } from '../domain/costs.js';
import { NO_SPEND, sumOf, type Spend } from '../domain/spend.js';
import type { Hash } from '../domain/hex.js';

/**
 * Two transactions are mined, the second one reverted, and two more are in flight, when the process settles.
 * The outcomes of both, and what they spent, are written in one statement.
 */
const SETTLE = `
  await bench.submit(1);
  await bench.submit(2, { data: reverting('0x') });
  await bench.mine(2);
  watch(bench.outbox, 'record', 'before the row of a plan', 'after the row of a plan');
  watch(bench.outbox, 'settle', 'before the outcomes', 'after the outcomes');
  await bench.submit(3);
  await bench.submit(4);
  await bench.settle();
  await new Promise((resolve) => setTimeout(resolve, 30_000));`;

/** With how many transactions in all: a plan without a row does not exist for the next process. */
const DEATHS: readonly (Death & { readonly signed: number })[] = [
  { last: 'before the row of a plan', times: 2, signed: 3 },
  { last: 'after the row of a plan', times: 2, signed: 4 },
  { last: 'before the outcomes', times: 1, signed: 4 },
  { last: 'after the outcomes', times: 1, signed: 4 },
];

describe('F25 the budgets after SIGKILL', { timeout: 120_000 }, () => {
  const world = ExecutionWorld.forThisFile();
  let key: string;
  let bench: Bench;

  beforeEach(() => {
    key = Wallet.createRandom().privateKey;
  });

  interface Row {
    readonly hash: Hash;
    readonly price: string;
    readonly fee: string;
    readonly loss: string;
  }

  /** By the receipts of the chain, and for what has none by its reservation. */
  async function byTheChain(): Promise<{ spent: Spend; reserved: Spend; signed: number }> {
    const rows: Row[] = await bench.dataSource.query(
      `SELECT t.hash, e.plan->>'nativePriceUsd8' AS price, t.reserved_fee_wei::text AS fee,
         (t.reserved_loss_usd * 100000000)::numeric(40,0)::text AS loss
       FROM transactions t JOIN executions e ON e.id = t.execution_id`,
    );
    const spent: Spend[] = [];
    const reserved: Spend[] = [];
    for (const { hash, price, fee, loss } of rows) {
      const receipt = (await bench.rpc('eth_getTransactionReceipt', [hash])) as Record<string, string> | null;
      if (!receipt) {
        reserved.push({ feeWei: BigInt(fee), lossUsd8: BigInt(loss) });
        continue;
      }
      const feeWei = BigInt(receipt['gasUsed'] ?? '') * BigInt(receipt['effectiveGasPrice'] ?? '');
      const lossUsd8 = receipt['status'] === '0x1' ? 0n : nativeUsd8(feeWei, BigInt(price));
      spent.push({ feeWei, lossUsd8 });
    }
    return { spent: sumOf(spent), reserved: sumOf(reserved), signed: rows.length };
  }

  /** What the bot believes, in memory and in the database. */
  async function believed(): Promise<{ spent: Spend; reserved: Spend; stored: string }> {
    const { spent, reserved } = bench.execution.spending();
    const [row] = await bench.dataSource.query<{ fee: string }[]>(
      'SELECT coalesce(sum(fee_wei), 0)::text AS fee FROM daily_spend WHERE sender = $1',
      [bench.signer.address],
    );
    return { spent, reserved, stored: row?.fee ?? '' };
  }

  it.each(DEATHS)('$last ($times): used is what the chain took, and what is in flight', async (death) => {
    const { ended } = await killedBench(world, key, SETTLE, death);
    expect(ended).toEqual([null, 'SIGKILL']);

    bench = await world.start({ key, funded: false });
    const { signed, ...chain } = await byTheChain();
    expect(signed).toBe(death.signed);
    expect(chain.reserved.feeWei).toBeGreaterThan(0n);
    expect(chain.spent.lossUsd8).toBeGreaterThan(0n);
    expect(await believed()).toEqual({ ...chain, stored: String(chain.spent.feeWei) });

    await bench.mineAndSettle();
    const after = await byTheChain();
    expect(after.reserved).toEqual(NO_SPEND);
    expect(await bench.count()).toBe(death.signed);
    const { spent } = after;
    const settled = { spent, reserved: NO_SPEND, stored: String(spent.feeWei) };
    expect(await believed()).toEqual(settled);

    bench = await world.restart();
    expect(await believed()).toEqual(settled);
  });
});
