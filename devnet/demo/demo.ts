/** The demo: a real chain, a real bot, a falling market. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openPage } from '../../src/watch/open-page.js';
import { demoBorrowers } from '../borrowers/borrowers.js';
import { Stack } from '../stack/stack.js';
import type { DemoArguments } from './arguments.js';
import { openElsewhere } from './elsewhere.js';
import { Narrator } from './narrator.js';
import { Follower, playInterest, playScenario } from './run.js';
import { type DemoTotals, totalsOf, treasuryUsd8 } from './totals.js';

/** Resolves at the first Ctrl-C or SIGTERM; a second one ends at once. */
function stopSignal(): { readonly promise: Promise<void>; readonly given: () => boolean } {
  let given = false;
  const promise = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        if (given) process.exit(130);
        given = true;
        resolve();
      });
  });
  return { promise, given: () => given };
}

/** The file with the key is gone when the demo is. */
function openHere(page: string): void {
  // Not in the directory of the system: browsers that are shut in see another one there.
  mkdirSync('data', { recursive: true });
  const directory = mkdtempSync(join('data', 'demo-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  openPage(page, directory, {
    platform: process.platform,
    variable: (name) => process.env[name] || undefined,
  });
}

async function build(): Promise<void> {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const [code] = (await once(
    spawn('npm', ['run', '--silent', 'build'], { cwd, stdio: ['ignore', 'inherit', 'inherit'] }),
    'close',
  )) as [number | null];
  if (code !== 0) throw new Error('the bot could not be built');
}

export async function demo({
  once: ends,
  json,
  open,
  borrowers: count,
  blockMs,
}: DemoArguments): Promise<void> {
  const stop = stopSignal();
  const borrowers = demoBorrowers(count);
  const names = new Map(borrowers.map(({ account, name }) => [account.toLowerCase(), name]));
  const narrator = new Narrator((line) => console.log(line), names, process.stdout.isTTY && !json);

  narrator.progress('building the bot');
  await build();
  narrator.progress(
    'HF is the health factor; in brackets is why that much is repaid or that position is left',
  );
  const stack = await Stack.start({ borrowers, onProgress: (step) => narrator.progress(step) });
  try {
    narrator.progress('opening positions on Compound and Morpho');
    for (const { account, name } of await openElsewhere(stack.devnet)) narrator.name(account, name);
    await stack.devnet.startMining(blockMs);
    const follower = new Follower();
    narrator.progress('starting the bot');
    const bot = await stack.startBot(
      (event) => {
        follower.hear(event);
        narrator.told(event);
      },
      { beside: ['compound', 'morpho'] },
    );
    void bot.exited.then(({ code }) => {
      if (!stop.given() && code !== 0) narrator.line(`the bot ended with ${String(code)}:\n${bot.tail}`);
    });

    narrator.heading('See it, halt it and resume it in a browser:');
    const page = `${stack.apiUrl}/dashboard#key=${stack.keys.operator}`;
    narrator.line(page);
    if (open && !ends && !json && process.stdout.isTTY) openHere(page);
    const liquidatable = await playScenario(stack, follower, narrator, stop.given);
    if (!stop.given()) await playInterest(stack, follower, narrator, stop.given);
    const totals = await totalsOf(stack, narrator.borrowers, liquidatable, follower.lastReasons);
    await close(stack, narrator, totals);
    if (!ends && !stop.given()) {
      invite(stack, narrator);
      await stop.promise;
    }
    narrator.progress('stopping');
    const { code } = await bot.stop();
    if (code !== 0) throw new Error(`the bot ended with ${String(code)}:\n${bot.tail}`);
    if (json) console.log(JSON.stringify(totals));
  } finally {
    await stack.stop();
  }
}

async function close(stack: Stack, narrator: Narrator, totals: DemoTotals): Promise<void> {
  const money = (dollars: number): string =>
    `$${dollars.toLocaleString('en-US', { minimumFractionDigits: 2 })}`;
  narrator.heading('The books');
  narrator.table([
    ['borrowers', String(totals.borrowers)],
    ['fell below a health factor of 1', String(totals.liquidatable)],
    ['liquidated', String(totals.liquidated)],
    ...Object.entries(totals.skipped).map(([reason, many]) => [`left alone: ${reason}`, String(many)]),
    ['sent and failed', String(totals.failed)],
    ['simulated profit, net', money(totals.simulatedProfitUsd)],
    ['realised profit, net', money(totals.realisedProfitUsd)],
    [
      'in the treasury, at present prices',
      money(Number((await treasuryUsd8(stack.devnet)) / 10n ** 6n) / 100),
    ],
    ['new head to transaction sent, p50', `${totals.headToSendMs.p50} ms`],
    ['new head to transaction sent, p99', `${totals.headToSendMs.p99} ms`],
    ['executions on record', String(totals.rows)],
  ]);
}

function invite(stack: Stack, narrator: Narrator): void {
  const { viewer, operator } = stack.keys;
  const order = (what: string, reason: string): void => {
    narrator.line(`curl -H "Authorization: Bearer $OPERATOR" \\`);
    narrator.line(`  -H 'Content-Type: application/json' -d '{"reason":"${reason}"}' \\`);
    narrator.line(`  ${stack.apiUrl}/api/v1/safety/${what}`);
  };
  narrator.heading('Still running. Ctrl-C ends it. In another terminal:');
  narrator.line(`curl ${stack.apiUrl}/health/ready`);
  narrator.line(`VIEWER=${viewer}`);
  narrator.line(`OPERATOR=${operator}`);
  narrator.line(`curl -H "Authorization: Bearer $VIEWER" ${stack.apiUrl}/api/v1/status`);
  order('halt', 'having a look');
  order('resume', 'seen enough');
  narrator.line(`The chain is at ${stack.devnet.rpcUrl} (chain id ${stack.devnet.chainId}).`);
}
