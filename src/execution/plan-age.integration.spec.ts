import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Wallet } from 'ethers';
import { describe, expect, it, vi } from 'vitest';
import { ExecutionWorld } from '../../testing/execution-world.js';
import { aBlock } from '../../testing/builders/blocks.js';
import { PassTrace } from '../domain/pass-trace.js';

const FIXTURE = fileURLToPath(new URL('../../testing/execution.ts', import.meta.url));
const SECRET = fileURLToPath(new URL('../domain/secret.ts', import.meta.url));
const LIMIT_MS = 4_000;

describe('F50 a plan that is too old', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();

  it('is not signed when the clock jumps in mid-pass; a new plan is', async () => {
    const bench = await world.start({ maxPlanAgeMs: 30_000 });
    const sign = vi.spyOn(bench.signer, 'sign');
    const intent = await bench.plan(1);
    bench.clock.putForward(30_000);
    expect(await bench.carryOut(intent)).toMatchObject({
      kind: 'rejected',
      reason: 'plan-too-old',
      detail: { limitMs: '30000' },
    });
    expect(sign).not.toHaveBeenCalled();
    expect(await bench.executions.count()).toBe(0);
    expect(bench.safety.status()).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });
    expect(await bench.submit(1)).toMatchObject({ kind: 'submitted', nonce: 0 });
  });

  it('is not handed over when its row took too long; its nonce serves the next plan', async () => {
    const bench = await world.start({ maxPlanAgeMs: 30_000 });
    const record = bench.outbox.record.bind(bench.outbox);
    vi.spyOn(bench.outbox, 'record').mockImplementationOnce(async (...args) => {
      const recorded = await record(...args);
      bench.clock.putForward(30_000);
      return recorded;
    });
    const send = vi.spyOn(bench.chain, 'sendRawTransactions');
    expect(await bench.submit(1)).toMatchObject({ kind: 'rejected', reason: 'plan-too-old' });
    expect(send).not.toHaveBeenCalled();
    expect(await bench.bookedToday()).toBe(0n);
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 0 });
  });

  it('is not signed when a newer head has replaced its block', async () => {
    const bench = await world.start();
    const intent = await bench.plan(1);
    const newer = { ...aBlock(intent.plan.block.number), receivedAtMs: 0 };
    const trace = new PassTrace(bench.clock, bench.clock.monotonicMs(), () => newer);
    expect(await bench.carryOut({ ...intent, trace })).toMatchObject({
      kind: 'rejected',
      reason: 'plan-too-old',
      detail: { replacedBlock: intent.plan.block.hash },
    });
    expect(await bench.submit(1)).toMatchObject({ kind: 'submitted', nonce: 0 });
  });

  it('is not signed after SIGSTOP of the process; the process then makes and sends a new one', async () => {
    const key = Wallet.createRandom().privateKey;
    const { host, port, user, password, database } = world.database;
    const address = { host, port, user, database };
    const settings = { rpcUrl: world.anvil.url, key, maxPlanAgeMs: LIMIT_MS };
    const code = `
      const { writeSync } = await import('node:fs');
      const { Bench } = await import(${JSON.stringify(FIXTURE)});
      const { Secret } = await import(${JSON.stringify(SECRET)});
      const database = { ...${JSON.stringify(address)}, password: new Secret(${JSON.stringify(password.reveal())}) };
      const bench = await Bench.start({ ...${JSON.stringify(settings)}, database });
      const say = (value) => writeSync(1, JSON.stringify(value) + '\\n');
      const intent = await bench.plan(1);
      say('planned');
      process.kill(process.pid, 'SIGSTOP');
      say(await bench.carryOut(intent));
      let again;
      do again = await bench.submit(1);
      while (again.reason === 'plan-too-old');
      say(again);
      process.exit(0);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said: unknown[] = [];
    for await (const line of createInterface(child.stdout)) {
      said.push(JSON.parse(line));
      if (said.length > 1) continue;
      await sleep(LIMIT_MS);
      child.kill('SIGCONT');
    }
    if (child.exitCode === null) await once(child, 'exit');
    expect(said).toMatchObject([
      'planned',
      { kind: 'rejected', reason: 'plan-too-old' },
      { kind: 'submitted', nonce: 0 },
    ]);
  });
});
