/**
 * Runs Foundry's forge from node_modules on the compiler beside this file; the network is never asked.
 *
 *   node contracts/forge.mjs test --match-test C07 -vvv
 *
 * The binary is started directly: it ships in a package per platform, so no install script has to run first.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { constants as os } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const compiler = join('contracts', 'solc.cjs');

function forgeBinary() {
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch];
  const name = `@foundry-rs/forge-${process.platform}-${architecture}`;
  const file = process.platform === 'win32' ? 'forge.exe' : 'forge';
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return join(dirname(manifest), 'bin', file);
  } catch {
    throw new Error(`${name} is not installed: run npm install --no-save ${name}@1.7.1`);
  }
}

/** Some ways of copying a checkout lose the executable bit, and forge starts the compiler as a program. */
function makeExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    chmodSync(path, 0o755);
  }
}

makeExecutable(join(root, compiler));

const [command = '--help', ...rest] = process.argv.slice(2);
const compiles = ['build', 'test', 'coverage', 'snapshot', 'inspect'].includes(command);
const options = compiles ? ['--offline', '--use', compiler] : [];
const { status, signal, error } = spawnSync(forgeBinary(), [command, ...options, ...rest], {
  cwd: root,
  stdio: 'inherit',
});
if (error) throw error;
process.exitCode = status ?? 128 + (os.signals[signal] ?? 0);
