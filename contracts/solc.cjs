#!/usr/bin/env node
/**
 * Gives solc-js the command line of the native compiler, as far as Foundry uses it: `--version`, and
 * `--standard-json` from stdin to stdout. Version and bytecode are those of the `solc` package in
 * package.json.
 */
'use strict';

const { writeSync } = require('node:fs');
const { version } = require('solc/package.json');

/** Writes everything: Foundry's pipe is non-blocking and an answer of many megabytes fills it (EAGAIN). */
function print(text) {
  const bytes = Buffer.from(text);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

/** Reads stdin as a stream: a synchronous read of an empty non-blocking pipe would fail with EAGAIN. */
async function readInput() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function main(args) {
  if (args.includes('--version')) {
    print(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
  } else if (args.includes('--standard-json')) {
    const input = await readInput();
    print(require('solc').compile(input));
  } else {
    throw new Error('only --version and --standard-json are supported');
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
