import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { listMetrics } from '../../src/monitoring/metrics/listing.js';

/** As an operator types it, in the project. */
async function chimera(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const npx = spawn('npx', ['--no-install', 'chimera', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { out: '', err: '' };
  npx.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString()));
  npx.stderr.on('data', (chunk: Buffer) => (texts.err += chunk.toString()));
  const [code] = (await once(npx, 'close')) as [number];
  return { code, ...texts };
}

describe('npx chimera', () => {
  it('without a command shows what there is', async () => {
    const { code, out } = await chimera();
    expect(code).toBe(0);
    expect(out).toMatch(/^Usage: npx chimera COMMAND \[OPTIONS\]\n/);
    expect(out).toContain('  metrics list ');
  });

  it('refuses an unknown command with exit code 1', async () => {
    const { code, out, err } = await chimera('start');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^chimera: unknown command 'start'.* \(npx chimera --help\)\n$/);
  });

  it('metrics list --json lists every metric, without any configuration', async () => {
    const { code, out, err } = await chimera('metrics', 'list', '--json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toEqual(listMetrics());
  });
});
