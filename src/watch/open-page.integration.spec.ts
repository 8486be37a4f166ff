import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openPage, type Desktop } from './open-page.js';

const URL = 'http://127.0.0.1:3000/dashboard#key=a-secret-of-this-run';

describe('the page of a run opens in a browser', () => {
  let directory: string;
  const started = (): string => readFileSync(join(directory, 'started'), 'utf8');

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'chimera-page-'));
    // What a desktop starts browsers with. It writes down its arguments.
    const program = join(directory, 'xdg-open');
    writeFileSync(program, `#!/bin/sh\nprintf '%s' "$*" > '${join(directory, 'started')}'\n`);
    chmodSync(program, 0o755);
    vi.stubEnv('PATH', `${directory}${delimiter}${process.env['PATH'] ?? ''}`);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(directory, { recursive: true, force: true });
  });

  const linux = (variables: Readonly<Record<string, string>>): Desktop => ({
    platform: 'linux',
    variable: (name) => variables[name],
  });

  it('A19 the key is in a file for its owner, and not in the list of processes', async () => {
    expect(openPage(URL, directory, linux({ WAYLAND_DISPLAY: 'wayland-0' }))).toBe(true);
    const file = join(directory, 'dashboard.html');
    await vi.waitFor(() => expect(started()).toBe(file), { timeout: 20_000 });
    expect(readFileSync(file, 'utf8')).toContain(`url=${URL}"`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('the file of an earlier run is replaced, and stays that of its owner', () => {
    const file = join(directory, 'dashboard.html');
    writeFileSync(file, 'old', { mode: 0o644 });
    openPage(URL, directory, linux({ DISPLAY: ':0' }));
    expect(readFileSync(file, 'utf8')).toContain(URL);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['without a screen', linux({})],
    ['over SSH', linux({ DISPLAY: ':10', SSH_CONNECTION: '10.0.0.1 5 10.0.0.2 22' })],
  ])('not %s', (_, desktop) => {
    expect(openPage(URL, directory, desktop)).toBe(false);
    expect(started).toThrow('ENOENT');
  });

  it('a directory that takes no file ends nothing either', () => {
    mkdirSync(join(directory, 'dashboard.html'));
    expect(openPage(URL, directory, linux({ DISPLAY: ':0' }))).toBe(false);
  });

  it('a desktop without the program ends nothing: the address is printed as well', async () => {
    vi.stubEnv('PATH', join(directory, 'nowhere'));
    expect(openPage(URL, directory, linux({ DISPLAY: ':0' }))).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
  });
});
