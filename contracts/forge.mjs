/**
 * Runs Foundry's forge from node_modules on the compiler beside this file; the network is never asked.
 *
 *   node contracts/forge.mjs test --match-test C07 -vvv
 *
 * The binary is started directly: it ships in a package per platform, so no install script has to run first.
 */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { constants as os } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const compiler = join('contracts', 'solc.cjs');
const resolve = createRequire(import.meta.url).resolve;

/** Morpho Blue's creation code ships only inside TypeScript factories, which forge cannot read. */
const MORPHO_FACTORIES = '@morpho-org/morpho-blue-bundlers/types/factories/lib';
const MORPHO_CONTRACTS = {
  Morpho: `${MORPHO_FACTORIES}/morpho-blue/src/Morpho__factory.js`,
  AdaptiveCurveIrm: `${MORPHO_FACTORIES}/morpho-blue-irm/src/adaptive-curve-irm/AdaptiveCurveIrm__factory.js`,
};

function forgeBinary() {
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch];
  const name = `@foundry-rs/forge-${process.platform}-${architecture}`;
  const file = process.platform === 'win32' ? 'forge.exe' : 'forge';
  try {
    const manifest = resolve(`${name}/package.json`);
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

/**
 * Writes Morpho's contracts as artifacts for the fixtures, to .cache/contracts/, unless they are there
 * already.
 */
function extractMorpho() {
  const directory = join(root, '.cache', 'contracts');
  mkdirSync(directory, { recursive: true });
  for (const [name, factory] of Object.entries(MORPHO_CONTRACTS)) {
    const bytecode = /_bytecode = "(0x[0-9a-f]+)"/.exec(readFileSync(resolve(factory), 'utf8'))?.[1];
    if (!bytecode) throw new Error(`no bytecode of ${name} in ${factory}`);
    const artifact = JSON.stringify({ abi: [], bytecode });
    const file = join(directory, `${name}.json`);
    if (existsSync(file) && readFileSync(file, 'utf8') === artifact) continue;
    // A rename, so that a forge running beside this one never reads half a file.
    writeFileSync(`${file}.${process.pid}`, artifact);
    renameSync(`${file}.${process.pid}`, file);
  }
}

makeExecutable(join(root, compiler));

const [command = '--help', ...rest] = process.argv.slice(2);
const compiles = ['build', 'test', 'coverage', 'snapshot', 'inspect'].includes(command);
if (['test', 'coverage', 'snapshot'].includes(command)) extractMorpho();
const options = compiles ? ['--offline', '--use', compiler] : [];
const { status, signal, error } = spawnSync(forgeBinary(), [command, ...options, ...rest], {
  cwd: root,
  stdio: 'inherit',
});
if (error) throw error;
process.exitCode = status ?? 128 + (os.signals[signal] ?? 0);
