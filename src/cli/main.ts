import 'reflect-metadata';
import { createInterface } from 'node:readline/promises';
import { run } from './run.js';

const isTerminal = process.stdin.isTTY && process.stderr.isTTY;

async function ask(question: string): Promise<string | undefined> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)));
  try {
    return await Promise.race([lines.question(question), ended]);
  } finally {
    lines.close();
  }
}

process.exitCode = await run(process.argv.slice(2), {
  print: (line) => console.log(line),
  remark: (line) => console.error(line),
  ...(process.stdout.isTTY ? { draw: (text: string) => void process.stdout.write(text) } : {}),
  ...(isTerminal ? { ask } : {}),
});
