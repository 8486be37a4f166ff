/**
 * `node --import ./bench/typescript.mjs FILE.ts` runs TypeScript as production runs it. `tsx` gives each
 * function its name again whenever it is made (`keepNames`), which takes a third of the time of a hot path.
 * A child that is forked with the same options runs so too.
 */
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { transform } from 'esbuild';
import ts from 'typescript';

// Node asks for modules in a thread of its own, which loads this file again.
if (isMainThread) register(import.meta.url);

/** A file of the project is imported by the name that it has when it is compiled. */
export async function resolve(specifier, context, next) {
  const ours = specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.endsWith('.ts');
  return next(ours ? specifier.replace(/js$/, 'ts') : specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const path = fileURLToPath(url);
  const text = await readFile(path, 'utf8');
  const source = DECORATED.test(text) ? compiled(text, path) : await transpiled(text, path);
  return { format: 'module', source, shortCircuit: true };
}

const DECORATED = /^\s*@[A-Z]\w*\(/m;

async function transpiled(text, path) {
  const { code } = await transform(text, { loader: 'ts', target: 'es2023', sourcefile: path });
  return code;
}

/** Nest reads the types of constructors at run time, and esbuild writes none. */
function compiled(text, fileName) {
  const { target, module } = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext };
  const compilerOptions = { target, module, experimentalDecorators: true, emitDecoratorMetadata: true };
  return ts.transpileModule(text, { fileName, compilerOptions }).outputText;
}
