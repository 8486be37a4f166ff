import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Logger } from '@nestjs/common';
import { Wallet } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AnvilProcess } from '../../devnet/anvil.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../database/index.js';
import { Bench, USD } from '../../testing/execution.js';

const FIXTURE = fileURLToPath(new URL('../../testing/execution.ts', import.meta.url));
const SECRET = fileURLToPath(new URL('../domain/secret.ts', import.meta.url));

/** Where the process dies, as code that runs in it before it submits one plan. */
const CRASH_POINTS = {
  'before signing': `bench.signer.sign = die;`,
  'after signing, before the row': `bench.outbox.record = die;`,
  'after the row': `after(bench.outbox, 'record');`,
  'before the hand-over': `bench.chain.sendRawTransaction = die;`,
  'after the broadcast': `after(bench.chain, 'sendRawTransaction');`,
  'after the broadcast, with the acceptance half saved': `after(bench.executions, 'markSubmitted');`,
} as const;

type CrashPoint = keyof typeof CRASH_POINTS;

describe('F25 SIGKILL', { timeout: 60_000 }, () => {
  let dataDir: string;
  let database: EmbeddedPostgres;
  let anvil: AnvilProcess;
  let key: string;
  let bench: Bench | undefined;

  const restarted = async (): Promise<Bench> => {
    bench = await Bench.start({ rpcUrl: anvil.url, database, key, funded: false });
    return bench;
  };

  /** Another process submits a plan and is killed on its way. @returns the id of the plan's row. */
  async function dieAt(setUp: string): Promise<string> {
    const { host, port, user, password } = database;
    const settings = { rpcUrl: anvil.url, key };
    const address = { host, port, user, database: database.database };
    const code = `
      const { Bench } = await import(${JSON.stringify(FIXTURE)});
      const { Secret } = await import(${JSON.stringify(SECRET)});
      const database = { ...${JSON.stringify(address)}, password: new Secret(${JSON.stringify(password.reveal())}) };
      const bench = await Bench.start({ ...${JSON.stringify(settings)}, database });
      const die = () => process.kill(process.pid, 'SIGKILL');
      const after = (owner, method) => {
        const original = owner[method].bind(owner);
        owner[method] = async (...args) => { await original(...args); die(); };
      };
      const { plan, executionId } = await bench.plan(1);
      process.stdout.write(executionId);
      ${setUp}
      await bench.execution.submit(plan, executionId, performance.now());
      await new Promise((resolve) => setTimeout(resolve, 10_000));`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let executionId = '';
    child.stdout.on('data', (chunk: Buffer) => (executionId += chunk.toString()));
    const ended: unknown[] = await once(child, 'exit');
    expect(ended).toEqual([null, 'SIGKILL']);
    return executionId;
  }

  beforeAll(async () => {
    Logger.overrideLogger(false);
    dataDir = mkdtempSync(join(tmpdir(), 'chimera-crash-'));
    [database, anvil] = await Promise.all([
      startEmbeddedPostgres({ dataDir }),
      AnvilProcess.start({ chainId: 31337, port: 0, statesKept: 64 }),
    ]);
  });

  beforeEach(async () => {
    key = Wallet.createRandom().privateKey;
    await Bench.reset(database);
  });

  afterEach(() => bench?.close());

  afterAll(async () => {
    await anvil.stop();
    await database.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it.each<CrashPoint>(['before signing', 'after signing, before the row'])(
    '%s: nothing was sent, nothing is in flight, and the nonce serves the next plan',
    async (point) => {
      const executionId = await dieAt(CRASH_POINTS[point]);
      const { execution, safety, ...after } = await restarted();
      expect(execution.inFlight().size).toBe(0);
      expect(safety.dailyVolumeUsd8()).toBe(0n);
      expect((await after.executions.find(executionId))?.status).toBe('planned');
      expect(await bench?.submit(2)).toMatchObject({ kind: 'submitted', nonce: 0 });
    },
  );

  it.each<CrashPoint>([
    'after the row',
    'before the hand-over',
    'after the broadcast',
    'after the broadcast, with the acceptance half saved',
  ])('%s: exactly one transaction, no lost row', async (point) => {
    const executionId = await dieAt(CRASH_POINTS[point]);
    const { execution, safety, ...after } = await restarted();
    expect([...execution.inFlight()]).toHaveLength(1);
    expect(safety.dailyVolumeUsd8()).toBe(100n * USD);
    expect(await bench?.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1 });
    await bench?.mine(2);
    const settlements = await bench?.settle();
    expect(settlements?.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded']);
    expect(await bench?.count()).toBe(2);
    expect((await after.executions.find(executionId))?.status).toBe('succeeded');
    expect(await after.executions.open()).toEqual([]);
  });

  it('mined while no process was alive: settled by the next one, and not sent again', async () => {
    const executionId = await dieAt(CRASH_POINTS['after the broadcast']);
    const watcher = await Bench.open({ rpcUrl: anvil.url, database, key, funded: false });
    await watcher.mine(3);
    await watcher.close();
    await restarted();
    expect(await bench?.settle()).toMatchObject([{ executionId, outcome: 'succeeded' }]);
    expect(await bench?.count()).toBe(1);
  });
});
