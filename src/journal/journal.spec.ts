import {
  appendFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HaltError } from '../domain/errors.js';
import { SecretScrubber } from '../domain/secret-forms.js';
import { diskError, JournalFile, linesOf } from './journal-file.js';
import { Journal } from './journal.js';

interface Note {
  readonly text: string;
}

function parseNote(value: unknown): Note {
  if (typeof value !== 'object' || value === null || !('text' in value) || typeof value.text !== 'string')
    throw new TypeError('no note');
  return { text: value.text };
}

let directory: string;
const opened: Journal<Note>[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'journal-'));
});

afterEach(async () => {
  vi.restoreAllMocks();
  for (const journal of opened.splice(0)) await journal.close();
  await rm(directory, { recursive: true });
});

async function start(name = 'notes', secrets: readonly string[] = []): Promise<Journal<Note>> {
  const journal = await Journal.open({
    directory,
    name,
    parse: parseNote,
    secrets: new SecretScrubber(secrets),
  });
  opened.push(journal);
  return journal;
}

const textsOf = (journal: Journal<Note>): string[] => journal.pending.map(({ payload }) => payload.text);

async function files(ending = '.journal'): Promise<string[]> {
  return (await readdir(directory))
    .filter((file) => file.endsWith(ending))
    .map((file) => join(directory, file));
}

/** As after kill -9: the file is there, and no process holds its lock. */
async function kill(journal: Journal<Note>): Promise<string> {
  const [file = ''] = await files();
  const content = await readFile(file);
  await journal.close();
  await writeFile(file, content);
  return file;
}

describe('a journal', () => {
  it('gives back at the next start what was not done, in order, with the same ids', async () => {
    const journal = await start();
    const [, second, third] = [
      await journal.append({ text: 'one' }),
      await journal.append({ text: 'two' }),
      await journal.append({ text: 'three' }),
    ];
    await journal.done(second.id);
    await journal.close();

    const next = await start();
    expect(textsOf(next)).toEqual(['one', 'three']);
    expect(next.pending[1]).toEqual(third);
    expect(await files()).toHaveLength(1);
  });

  it('leaves no file behind when everything is done', async () => {
    const journal = await start();
    await journal.done((await journal.append({ text: 'one' })).id);
    await journal.close();

    expect(await readdir(directory)).toEqual([]);
  });

  it.each(['half a li', '00000000 {"id":"x"}\n', '\n'])('cuts a last line that is torn: %j', async (torn) => {
    const journal = await start();
    await journal.append({ text: 'one' });
    await journal.append({ text: 'two' });
    await appendFile(await kill(journal), torn);

    const next = await start();
    expect(textsOf(next)).toEqual(['one', 'two']);
    await next.append({ text: 'three' });
    await kill(next);
    expect(textsOf(await start())).toEqual(['one', 'two', 'three']);
  });

  it('F31 a file that somebody removed is there again with the next record; a directory halts', async () => {
    const journal = await start();
    await journal.append({ text: 'one' });
    const [file = ''] = await files();
    await rm(file);
    await journal.append({ text: 'two' });
    const content = await readFile(file, 'utf8');
    expect([content.includes('one'), content.includes('two')]).toEqual([true, true]);

    await rm(directory, { recursive: true });
    await expect(journal.append({ text: 'three' })).rejects.toThrow(HaltError);
    await mkdir(directory);
    await journal.append({ text: 'four' });
    await kill(journal);
    expect(textsOf(await start())).toEqual(['one', 'two', 'four']);
  });

  it('does not start over a damaged line that has whole ones behind it, and leaves the file where it is', async () => {
    const journal = await start();
    await journal.append({ text: 'one' });
    await journal.append({ text: 'two' });
    const file = await kill(journal);
    const whole = await kill(await start()); // It took over the first one.
    await expect(readFile(file)).rejects.toThrow('ENOENT');
    const damaged = (await readFile(whole, 'utf8')).replace('one', 'oNe');
    await writeFile(whole, damaged);

    for (let attempt = 1; attempt <= 3; attempt++) {
      await expect(start()).rejects.toThrow(`line 1 of ${whole} is damaged`);
      expect(await readFile(whole, 'utf8')).toBe(damaged);
    }
    await expect(start()).rejects.toThrow(HaltError);
  });

  it('does not start over a record that it cannot read', async () => {
    const journal = await start();
    const file = new JournalFile(await kill(journal));
    await file.append([JSON.stringify({ id: 'x', atMs: 1, payload: { number: 1 } })]);
    await file.close();

    for (let attempt = 1; attempt <= 2; attempt++)
      await expect(start()).rejects.toThrow(
        `${file.path} holds a record that this version cannot read (no note)`,
      );
  });

  it('writes records that come at once with one fsync, and in order', async () => {
    const journal = await start();
    const probe = await open(join(directory, 'probe'), 'w');
    const sync = vi.spyOn(Object.getPrototypeOf(probe) as typeof probe, 'datasync');
    await probe.close();

    const texts = Array.from({ length: 200 }, (_, index) => String(index));
    await Promise.all(texts.map((text) => journal.append({ text })));

    expect(sync.mock.calls.length).toBeLessThanOrEqual(2);
    expect(textsOf(journal)).toEqual(texts);
    await kill(journal);
    expect(textsOf(await start())).toEqual(texts);
  });

  it('stays small while records come and go, and keeps what is not done', async () => {
    const journal = await start();
    await journal.append({ text: 'stays' });
    for (let count = 0; count < 500; count += 1)
      await journal.done((await journal.append({ text: `goes ${count}` })).id);

    const [file = ''] = await files();
    expect((await stat(file)).size).toBeLessThan(20_000);
    await kill(journal);
    expect(textsOf(await start())).toEqual(['stays']);
  });

  it('is empty when nothing is left to do, and takes the next record then', async () => {
    const journal = await start();
    await journal.done((await journal.append({ text: 'goes' })).id);
    const [file = ''] = await files();
    expect((await stat(file)).size).toBe(0);

    await journal.append({ text: 'comes' });
    await kill(journal);
    expect(textsOf(await start())).toEqual(['comes']);
  });

  it('never writes a secret', async () => {
    const journal = await start('notes', ['pass"word-of-a-channel']);
    const entry = await journal.append({ text: 'sent to https://x/pass"word-of-a-channel' });

    expect(entry.payload.text).toBe('sent to https://x/***');
    const [file = ''] = await files();
    expect(await readFile(file, 'utf8')).not.toContain('word-of-a-channel');
  });

  it('leaves the file of a process that lives alone', async () => {
    const [first, second] = [await start(), await start()];
    await Promise.all([first.append({ text: 'first' }), second.append({ text: 'second' })]);

    expect(textsOf(await start())).toEqual([]);
    expect([textsOf(first), textsOf(second)]).toEqual([['first'], ['second']]);
    expect(await files()).toHaveLength(3);
  });

  it('knows only the records of its name', async () => {
    await (await start('other')).append({ text: 'other' });
    await opened.pop()?.close();

    expect(textsOf(await start('notes'))).toEqual([]);
    expect(textsOf(await start('other'))).toEqual(['other']);
  });

  it('counts a record once that a process left in two files, because it died while it took over', async () => {
    const journal = await start();
    await journal.append({ text: 'one' });
    const file = await kill(journal);
    const second = await start();
    expect(textsOf(second)).toEqual(['one']);
    const copy = await kill(second);
    await writeFile(copy.replace(/\.journal$/, '.from-0a0b0c0d.journal'), await readFile(copy));

    expect(textsOf(await start())).toEqual(['one']);
    expect(await files()).toHaveLength(1);
    expect(await files()).not.toContain(file);
  });

  it('F31 a full disk halts, and what was written before stays', async () => {
    const file = new JournalFile('/dev/full');
    await expect(file.append(['one'])).rejects.toThrow(HaltError);
    await expect(file.append(['one'])).rejects.toThrow(/the disk is full \(ENOSPC\)|written anew/);
    await file.close();
  });

  it('F31 cuts what a write on a full disk has left, and goes on when there is room', async () => {
    const journal = await start();
    await journal.append({ text: 'before' });
    const probe = await open(join(directory, 'probe'), 'w');
    const prototype = Object.getPrototypeOf(probe) as typeof probe;
    await probe.close();
    const append = vi.spyOn(prototype, 'appendFile').mockImplementationOnce(async function (
      this: typeof probe,
    ) {
      await this.write('half a rec');
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    });
    await expect(journal.append({ text: 'lost' })).rejects.toThrow(HaltError);
    append.mockRestore();

    await journal.append({ text: 'after' });
    expect(textsOf(journal)).toEqual(['before', 'after']);
    await kill(journal);
    expect(textsOf(await start())).toEqual(['before', 'after']);
  });

  it('says by its class what a failure of the disk means', () => {
    const failure = (code: string): string => diskError(Object.assign(new Error('x'), { code }), '/j').name;
    expect(['ENOSPC', 'EFBIG', 'EDQUOT', 'EIO', 'EROFS', 'EACCES'].map(failure)).toEqual(
      Array(6).fill('HaltError'),
    );
    expect(['EMFILE', 'ENOMEM', 'EINTR'].map(failure)).toEqual(Array(3).fill('RetryError'));
    expect(diskError(new TypeError('a bug'), '/j')).toBeInstanceOf(TypeError);
  });

  it('does not start where it cannot write', async () => {
    await writeFile(join(directory, 'file'), '');
    const elsewhere = { name: 'notes', parse: parseNote, secrets: new SecretScrubber([]) };
    await expect(Journal.open({ ...elsewhere, directory: join(directory, 'file') })).rejects.toThrow(
      HaltError,
    );
    await expect(Journal.open({ ...elsewhere, directory: join(directory, 'x'.repeat(120)) })).rejects.toThrow(
      /journal.dir is too long/,
    );
  });

  it('reads the lines of a file that another name has now', async () => {
    const file = new JournalFile(join(directory, 'a'));
    await file.rewrite(['one', 'two']);
    await file.append(['three']);
    await file.close();
    await rename(join(directory, 'a'), join(directory, 'b'));

    expect(await linesOf(join(directory, 'b'))).toEqual(['one', 'two', 'three']);
  });
});
