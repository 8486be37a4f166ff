import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ExecutionWorld } from './execution-world.js';

const BENCH = fileURLToPath(new URL('./execution.ts', import.meta.url));
const SECRET = fileURLToPath(new URL('../src/domain/secret.ts', import.meta.url));

/**
 * What every such process begins with: `bench` leads, `at` reports an instant, and ends the process by
 * SIGKILL when it is `last` and has been reached `times` times. `watch` reports before and after a method.
 * Of a list of promises it is the first one that counts.
 */
const PREAMBLE = `
  bench.execution.keepLease();
  const say = (text) => writeSync(1, text + '\\n');
  let reached = 0;
  const at = (instant) => {
    say(instant);
    if (instant === last && ++reached === times) process.kill(process.pid, 'SIGKILL');
  };
  const watch = (owner, method, before, after) => {
    const original = owner[method].bind(owner);
    owner[method] = (...args) => {
      if (before) at(before);
      const result = original(...args);
      const told = (one) => one.then((value) => (at(after), value));
      if (!after) return result;
      return Array.isArray(result) ? result.map((one, index) => (index === 0 ? told(one) : one)) : told(result);
    };
  };`;

export interface Death {
  /** The instant at which the process is killed. */
  readonly last: string;
  /** When it is reached for this time. Default: the first. */
  readonly times?: number;
}

export interface Dead {
  /** What the process said, line by line. */
  readonly said: readonly string[];
  /** Its exit code and signal. */
  readonly ended: readonly unknown[];
}

/** Runs code in another process on the chain and the database of a world, until it kills itself. */
export async function killedBench(
  { anvil, database }: ExecutionWorld,
  key: string,
  code: string,
  { last, times = 1 }: Death,
): Promise<Dead> {
  const { host, port, user, password, database: name } = database;
  const settings = JSON.stringify({ rpcUrl: anvil.url, key, leaseMs: 3_000 });
  const address = JSON.stringify({ host, port, user, database: name });
  const whole = `
    const { writeSync } = await import('node:fs');
    const { Bench, reverting } = await import(${JSON.stringify(BENCH)});
    const { Secret } = await import(${JSON.stringify(SECRET)});
    const database = { ...${address}, password: new Secret(${JSON.stringify(password.reveal())}) };
    const bench = await Bench.start({ ...${settings}, database });
    const last = ${JSON.stringify(last)};
    const times = ${times};
    ${PREAMBLE}
    ${code}
    // The instant never came.
    process.exit(1);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', whole], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended: unknown[] = await once(child, 'close');
  return { said: said.trim().split('\n'), ended };
}
