import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { botConfig } from '../../devnet/stack/bot-config.js';
import { Stack } from '../../devnet/stack/stack.js';
import { demoBorrowers } from '../../devnet/borrowers/borrowers.js';
import { DEMO_SCENARIO, playStep } from '../../devnet/prices/scenario.js';
import { eventually } from '../../testing/eventually.js';
import { send } from '../../testing/send.js';
import type { EventNamed } from '../../src/domain/events/events.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Where nothing is deployed: the chain might as well be without our contract. */
const NOWHERE = '0x00000000000000000000000000000000000c0de0';
const BORROWERS = 12;
type Plan = EventNamed<'plan-ready'>;

const LARGE = 10n ** 24n;

let stack: Stack;
/** Of the positions that would have been liquidated, those whose debt the rival has. */
let plans: readonly Plan[] = [];
let directory: string;
let file: string;

beforeAll(async () => {
  stack = await Stack.start({ borrowers: demoBorrowers(BORROWERS), settings: { mode: 'dry-run' } });
  directory = await mkdtemp(join(tmpdir(), 'chimera-watch-'));
  // PostgreSQL refuses root: another user has to reach its directory inside this one.
  await chmod(directory, 0o755);
  const yaml = botConfig(stack.devnet, { dataDir: join(directory, 'unused') }, stack.keys, {});
  file = join(directory, 'watch.yaml');
  // Of a live bot, with its contract: watch takes neither.
  await writeFile(file, yaml.replaceAll(stack.devnet.addresses.chimera, NOWHERE));
}, 120_000);

afterAll(async () => {
  await stack.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Liquidates a position as another account would, with tokens of its own. */
async function liquidateAsRival({
  collateral,
  debt,
  borrower,
}: Plan): Promise<{ hash: string; block: number }> {
  const { devnet } = stack;
  const [seized, covered] = [collateral, debt].map(
    (symbol) => Object.entries(devnet.tokens).find(([name]) => name === symbol)?.[1].address,
  );
  const { aavePool } = devnet.contracts;
  const words = [seized, covered, borrower, LARGE, false] as const;
  const rival = devnet.accounts.supplier;
  const receipt = await send(devnet, rival, aavePool, 'liquidationCall', ...words);
  return { hash: receipt.hash, block: receipt.blockNumber };
}

/** A running `npx chimera watch --json`. */
class Watching {
  readonly events: { readonly event: string }[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #err = '';

  constructor(...words: string[]) {
    this.#child = spawn(process.execPath, [join(root, 'dist/src/cli/main.js'), 'watch', '--json', ...words], {
      cwd: directory,
      env: { PATH: process.env['PATH'], RPC_PRIMARY_HTTP: stack.devnet.rpcUrl },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#ended = once(this.#child, 'close');
    const { stdout, stderr } = this.#child;
    if (stdout) createInterface(stdout).on('line', (line) => this.events.push(eventIn(line)));
    stderr?.on('data', (chunk: Buffer) => (this.#err += chunk.toString()));
  }

  /** @throws Error when it ends before, with what it wrote. */
  async has(name: string): Promise<void> {
    await eventually(async () => {
      if (this.#child.exitCode !== null) throw new Error(`watch ended: ${this.#err}`);
      // It looks at heads, so there has to be one.
      await stack.devnet.mine();
      return this.events.some(({ event }) => event === name);
    }, name);
  }

  plans(): Plan[] {
    return this.events.filter((event): event is Plan => event.event === 'plan-ready');
  }

  /** As Ctrl-C does. */
  async end(): Promise<{ code: number | null; err: string }> {
    this.#child.kill('SIGINT');
    await this.#ended;
    return { code: this.#child.exitCode, err: this.#err };
  }
}

/** A running `npx chimera watch` that draws its table, as on a terminal. */
class Terminal {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #text = '';

  constructor(...words: string[]) {
    const program = `
      import 'reflect-metadata';
      import { run } from ${JSON.stringify(join(root, 'dist/src/cli/run.js'))};
      const write = (text) => void process.stdout.write(text);
      const print = (line) => write(line + '\\n');
      process.exitCode = await run(${JSON.stringify(['watch', ...words])}, { print, remark: print, draw: write });`;
    this.#child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: root,
      env: { PATH: process.env['PATH'], RPC_PRIMARY_HTTP: stack.devnet.rpcUrl },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#ended = once(this.#child, 'close');
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#text += chunk.toString()));
  }

  /** @throws Error when it ends before, with what it wrote. */
  async shows(wanted: RegExp): Promise<void> {
    await eventually(async () => {
      if (this.#child.exitCode !== null) throw new Error(`watch ended: ${this.#text}`);
      await stack.devnet.mine();
      return wanted.test(this.#text);
    }, `${wanted.source}, in:\n${this.#text}`);
  }

  async end(): Promise<{ code: number | null; text: string }> {
    this.#child.kill('SIGINT');
    await this.#ended;
    return { code: this.#child.exitCode, text: this.#text };
  }
}

const eventIn = (line: string): { readonly event: string } => JSON.parse(line) as { event: string };

/** What a plan does, and what it brings before the bid, which follows from the gas of earlier proofs. */
const essence = (plan: Plan): object => ({
  ...{ protocol: plan.protocol, borrower: plan.borrower, healthFactorWad: plan.healthFactorWad },
  ...{ collateral: plan.collateral, debt: plan.debt, debtToCover: plan.debtToCover, sizing: plan.sizing },
  ...{ funding: plan.funding, liquidations: plan.liquidations, profitToken: plan.profitToken },
  ...{ grossProfitUsd8: plan.grossProfitUsd8, poolFeeUsd8: plan.poolFeeUsd8, gasUsd8: plan.gasUsd8 },
});
const sorted = (plans: readonly Plan[]): object[] =>
  [...plans].sort((a, b) => (a.borrower < b.borrower ? -1 : 1)).map(essence);

describe('npx chimera watch', () => {
  it('with a URL alone makes the plans of a bot whose contract is deployed', async () => {
    const watching = new Watching('--config', file, '--dir', join(directory, 'rows'));
    const deployed: Plan[] = [];
    let [followed, looked] = [0, 0];
    let hasPools = false;
    const bot = await stack.startBot((event) => {
      if (event.event === 'pools-read') hasPools = true;
      if (event.event === 'plan-ready') deployed.push(event);
      if (event.event === 'pass') [followed, looked] = [event.positions, event.block];
    });
    await watching.has('backfill-finished');
    await watching.has('pools-read');
    await eventually(async () => {
      await stack.devnet.mine();
      return followed === BORROWERS && hasPools;
    }, 'the positions and the pools of the bot');
    const at = (plans: readonly Plan[], block: number): object[] =>
      sorted(plans.filter((plan) => plan.block === block));
    for (const step of DEMO_SCENARIO.slice(0, 3)) {
      await playStep(stack.devnet, step);
      const head = await stack.devnet.provider.getBlockNumber();
      await eventually(() => looked >= head, `a look of the bot at block ${head}`);
      const wanted = at(deployed, head).length;
      await eventually(() => at(watching.plans(), head).length >= wanted, `${wanted} plans at block ${head}`);
      expect(at(watching.plans(), head)).toEqual(at(deployed, head));
    }
    expect(deployed.length).toBeGreaterThan(3);
    await bot.stop();

    const { devnet } = stack;
    const rival = devnet.accounts.supplier.toLowerCase();
    await send(devnet, rival, devnet.token('USDC'), 'approve', devnet.addresses.pool, LARGE);
    const ofUsdc = new Map(deployed.flatMap((plan) => (plan.debt === 'USDC' ? [[plan.borrower, plan]] : [])));
    plans = [...ofUsdc.values()];
    const [first] = plans;
    if (!first) throw new Error('a plan for a debt of USDC was expected');
    const { hash, block } = await liquidateAsRival(first);
    await watching.has('watch-taken');
    const taken = { borrower: first.borrower, sender: rival, hash };
    expect(watching.events.filter(({ event }) => event === 'watch-taken')).toEqual([
      {
        event: 'watch-taken',
        protocol: 'aave',
        ...taken,
        block,
        netProfitUsd8: expect.stringMatching(/^\d+$/) as string,
      },
    ]);
    expect(await watching.end()).toEqual({ code: 0, err: '' });
    expect(watching.events.at(-1)).toMatchObject({ event: 'watch-ended', halted: null, taken: [taken] });
  }, 120_000);

  it('shows in its table, and in its summary, who was first', async () => {
    const terminal = new Terminal('--config', file, '--dir', join(directory, 'rows'));
    await terminal.shows(/^would have +liquidated [1-9]/m);
    const { devnet } = stack;
    const rival = devnet.accounts.supplier.toLowerCase();
    const below: Plan[] = [];
    for (const plan of plans.slice(1))
      if ((await devnet.accountData(plan.borrower)).healthFactorWad < 10n ** 18n) below.push(plan);
    const [next] = below;
    if (!next) throw new Error('a second position below 1 was expected');
    await terminal.shows(new RegExp(`${next.borrower.slice(0, 10)}….* open`));
    const { block } = await liquidateAsRival(next);
    await terminal.shows(
      new RegExp(`${next.borrower.slice(0, 10)}….* taken by ${rival.slice(0, 10)}… at ${block}`),
    );
    await terminal.shows(/^others +liquidated 1 of them/m);
    const { code, text } = await terminal.end();
    expect(code).toBe(0);
    expect(text).toContain('Other accounts liquidated 1 of them:');
    expect(text.replaceAll(/\s+/g, ' ')).toContain(`${next.borrower} by ${rival} in block ${block}`);
  }, 120_000);
});
