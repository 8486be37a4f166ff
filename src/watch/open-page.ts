import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** What the browser is opened with, and whether there is one to see. */
export interface Desktop {
  readonly platform: NodeJS.Platform;
  /** A variable of the process; undefined without a value. */
  readonly variable: (name: string) => string | undefined;
}

/** In the directory of the run. */
const FILE = 'dashboard.html';

/**
 * Opens a page in the browser of the person at the terminal. The address holds a key, and what a program is
 * started with stands in the list of processes: the browser gets a file that leads there, which only its
 * owner can read.
 *
 * @returns whether it was tried: not over SSH, nor without a screen, nor where no file can be written. The
 * address is printed as well.
 */
export function openPage(url: string, directory: string, desktop: Desktop): boolean {
  try {
    const opener = openerOf(desktop);
    if (opener === undefined) return false;
    start(opener, writtenFile(url, directory));
    return true;
  } catch {
    return false;
  }
}

function writtenFile(url: string, directory: string): string {
  const file = resolve(directory, FILE);
  // An older file may be readable for others: a new one takes its place.
  rmSync(file, { force: true });
  writeFileSync(
    file,
    `<!doctype html><meta charset="utf-8"><title>Chimera</title><meta http-equiv="refresh" content="0;url=${url}">\n`,
    { mode: 0o600, flag: 'wx' },
  );
  return file;
}

function start(opener: string, file: string): void {
  const browser = spawn(opener, [file], { stdio: 'ignore', detached: true });
  // A desktop may lack the program.
  browser.on('error', () => undefined);
  browser.unref();
}

function openerOf({ platform, variable }: Desktop): string | undefined {
  if (variable('SSH_CONNECTION') !== undefined) return undefined;
  if (platform === 'darwin') return 'open';
  const hasScreen = ['DISPLAY', 'WAYLAND_DISPLAY'].some((name) => variable(name) !== undefined);
  return hasScreen ? 'xdg-open' : undefined;
}
