import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { DemoTotals } from '../../devnet/demo/totals.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Reasons for which a liquidatable position may be left: its profit is below the floor. */
const WORTHLESS = ['bonus-below-floor', 'profit-below-floor', 'route-too-shallow', 'no-route'];

describe('the README', () => {
  it('runs the demo on three protocols: everything that pays is liquidated, nothing fails, and the books agree with the simulation within 1 %', async () => {
    const command = 'npm run demo -- --once --json';
    expect(readFileSync(`${root}README.md`, 'utf8')).toContain(command);
    const { code, output } = await run(command);
    expect(code, output).toBe(0);
    const totals = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as DemoTotals;
    expect(totals).toMatchObject({ borrowers: 57, failed: 0 });
    expect(totals.liquidated).toBeGreaterThan(20);
    expect(Object.keys(totals.skipped).filter((reason) => !WORTHLESS.includes(reason))).toEqual([]);
    expect(totals.liquidated + Object.values(totals.skipped).reduce((a, b) => a + b, 0)).toBe(
      totals.liquidatable,
    );
    expect(totals.rows).toBeGreaterThanOrEqual(totals.liquidated);
    expect(Math.abs(totals.realisedProfitUsd / totals.simulatedProfitUsd - 1)).toBeLessThan(0.01);
    expect(totals.headToSendMs.p50).toBeGreaterThan(0);
  }, 300_000);

  it('says what is wrong with a wrong option of the demo, in one sentence', async () => {
    const { code, output } = await run('npm run --silent demo -- --borrowers many');
    expect(code).toBe(1);
    expect(output).toContain(
      'demo: --borrowers: "many" is not valid; a whole number from 1 to 1000 was expected',
    );
    expect(output).not.toMatch(/^\s+at /m);
  });
});

function run(command: string): Promise<{ code: number | null; output: string }> {
  const [program = '', ...words] = command.split(' ');
  const child = spawn(program, words, {
    cwd: root,
    // As everybody else: with the bot as it is shipped.
    env: { ...process.env, BOT_ENTRY: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}
