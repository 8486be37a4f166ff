import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundleBot } from './bundle-bot.js';
import compileContracts from './compile-contracts.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Builds the bot and its page into dist/, and the bundle of the bot that most of the end-to-end tests start.
 * Beside it, as there are two cores, the contracts are compiled.
 */
export default async function setup(): Promise<void> {
  await Promise.all([build(), compileContracts()]);
}

async function build(): Promise<void> {
  await promisify(execFile)(
    process.execPath,
    ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'],
    { cwd: root },
  ).catch((error: unknown) => {
    // tsc writes what is wrong to its standard output.
    throw error instanceof Error && 'stdout' in error ? new Error(String(error.stdout)) : error;
  });
  await Promise.all([bundleBot(root), buildPage()]);
}

/** The dashboard, into dist/dashboard. */
async function buildPage(): Promise<void> {
  const { build: bundle } = await import('vite');
  await bundle({ configFile: `${root}dashboard/vite.config.ts`, logLevel: 'error' });
}
