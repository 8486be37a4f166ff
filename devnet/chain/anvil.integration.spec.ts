import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../testing/eventually.js';
import { AnvilProcess } from './anvil.js';
import { RpcClient } from './rpc.js';

const module = new URL('./anvil.ts', import.meta.url).href;

/** A process of its own that starts a chain, tells where, and goes on as told. */
async function host(then: string): Promise<{ child: ChildProcess; url: string }> {
  const script = `import { AnvilProcess } from '${module}';
    const anvil = await AnvilProcess.start({ chainId: 31337, port: 0, statesKept: 8 });
    console.log(anvil.url);
    ${then}`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [output] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, url: output.toString().trim() };
}

/** By its answer, not by its pid: a dead process keeps its pid until its parent has reaped it. */
async function alive(url: string): Promise<boolean> {
  return new RpcClient(url).call('eth_chainId').then(
    () => true,
    () => false,
  );
}

async function expectGone(url: string): Promise<void> {
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  await eventually(async () => !(await alive(url)), `the chain at ${url} to end`);
}

describe('anvil process', () => {
  const wait = 'setInterval(() => undefined, 1000);';

  it.each(['SIGTERM', 'SIGKILL'] as const)('dies with a host that gets %s', async (signal) => {
    const { child, url } = await host(wait);
    expect(await alive(url)).toBe(true);
    child.kill(signal);
    const [, received] = (await once(child, 'exit')) as [number | null, string];
    expect(received).toBe(signal);
    await expectGone(url);
  });

  it.each([
    ['throws', 'setTimeout(() => { throw new Error("oops"); }, 50);'],
    ['has nothing left to do', ''],
  ])('dies with a host that %s', async (_, then) => {
    const { child, url } = await host(then);
    if (child.exitCode === null) await once(child, 'exit');
    await expectGone(url);
  });

  it('leaves a host with a shut-down of its own the time to use the chain', async () => {
    const { child, url } = await host(`${wait}
      process.on('SIGTERM', async () => {
        await new Promise((wake) => setTimeout(wake, 100));
        const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(anvil.url, { method: 'POST', headers, body });
        process.exit(answer.ok ? 7 : 1);
      });`);
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(7);
    await expectGone(url);
  });

  it('says why it did not start', async () => {
    const first = await AnvilProcess.start({ chainId: 31337, port: 0, statesKept: 8 });
    const port = Number(new URL(first.url).port);
    const second = AnvilProcess.start({ chainId: 31337, port, statesKept: 8 });
    await expect(second).rejects.toThrow(/did not start.*ended with.*in use/is);
    await first.stop();
    await expectGone(first.url);
  });
});
