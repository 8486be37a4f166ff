import { describe, expect, it } from 'vitest';
import { listMetrics } from '../monitoring/metrics/listing.js';
import { registeredCommands, run } from './run.js';

async function said(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await run(words, { print: (line) => out.push(line), remark: (line) => err.push(line) });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('npx chimera', () => {
  it.each([[[]], [['--help']], [['help']]])('shows every command for %j', async (words) => {
    const { code, out, err } = await said(...words);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^Usage: npx chimera COMMAND \[OPTIONS\]/);
    for (const { words, about } of await registeredCommands()) {
      expect(out).toContain(`  ${words} `);
      expect(out.replace(/\s+/g, ' ')).toContain(about);
    }
  });

  it('shows the options of a command', async () => {
    const { code, out, err } = await said('positions', 'import', '--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const option of ['--file <file>', '--market <name>', '--dry-run', '--incomplete', '--json'])
      expect(out).toContain(`  ${option} `);
  });

  it.each([
    ['an unknown command', ['metrik', 'x'], /^chimera: unknown command 'metrik'.* \(npx chimera --help\)$/],
    ['an option like another', ['metrics', '--jsn'], /unknown option '--jsn'; did you mean --json\?/],
    ['half a command', ['positions'], /^chimera positions: a second word is missing; one of export, import/],
    ['a wrong second word', ['positions', 'give'], /^chimera positions: unknown command 'give'; one of/],
    ['an unknown option', ['metrics', 'list', '--yaml'], /^chimera metrics list: unknown option '--yaml'/],
    ['one of an alias', ['metrics', '--yaml'], /^chimera metrics list: unknown option '--yaml'/],
    [
      'an option without its value',
      ['positions', 'export', '--file'],
      /^chimera positions export: .*missing/,
    ],
    ['a word too many', ['metrics', 'list', 'all'], /^chimera metrics list: too many arguments/],
    ['what a command misses', ['positions', 'export'], /^chimera positions export: --file: the name/],
  ])('refuses %s in one sentence on the standard error, with exit code 1', async (_, words, sentence) => {
    const { code, out, err } = await said(...words);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(sentence);
    expect(err).not.toContain('\n');
  });

  it('has --json for every command that prints a result, and no option for a secret', async () => {
    for (const { words, options } of await registeredCommands()) {
      const names = options.map(({ name }) => name);
      expect(names, words).toContain('--json');
      expect(names.filter((name) => /key|secret|password|token/.test(name))).toEqual([]);
    }
  });

  it('metrics list: lists each metric with type, labels, unit and help, as text and as JSON', async () => {
    const { code, out } = await said('metrics', 'list');
    expect(code).toBe(0);
    for (const { name, help } of listMetrics()) {
      expect(out).toContain(name);
      expect(out).toContain(help);
    }
    expect(out).toMatch(/chimera_rejections_total +counter +count +reason\n/);
    const json = await said('metrics', 'list', '--json');
    expect(JSON.parse(json.out)).toEqual(listMetrics());
    expect(JSON.parse(json.out)).toContainEqual({
      name: 'chimera_safety_state',
      type: 'gauge',
      unit: '0 or 1',
      labels: { state: ['NORMAL', 'THROTTLED', 'HALTED'] },
      help: '1 for the safety state, 0 for the others.',
    });
  });

  it('metrics alone is metrics list', async () => {
    expect(await said('metrics')).toEqual(await said('metrics', 'list'));
    expect(await said('metrics', '--json')).toEqual(await said('metrics', 'list', '--json'));
  });
});
