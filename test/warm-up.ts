import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { prepareDevnet } from '../devnet/index.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What several test files need and would otherwise make at the same time: the bot's build and the compiled protocols. */
export default async function setup(): Promise<void> {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  await prepareDevnet((step) => process.stderr.write(`  ${step}\n`));
}
