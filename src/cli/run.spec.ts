import { describe, expect, it } from 'vitest';
import { RetryError, StartupError } from '../domain/errors.js';
import { listMetrics } from '../monitoring/metrics/listing.js';
import type { Command } from './command.js';
import { run } from './run.js';

const command = (answer: Command['run']): Command => ({ about: 'does it', run: answer });

async function said(
  words: readonly string[],
  commands?: Readonly<Record<string, Command>>,
): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: string[][] = [[], []];
  const terminal = { print: (line: string) => out!.push(line), remark: (line: string) => err!.push(line) };
  const code = await run(words, terminal, commands);
  return { code, out: out!.join('\n'), err: err!.join('\n') };
}

describe('npx chimera', () => {
  it.each([[[]], [['--help']], [['nothing', '--help']]])('shows the commands for %j', async (words) => {
    const { code, out, err } = await said(words);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^Usage: npx chimera COMMAND/);
    expect(out).toContain('  metrics  ');
  });

  it('refuses an unknown command on the standard error, with the commands there are', async () => {
    const { code, out, err } = await said(['metrik', 'x']);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^chimera: there is no command "metrik x"\.\nUsage/);
  });

  it('gives a command of two words its options, and returns its exit code', async () => {
    let got: readonly string[] = [];
    const test = command((options) => Promise.resolve((got = options).length + 40));
    expect((await said(['alerts', 'test', '--channel', 'x'], { 'alerts test': test })).code).toBe(42);
    expect(got).toEqual(['--channel', 'x']);
  });

  it('says each problem in a sentence, and shows the stack of a bug alone', async () => {
    const fails = (error: Error): Readonly<Record<string, Command>> => ({
      do: command(() => Promise.reject(error)),
    });
    expect(await said(['do'], fails(new StartupError(['one', 'two'])))).toMatchObject({
      code: 1,
      err: 'chimera do: one\nchimera do: two',
    });
    expect((await said(['do'], fails(new RetryError('later')))).err).toBe('chimera do: later');
    expect((await said(['do'], fails(new TypeError('bug')))).err).toMatch(/TypeError: bug\n +at /);
  });

  it('metrics: lists each metric with type, labels, unit and help, as text and as JSON', async () => {
    const { code, out } = await said(['metrics']);
    expect(code).toBe(0);
    for (const { name, help } of listMetrics()) {
      expect(out).toContain(name);
      expect(out).toContain(help);
    }
    expect(out).toMatch(/chimera_rejections_total +counter +count +reason\n/);
    const json = await said(['metrics', '--json']);
    expect(JSON.parse(json.out)).toEqual(listMetrics());
    expect(JSON.parse(json.out)).toContainEqual({
      name: 'chimera_safety_state',
      type: 'gauge',
      unit: '0 or 1',
      labels: { state: ['NORMAL', 'THROTTLED', 'HALTED'] },
      help: '1 for the safety state, 0 for the others.',
    });
  });

  it('metrics: refuses an option that it does not know', async () => {
    expect(await said(['metrics', '--yaml'])).toMatchObject({ code: 1, out: '' });
  });
});
