import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundleBot } from './bundle-bot.js';
import compileContracts from './compile-contracts.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Builds the bot into dist/, and the bundle of it that most of the end-to-end tests start. Beside it, as
 * there are two cores, the contracts are compiled.
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
  await bundleBot(root);
}
