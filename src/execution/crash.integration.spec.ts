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
  'with the acceptance half saved',
  'with the acceptance saved',
] as const;

type Instant = (typeof INSTANTS)[number];

/** Code of the process that is killed: it says the id of the plan's row, and then each instant. */
const SUBMIT = `
  const intent = await bench.plan(1);
  say(intent.executionId);
  watch(bench.signer, 'sign', 'before signing');
  watch(bench.outbox, 'record', 'after signing, before the row', 'after the row');
  watch(bench.chain, 'sendRawTransaction', 'before the hand-over', 'after the hand-over');
  watch(bench.executions, 'markSubmitted', undefined, 'with the acceptance half saved');
  watch(bench.outbox, 'markBroadcast', undefined, 'with the acceptance saved');
  await bench.execution.submit(intent);
  // The acceptance is saved in the background.
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
   * @returns the id of the plan's row
   */
  async function killedAt(last: Instant): Promise<string> {
    const { said, ended } = await killedBench(world, key, SUBMIT, { last });
    const [executionId = '', ...instants] = said;
    // So that no two kills of this file are the same one.
    expect(instants).toEqual(INSTANTS.slice(0, INSTANTS.indexOf(last) + 1));
    expect(ended).toEqual([null, 'SIGKILL']);
    return executionId;
  }

  beforeEach(() => {
    key = Wallet.createRandom().privateKey;
  });

  it.each(INSTANTS.slice(0, 2))(
    '%s: nothing was sent, nothing is in flight, and the nonce serves the next plan',
    async (instant) => {
      const executionId = await killedAt(instant);
      await start();
      expect(bench.execution.inFlight().size).toBe(0);
      expect(bench.safety.volume.todayUsd8).toBe(0n);
      expect(await bench.executions.find(executionId)).toMatchObject({
        status: 'rejected',
        reason: 'interrupted',
      });
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
      expect((await bench.executions.find(executionId))?.status).toBe('succeeded');
      expect(await bench.executions.open()).toEqual([]);
    },
  );

  it('a transaction that is mined while no process runs is settled by the next one, and not sent again', async () => {
    const executionId = await killedAt('after the hand-over');
    bench = await world.open({ key, funded: false });
    await bench.mine(3);
    bench = await world.restart();
    expect(await bench.settle()).toMatchObject([{ executionId, status: 'succeeded' }]);
    expect(await bench.count()).toBe(1);
  });
});
