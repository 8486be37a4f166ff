import { Wallet } from 'ethers';
import { describe, expect, it } from 'vitest';
import { USD } from '../../testing/builders/plan.js';
import { reverting, type Bench } from '../../testing/execution.js';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { executionRow } from './execution-row.js';

/** A plan as an earlier version left it: written, and not signed. */
async function unsigned(bench: Bench, number: number): Promise<string> {
  const { plan } = await bench.plan(number);
  const owner = { chainId: 31337, wallet: bench.signer.address, mode: 'live' } as const;
  return bench.executions.insert(executionRow(plan, owner, 'planned'));
}

describe('two wallets with one database', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();

  const outcomesOf = ({ execution }: Bench): number => {
    const { overall } = execution.outcomes;
    return Object.values(overall.counts).reduce((sum, count) => sum + count, 0);
  };

  it('the start of one leaves the plans and the transactions of the other one alone', async () => {
    const first = await world.start();
    const planned = await unsigned(first, 1);
    const sent = await first.submit(2);
    const second = await world.start();
    expect(await first.statusOf(planned)).toBe('planned');
    expect(await first.outboxOf(0)).not.toBe('dropped');
    expect(second.execution.inFlight().size).toBe(0);

    expect(await first.submit(1)).toMatchObject({ kind: 'submitted', nonce: 1 });
    expect(await second.submit(3)).toMatchObject({ kind: 'submitted', nonce: 0 });
    await first.mine(2);
    expect(await first.settle()).toMatchObject([
      { executionId: sent.executionId, outcome: 'won' },
      { outcome: 'won' },
    ]);
    expect(await second.settle()).toMatchObject([{ outcome: 'won' }]);
  });

  it('a start rejects the plans that its own earlier process left, and those from before wallets were stored', async () => {
    const key = Wallet.createRandom().privateKey;
    const first = await world.start({ key });
    const executionId = await unsigned(first, 1);
    const old = await unsigned(first, 2);
    await first.dataSource.query('ALTER TABLE executions DISABLE TRIGGER keep_decision');
    await first.dataSource.query('UPDATE executions SET chain_id = NULL, wallet = NULL WHERE id = $1', [old]);
    await first.dataSource.query('ALTER TABLE executions ENABLE TRIGGER keep_decision');
    const again = await world.restart();
    expect(await again.statusOf(executionId)).toBe('rejected: interrupted');
    expect(await again.statusOf(old)).toBe('rejected: interrupted');
  });

  it('budgets, outcomes and the pace are of each wallet; the volume of the day is of both', async () => {
    const first = await world.start();
    await first.settled(1, { data: reverting('0x') });
    const { spent } = first.execution.spending();
    expect(spent.feeWei).toBeGreaterThan(0n);
    await first.submit(2);

    const second = await world.start();
    expect(second.execution.spending()).toMatchObject({ spent: { feeWei: 0n }, reserved: { feeWei: 0n } });
    expect(outcomesOf(second)).toBe(0);
    expect(second.execution.outcomes.maxInFlight).toBe(4);
    expect(second.safety.volume.todayUsd8).toBe(100n * USD);

    await second.settled(3);
    const secondAgain = await world.restart();
    expect(outcomesOf(secondAgain)).toBe(1);
    expect(first.execution.spending().spent).toEqual(spent);
  });
});
