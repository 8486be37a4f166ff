#!/usr/bin/env node
/** `npx chimera …`: runs a command of src/cli. It compiles the sources first where that was never done. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));

if (!existsSync(main)) {
  process.stderr.write('building the bot: once, for up to a minute …\n');
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
await import(main);
