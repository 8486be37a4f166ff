import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { demoBorrowers, DEMO_SCENARIO, playStep, startDevnet, type Devnet } from '../../devnet/index.js';
import { botConfig, newApiKeys } from '../../devnet/stack/bot-config.js';

const COMMAND = fileURLToPath(new URL('../../scripts/chimera.mjs', import.meta.url));
/** Ether rises, and falls below where it was: some of each kind of borrower are below 1. */
const STEPS = 3;
const BLOCK_MS = 1_000;
const WAD = 10n ** 18n;
const MARKETS = ['aave', 'compound', 'morpho'];

/** Seconds from the start of the command. Undefined: it did not come to it. */
export interface Milestones {
  readonly firstLine?: number;
  /** The markets are found on the chain, and what our contract would be. */
  readonly markets?: number;
  /** The search of every market has ended. */
  readonly borrowers?: number;
  readonly pools?: number;
  readonly firstPlan?: number;
}

interface Wanted {
  readonly borrowers: number;
  readonly withinSeconds: number;
  readonly progress: (step: string) => void;
}

/** Starts everything, measures, and ends what it has started. */
export async function firstPlan(
  wanted: Wanted,
): Promise<{ readonly below: number; readonly seconds: Milestones }> {
  const { borrowers, progress } = wanted;
  const directory = await mkdtemp(join(tmpdir(), 'chimera-bench-watch-'));
  // PostgreSQL refuses root: another user has to reach its directory inside this one.
  await chmod(directory, 0o755);
  const devnet = await startDevnet({ onProgress: progress, statesKept: 64 });
  try {
    progress(`opening ${borrowers} positions`);
    const accounts = await devnet.openPositions(demoBorrowers(borrowers));
    for (const step of DEMO_SCENARIO.slice(0, STEPS)) await playStep(devnet, step);
    await devnet.rpc('anvil_setCode', [devnet.addresses.chimera, '0x']);
    const below = await countBelow(devnet, accounts);
    const file = join(directory, 'watch.yaml');
    const settings = { beside: ['compound', 'morpho'] } as const;
    await writeFile(file, botConfig(devnet, { dataDir: join(directory, 'unused') }, newApiKeys(), settings));
    await devnet.startMining(BLOCK_MS);
    progress('the command watch');
    const words = ['--rpc', devnet.rpcUrl, '--config', file, '--dir', join(directory, 'rows'), '--json'];
    return { below, seconds: await watchUntilPlan(words, directory, wanted.withinSeconds) };
  } finally {
    await devnet.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function countBelow(devnet: Devnet, accounts: readonly string[]): Promise<number> {
  let below = 0;
  for (const account of accounts) if ((await devnet.accountData(account)).healthFactorWad < WAD) below += 1;
  return below;
}

/** @throws Error when the command ends by itself, with what it wrote. */
async function watchUntilPlan(
  words: readonly string[],
  cwd: string,
  withinSeconds: number,
): Promise<Milestones> {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, [COMMAND, 'watch', ...words], {
    cwd,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const seconds: { -readonly [Name in keyof Milestones]: Milestones[Name] } = {};
  const searched = new Set<string>();
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), withinSeconds * 1_000);
  createInterface(child.stdout).on('line', (line) => {
    const { event, market } = JSON.parse(line) as { event: string; market?: string };
    const at = (performance.now() - startedAtMs) / 1_000;
    seconds.firstLine ??= at;
    if (event === 'watch-started') seconds.markets ??= at;
    if (event === 'pools-read') seconds.pools ??= at;
    if (event === 'backfill-finished' && market !== undefined) searched.add(market);
    if (MARKETS.every((one) => searched.has(one))) seconds.borrowers ??= at;
    if (event !== 'plan-ready') return;
    seconds.firstPlan ??= at;
    end.abort();
  });
  const ended = closed.then(() => end.abort());
  await new Promise<void>((resolve) => {
    end.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearTimeout(timer);
  const endedItself = child.exitCode !== null;
  if (!endedItself) child.kill('SIGINT');
  await ended;
  if (endedItself && seconds.firstPlan === undefined)
    throw new Error(`the command ended by itself with exit code ${child.exitCode}: ${errors}`);
  return seconds;
}
