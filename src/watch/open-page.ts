import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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
 * @returns false where no browser can be seen from: over SSH, or without a screen.
 */
export function openPage(url: string, directory: string, desktop: Desktop): boolean {
  const opener = openerOf(desktop);
  if (opener === undefined) return false;
  const file = join(directory, FILE);
  // Whoever made it before may let others read it.
  rmSync(file, { force: true });
  writeFileSync(
    file,
    `<!doctype html><meta charset="utf-8"><title>Chimera</title><meta http-equiv="refresh" content="0;url=${url}">\n`,
    { mode: 0o600, flag: 'wx' },
  );
  const browser = spawn(opener, [file], { stdio: 'ignore', detached: true });
  // The address is printed as well.
  browser.on('error', () => undefined);
  browser.unref();
  return true;
}

function openerOf({ platform, variable }: Desktop): string | undefined {
  if (variable('SSH_CONNECTION') !== undefined) return undefined;
  if (platform === 'darwin') return 'open';
  if (platform === 'win32') return 'explorer';
  const hasScreen = ['DISPLAY', 'WAYLAND_DISPLAY'].some((name) => variable(name) !== undefined);
  return hasScreen ? 'xdg-open' : undefined;
}
