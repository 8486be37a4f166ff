import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretScrubber } from '../domain/secret-forms.js';
import { Journal } from './journal.js';

const source = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const PREAMBLE = `
  const { Journal } = await import(${JSON.stringify(source('./journal.ts'))});
  const { SecretScrubber } = await import(${JSON.stringify(source('../domain/secret-forms.ts'))});
  const { writeSync } = await import('node:fs');
  const say = (text) => writeSync(1, text + '\\n');
  const start = () => Journal.open({
    directory: process.env.JOURNAL_DIRECTORY, name: 'notes', parse: String, secrets: new SecretScrubber([]),
  });`;

let directory: string;
let children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'journal-'));
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  await rm(directory, { recursive: true });
});

/** Runs code that may `start` the journal of the directory and `say` a line. */
function run(
  code: string,
  limit = '',
): { child: ChildProcessByStdio<null, Readable, null>; said: string[]; ended: Promise<unknown> } {
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', PREAMBLE + code];
  const child = spawn('/bin/sh', ['-c', `${limit} exec "$@"`, 'sh', ...node], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, JOURNAL_DIRECTORY: directory },
  });
  children.push(child);
  const said: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => said.push(line));
  return { child, said, ended: Promise.all([once(child, 'close'), once(lines, 'close')]) };
}

const start = (): Promise<Journal<string>> =>
  Journal.open({ directory, name: 'notes', parse: String, secrets: new SecretScrubber([]) });

async function left(): Promise<string[]> {
  const journal = await start();
  const texts = journal.pending.map(({ payload }) => payload);
  await journal.close();
  return texts;
}

describe('a journal after kill -9', () => {
  it('F28 holds each record that was acknowledged, wherever the process was killed', async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const { child, said, ended } = run(`
        const journal = await start();
        for (let count = 0; ; count += 1) {
          const [kept, gone] = await Promise.all(
            [journal.append('${round}.' + count), journal.append('gone')],
          );
          say(kept.payload);
          await journal.done(gone.id);
        }`);
      child.stdout.on('data', () => {
        if (said.length > 40 + round * 33) child.kill('SIGKILL');
      });
      await ended;
      acknowledged.push(...said);
    }

    const texts = await left();
    expect(acknowledged.length).toBeGreaterThan(160);
    expect(texts.filter((text) => acknowledged.includes(text))).toEqual(acknowledged);
    // Of each round, at most the two records that were being written.
    expect(texts.length - acknowledged.length).toBeLessThanOrEqual(8);
    expect(new Set(texts.filter((text) => text !== 'gone')).size).toBe(
      texts.filter((text) => text !== 'gone').length,
    );
  });

  it('F26 two processes with one directory write beside each other, and neither takes the other over', async () => {
    const writing = (name: string): string => `
      const journal = await start();
      if (journal.depth > 0) say('found ' + journal.depth);
      for (let count = 0; count < 50; count += 1) await journal.append('${name}.' + count);
      say('written');
      setInterval(() => {}, 1000);`;
    const both = [run(writing('a')), run(writing('b'))];
    for (const { child, said } of both) while (!said.includes('written')) await once(child.stdout, 'data');

    expect(both.map(({ said }) => said)).toEqual([['written'], ['written']]);
    expect(await left()).toEqual([]);
    for (const { child, ended } of both) {
      child.kill('SIGKILL');
      await ended;
    }
    const texts = await left();
    expect(texts).toHaveLength(100);
    for (const name of ['a', 'b'])
      expect(texts.filter((text) => text.startsWith(name))).toEqual(
        Array.from({ length: 50 }, (_, count) => `${name}.${count}`),
      );
    expect((await readdir(directory)).filter((file) => file.endsWith('.lock'))).toEqual([]);
  });

  it('F31 the largest size of a file halts; nothing that was acknowledged is lost; it goes on after room is made', async () => {
    const { said, ended } = run(
      `
        const journal = await start();
        const written = [];
        try {
          for (;;) written.push(await journal.append('x'.repeat(1000)));
        } catch (error) {
          say(error.name + ' ' + error.message.replace(/:.*/, ''));
        }
        say('kept ' + (journal.depth === written.length));
        await journal.done(...written.slice(1).map(({ id }) => id)).catch((error) => say(error.name));
        await journal.append('after');
        say('left ' + journal.depth);
        process.kill(process.pid, 'SIGKILL');`,
      'ulimit -f 8;',
    );
    await ended;

    expect(said.filter((line) => line !== 'HaltError')).toEqual([
      'HaltError the disk is full (EFBIG)',
      'kept true',
      'left 2',
    ]);
    expect(await left()).toEqual(['x'.repeat(1000), 'after']);
  });
});
