import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const hasTool = spawnSync('systemd-analyze', ['--version']).status === 0;

describe.skipIf(!hasTool)('packaging/systemd/chimera.service', () => {
  it('systemd knows every key and every value of it', () => {
    const { stderr } = spawnSync('systemd-analyze', ['verify', 'packaging/systemd/chimera.service'], {
      encoding: 'utf8',
    });
    // That this machine has no node in /usr/bin, or no network target, is not the file's fault.
    const said = stderr.split('\n').filter((line) => /chimera\.service:\d+/.test(line));
    expect(said).toEqual([]);
  });
});
