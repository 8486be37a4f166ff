/**
 * Compiles one standard-JSON input with solc-js in a worker thread, so that the caller's event loop stays
 * free and the compiler's memory is given back afterwards. Plain JavaScript, because a worker thread is not
 * run through tsx or vitest.
 *
 * workerData: { input: standard-JSON input as a string,
 *               roots: directories in which an import is looked up, in order }
 * message:    standard-JSON output as a string
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import solc from 'solc';

function findImport(path) {
  const file = workerData.roots.map((root) => join(root, path)).find((candidate) => existsSync(candidate));
  return file ? { contents: readFileSync(file, 'utf8') } : { error: `${path} not found` };
}

parentPort.postMessage(solc.compile(workerData.input, { import: findImport }));
