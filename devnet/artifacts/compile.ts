/**
 * Compiles Solidity with solc-js and keeps the result under .cache/devnet/, so that only the first run is
 * slow. The Aave sources are BUSL-1.1: neither they nor their bytecode are committed; they are compiled where
 * they are used.
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { InterfaceAbi } from 'ethers';

/** A compiled contract. */
export interface Artifact {
  name: string;
  abi: Extract<InterfaceAbi, readonly unknown[]>;
  /** Creation code, hex with 0x; unlinked places hold placeholders. */
  bytecode: string;
  /** Where library addresses belong: library name → byte offsets into the creation code. */
  links: Record<string, number[]>;
}

export type Artifacts = Record<string, Artifact>;

/** What to compile together and under which name to cache it. */
export interface CompilationUnit {
  /** Prefix of the cache file. */
  name: string;
  /** Entry files, relative to one of the roots. */
  files: readonly string[];
  /** Names of the contracts to deploy. */
  contracts: readonly string[];
  /** Names of contracts whose ABI alone is wanted. */
  interfaces?: readonly string[];
  /** Directories in which files and imports are looked up. */
  roots: readonly string[];
  remappings?: readonly string[];
  evmVersion: 'shanghai' | 'cancun';
  /** What the optimizer trades size of code for: how often each instruction is expected to run. */
  optimizerRuns: number;
  /** Packages whose versions are part of the cache key. */
  packages: readonly string[];
  /** Directories whose Solidity files are part of the cache key. */
  sourceDirectories: readonly string[];
}

interface SolcContract {
  abi: Artifact['abi'];
  evm?: {
    bytecode: { object: string; linkReferences: Record<string, Record<string, { start: number }[]>> };
  };
}

interface SolcOutput {
  errors?: { severity: string; formattedMessage: string }[];
  contracts?: Record<string, Record<string, SolcContract>>;
}

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

/** The root of the repository. */
export const PROJECT_ROOT = join(here, '..', '..');
export const NODE_MODULES = join(PROJECT_ROOT, 'node_modules');
const CACHE_DIRECTORY = join(PROJECT_ROOT, '.cache', 'devnet');

const RESULTS_KEPT = 5;

/** Bump it when the shape of the cache files changes. */
const CACHE_FORMAT = 1;

/**
 * The artifacts of a unit, from the cache or freshly compiled.
 * @throws {Error} with the compiler's messages when the sources do not compile
 */
export async function compiled(
  unit: CompilationUnit,
  onProgress: (step: string) => void,
): Promise<Artifacts> {
  const cacheFile = join(CACHE_DIRECTORY, `${unit.name}-${cacheKey(unit)}.json`);
  const cached = readIfThere(cacheFile);
  if (cached !== undefined) return JSON.parse(cached) as Artifacts;
  onProgress(`compiling ${unit.name} (once; the result is cached)`);
  const artifacts = await compile(unit);
  writeAtomically(cacheFile, JSON.stringify(artifacts));
  forgetOldResults(unit);
  return artifacts;
}

async function compile(unit: CompilationUnit): Promise<Artifacts> {
  const sources: Record<string, { content: string }> = {};
  for (const file of unit.files) sources[file] = { content: readFileSync(locate(unit, file), 'utf8') };
  const output = await runSolc({ ...solcSettings(unit), sources }, unit.roots);
  const failures = output.errors?.filter((message) => message.severity === 'error') ?? [];
  if (failures.length > 0) throw new Error(failures.map((failure) => failure.formattedMessage).join('\n'));
  const found = Object.values(output.contracts ?? {}).flatMap((contracts) => Object.entries(contracts));
  const artifacts: Artifacts = {};
  for (const name of [...unit.contracts, ...(unit.interfaces ?? [])]) {
    const contract = found.find(([candidate]) => candidate === name)?.[1];
    if (!contract) throw new Error(`${unit.name}: no contract ${name} in the compiler's output`);
    artifacts[name] = toArtifact(name, contract);
  }
  return artifacts;
}

function toArtifact(name: string, contract: SolcContract): Artifact {
  const links: Artifact['links'] = {};
  for (const libraries of Object.values(contract.evm?.bytecode.linkReferences ?? {})) {
    for (const [library, places] of Object.entries(libraries)) links[library] = places.map((p) => p.start);
  }
  return { name, abi: contract.abi, bytecode: `0x${contract.evm?.bytecode.object ?? ''}`, links };
}

function solcSettings(unit: CompilationUnit): object {
  const wanted = ['abi', 'evm.bytecode.object', 'evm.bytecode.linkReferences'];
  return {
    language: 'Solidity',
    settings: {
      optimizer: { enabled: true, runs: unit.optimizerRuns },
      evmVersion: unit.evmVersion,
      metadata: { bytecodeHash: 'none' },
      remappings: unit.remappings ?? [],
      outputSelection: {
        '*': {
          ...Object.fromEntries(unit.contracts.map((name) => [name, wanted])),
          ...Object.fromEntries((unit.interfaces ?? []).map((name) => [name, ['abi']])),
        },
      },
    },
  };
}

function runSolc(input: object, roots: readonly string[]): Promise<SolcOutput> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(join(here, 'solc-worker.mjs'), {
      workerData: { input: JSON.stringify(input), roots },
      execArgv: [],
    });
    worker.once('message', (output: string) => resolve(JSON.parse(output) as SolcOutput));
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the compiler ended with ${code} and without a result`)));
  });
}

function cacheKey(unit: CompilationUnit): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([CACHE_FORMAT, unit.files, solcSettings(unit)]));
  for (const name of ['solc', ...unit.packages]) hash.update(`${name}@${packageVersion(name)}\n`);
  for (const directory of unit.sourceDirectories) {
    for (const file of solidityFiles(directory))
      hash.update(`${basename(file)}\n`).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

function packageVersion(name: string): string {
  return (JSON.parse(readFileSync(join(NODE_MODULES, name, 'package.json'), 'utf8')) as { version: string })
    .version;
}

function solidityFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sol'))
    .sort()
    .map((file) => join(directory, file));
}

function locate(unit: CompilationUnit, file: string): string {
  const path = unit.roots.map((root) => join(root, file)).find((candidate) => existsSync(candidate));
  if (!path) throw new Error(`${unit.name}: ${file} not found in ${unit.roots.join(', ')}`);
  return path;
}

/** A rename replaces the file at once: another process sees the old content or the new, never half of it. */
function writeAtomically(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${randomUUID()}`;
  writeFileSync(temporary, content);
  renameSync(temporary, file);
}

/** The file's content, or undefined when there is none: another process may tidy up at any moment. */
function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Every change of a source leaves a result behind; the latest few are enough. */
function forgetOldResults(unit: CompilationUnit): void {
  const results = readdirSync(CACHE_DIRECTORY)
    .filter((file) => file.startsWith(`${unit.name}-`) && file.endsWith('.json'))
    .map((file) => join(CACHE_DIRECTORY, file))
    .map((file) => ({ file, modified: statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.modified - a.modified);
  for (const { file } of results.slice(RESULTS_KEPT)) rmSync(file, { force: true });
}

/** Reads an artifact that a package ships ready-made, in Hardhat's or Foundry's format. */
export function shippedArtifact(file: string): {
  abi: Artifact['abi'];
  bytecode: string;
  deployedBytecode: string;
} {
  const json = JSON.parse(readFileSync(require.resolve(file), 'utf8')) as {
    abi: Artifact['abi'];
    bytecode: string | { object: string };
    deployedBytecode: string | { object: string };
  };
  const code = (value: string | { object: string }): string =>
    typeof value === 'string' ? value : value.object;
  return { abi: json.abi, bytecode: code(json.bytecode), deployedBytecode: code(json.deployedBytecode) };
}
