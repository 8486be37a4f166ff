import { constants, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { HaltError, messageOf, RetryError } from '../domain/errors.js';

/** Only its own account may read it. */
const MODE = 0o600;
/** Each write goes to the end, wherever that is after a cut. */
const APPENDING = constants.O_CREAT | constants.O_WRONLY | constants.O_APPEND;

/**
 * A file of lines, each with its checksum: `d87f7e0c {"id":…}`. Every write is on the disk when its promise
 * resolves. One write at a time: the caller waits for each.
 */
export class JournalFile {
  private handle: FileHandle | undefined;
  /** The length up to which everything was acknowledged. */
  private bytes = 0;
  private broken = false;

  constructor(readonly path: string) {}

  /** @throws HaltError or RetryError; then nothing of `texts` counts as written. */
  async append(texts: readonly string[]): Promise<void> {
    if (this.broken) throw new RetryError(`${this.path} must be written anew first`);
    const data = Buffer.from(texts.map(lineOf).join(''));
    try {
      this.handle ??= await open(this.path, APPENDING, MODE);
      await this.handle.appendFile(data);
      await this.handle.datasync();
      this.bytes += data.length;
    } catch (error) {
      await this.cut();
      throw diskError(error, this.path);
    }
  }

  /**
   * Replaces everything: a new file, which takes the place of the old one only when it is on the disk.
   *
   * @throws HaltError or RetryError; then the old file is as it was.
   */
  async rewrite(texts: readonly string[]): Promise<void> {
    const fresh = `${this.path}.new`;
    const data = Buffer.from(texts.map(lineOf).join(''));
    let handle: FileHandle | undefined;
    try {
      handle = await open(fresh, APPENDING | constants.O_TRUNC, MODE);
      await handle.writeFile(data);
      await handle.sync();
      await rename(fresh, this.path);
      await syncDirectory(dirname(this.path));
    } catch (error) {
      await handle?.close().catch(() => undefined);
      await rm(fresh, { force: true }).catch(() => undefined);
      throw diskError(error, this.path);
    }
    await this.handle?.close().catch(() => undefined);
    this.handle = handle;
    this.bytes = data.length;
    this.broken = false;
  }

  /** Empties the file. It needs no room, so it works on a full disk. @throws HaltError or RetryError */
  async empty(): Promise<void> {
    try {
      this.handle ??= await open(this.path, APPENDING, MODE);
      await this.handle.truncate(0);
      await this.handle.datasync();
    } catch (error) {
      throw diskError(error, this.path);
    }
    this.bytes = 0;
    this.broken = false;
  }

  /**
   * Whether the file must be written anew: what a failed write has left could not be cut, or the file was
   * removed. A removed file still takes lines, and ends with the process.
   */
  async mustBeRewritten(): Promise<boolean> {
    const { nlink } = (await this.handle?.stat().catch(() => undefined)) ?? { nlink: 1 };
    this.broken ||= nlink === 0;
    return this.broken;
  }

  async close(): Promise<void> {
    await this.handle?.close().catch(() => undefined);
    this.handle = undefined;
  }

  /** Takes off what a failed write has left, so that the next line does not stand behind half a line. */
  private async cut(): Promise<void> {
    try {
      await this.handle?.truncate(this.bytes);
      await this.handle?.datasync();
    } catch {
      this.broken = true;
    }
  }
}

/**
 * The lines of a file, without their checksums. What a killed process wrote in part stands at the end, and is
 * left out.
 *
 * @param shown its name for an operator.
 * @throws HaltError when a line is damaged that has whole ones behind it, or when the disk cannot be read.
 */
export async function linesOf(path: string, shown = path): Promise<readonly string[]> {
  const content = await readFile(path, 'utf8').catch((error: unknown) => {
    throw diskError(error, path);
  });
  const lines = content.split('\n').map(textOf);
  const firstBad = lines.indexOf(undefined);
  const whole = lines.filter((line) => line !== undefined);
  if (firstBad < whole.length)
    throw new HaltError(
      `line ${firstBad + 1} of ${shown} is damaged: move the file away, and keep it, because it holds what is not saved yet`,
      'database',
    );
  return whole;
}

function lineOf(text: string): string {
  return `${checksumOf(text)} ${text}\n`;
}

/** undefined when the checksum is another one, and for what stands behind the last line end. */
function textOf(line: string): string | undefined {
  const text = line.slice(9);
  return line.length > 9 && line[8] === ' ' && line.startsWith(checksumOf(text)) ? text : undefined;
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

/** A name is in a directory after a crash of the machine only when the directory was written too. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** It may be better in a moment: too many open files, no memory, an interrupted call. */
const PASSING = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR', 'EBUSY']);
/** No space, a limit of the file's size, a quota. */
const FULL = new Set(['ENOSPC', 'EFBIG', 'EDQUOT']);

/** What a failure of the disk means. An error that is not of the system is a bug, and stays what it is. */
export function diskError(error: unknown, path: string): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (FULL.has(code))
    return new HaltError(`the disk is full (${code}): ${path}`, 'database', { cause: error });
  if (PASSING.has(code)) return new RetryError(`${path}: ${messageOf(error)}`, { cause: error });
  if (/^E[A-Z0-9]+$/.test(code))
    return new HaltError(`${path} cannot be read or written (${code})`, 'database', { cause: error });
  return error instanceof Error ? error : new Error(String(error));
}
