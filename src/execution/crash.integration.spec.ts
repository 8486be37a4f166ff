import { Wallet } from 'ethers';
import { beforeEach, describe, expect, it } from 'vitest';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { killedBench } from '../../testing/killed-bench.js';
import { USD } from '../../testing/builders/plan.js';
import { type Bench } from '../../testing/execution.js';
import { faultBegins } from '../../testing/fault-times.js';

/**
 * The instants of one submission at which a process is killed, in their order. Between two of them the
 * process does one thing that outlives it: it writes a row, or it hands the transaction over.
 */
const INSTANTS = [
  'before signing',
  'after signing, before the row',
  'after the row',
  'before the hand-over',
  'after the hand-over',
  'with the acceptance saved',
] as const;

type Instant = (typeof INSTANTS)[number];

/** Code of the process that is killed: it says each instant. */
const SUBMIT = `
  const intent = await bench.plan(1);
  watch(bench.signer, 'sign', 'before signing');
  watch(bench.outbox, 'record', 'after signing, before the row', 'after the row');
  watch(bench.chain, 'sendRawTransactions', 'before the hand-over', 'after the hand-over');
  watch(bench.outbox, 'accept', undefined, 'with the acceptance saved');
  await bench.carryOut(intent);
  // The acceptance is saved in the background.
  await new Promise((resolve) => setTimeout(resolve, 30_000));`;

/** As {@link INSTANTS}, of the plans of one pass. The second one counts where there is one for each. */
const OF_THREE = [
  'before a signature',
  'before the rows',
  'after the rows',
  'before the hand-over',
  'after the hand-over',
] as const;

const SUBMIT_THREE = `
  watch(bench.signer, 'sign', 'before a signature');
  watch(bench.outbox, 'record', 'before the rows', 'after the rows');
  watch(bench.chain, 'sendRawTransactions', 'before the hand-over', 'after the hand-over');
  await bench.submitAll(1, 2, 3);
  await new Promise((resolve) => setTimeout(resolve, 30_000));`;

describe('F25 SIGKILL', { timeout: 120_000 }, () => {
  const world = ExecutionWorld.forThisFile();
  let key: string;
  let bench: Bench;

  /** The fault is over when the next process starts, and recovered when it may sign. */
  const start = async (): Promise<void> => {
    const fault = faultBegins();
    bench = await world.start({ key, funded: false });
    fault.recovered();
  };

  /**
   * Another process submits a plan and is killed at this instant, and at no other.
   *
   * @returns the id of the plan's row; undefined when it has none.
   */
  async function killedAt(last: Instant): Promise<string | undefined> {
    const { said, ended } = await killedBench(world, key, SUBMIT, { last });
    // So that no two kills of this file are the same one.
    expect(said).toEqual(INSTANTS.slice(0, INSTANTS.indexOf(last) + 1));
    expect(ended).toEqual([null, 'SIGKILL']);
    const rows = await world.query<{ id: string }>('SELECT id FROM executions');
    return rows[0]?.id;
  }

  beforeEach(() => {
    key = Wallet.createRandom().privateKey;
  });

  it.each(INSTANTS.slice(0, 2))(
    '%s: nothing was sent, nothing is in flight, and the nonce serves the next plan',
    async (instant) => {
      expect(await killedAt(instant)).toBeUndefined();
      await start();
      expect(bench.execution.inFlight().size).toBe(0);
      expect(bench.safety.volume.todayUsd8).toBe(0n);
      expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 0 });
    },
  );

  it.each(INSTANTS.slice(2))(
    '%s: the transaction is mined exactly once, and no row is lost',
    async (instant) => {
      const executionId = await killedAt(instant);
      await start();
      expect([...bench.execution.inFlight()]).toHaveLength(1);
      expect(bench.safety.volume.todayUsd8).toBe(100n * USD);
      expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1 });
      await bench.mine(2);
      expect(await bench.settle()).toMatchObject([
        { executionId, status: 'succeeded' },
        { status: 'succeeded' },
      ]);
      expect(await bench.count()).toBe(2);
      expect((await bench.executions.find(executionId ?? ''))?.status).toBe('succeeded');
      expect(await bench.executions.open()).toEqual([]);
    },
  );

  it.each(OF_THREE)('of the plans of one pass, %s: all of them are sent once, or none', async (last) => {
    const times = last === 'before a signature' ? 2 : 1;
    const { said, ended } = await killedBench(world, key, SUBMIT_THREE, { last, times });
    expect(said.filter((instant) => instant === last)).toHaveLength(times);
    expect(ended).toEqual([null, 'SIGKILL']);
    await start();
    const sent = OF_THREE.indexOf(last) < 2 ? 0 : 3;
    expect(bench.execution.inFlight().size).toBe(sent);
    expect(bench.safety.volume.todayUsd8).toBe(BigInt(sent) * 100n * USD);
    expect(await bench.executions.count()).toBe(sent);
    expect(await bench.submit(4)).toMatchObject({ kind: 'submitted', nonce: sent });
    await bench.mine(2);
    expect(await bench.settle()).toMatchObject(Array(sent + 1).fill({ status: 'succeeded' }));
    expect(await bench.count()).toBe(sent + 1);
    expect(await bench.executions.open()).toEqual([]);
  });

  it('a transaction that is mined while no process runs is settled by the next one, and not sent again', async () => {
    const executionId = await killedAt('after the hand-over');
    bench = await world.open({ key, funded: false });
    await bench.mine(3);
    bench = await world.restart();
    expect(await bench.settle()).toMatchObject([{ executionId, status: 'succeeded' }]);
    expect(await bench.count()).toBe(1);
  });
});
