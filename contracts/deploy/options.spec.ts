import { describe, expect, it } from 'vitest';
import { StartupError } from '../../src/domain/errors.js';
import { parseOptions } from './options.js';

const OWNER = '0x2626664c2603336E57B271c5C0b26F421741e481';
const TREASURY = `0x${'be'.repeat(20)}`;
const LEAST = ['--owner', OWNER, '--treasury', TREASURY];

function problemsOf(...words: string[]): readonly string[] {
  try {
    parseOptions(words);
  } catch (error) {
    if (error instanceof StartupError) return error.problems;
    throw error;
  }
  return [];
}

describe('the command line', () => {
  it('owner and treasury are enough; nothing is sent', () => {
    expect(parseOptions(LEAST)).toEqual({
      owner: OWNER.toLowerCase(),
      treasury: TREASURY,
      executors: [],
      send: false,
    });
  });

  it('takes values behind a space or =, and executors several times, each once', () => {
    const [a, b] = [`0x${'aa'.repeat(20)}`, `0x${'bb'.repeat(20)}`];
    const words = [
      `--owner=${OWNER}`,
      `--treasury=${TREASURY}`,
      ...['--executor', a, '--executor', b, '--executor', a],
    ];
    expect(parseOptions([...words, '--weth', b, '--config', 'x.yaml', '--send', '--json'])).toMatchObject({
      owner: OWNER.toLowerCase(),
      executors: [a, b],
      weth: b,
      config: 'x.yaml',
      send: true,
    });
  });

  it('names everything that is missing or wrong, at once', () => {
    expect(problemsOf()).toEqual([
      '--owner: is missing; the address of the account that will own the contract was expected',
      '--treasury: is missing; the address that all profit goes to was expected',
    ]);
    expect(
      problemsOf(
        '--owner',
        '--treasury',
        '0x12',
        '--tresury',
        '--send=yes',
        '--weth',
        OWNER,
        '--weth',
        OWNER,
      ),
    ).toEqual([
      '--owner: has no value; write --owner and what it is to be',
      '--tresury: is not a known option; did you mean --treasury?',
      '--send: takes no value',
      '--weth: is given more than once',
      expect.stringMatching(/^--treasury: "0x12" is not valid; an address/),
    ]);
  });

  it('refuses the zero address and a wrong checksum', () => {
    for (const address of [`0x${'0'.repeat(40)}`, OWNER.replace('E57B', 'e57b')])
      expect(problemsOf('--owner', address, '--treasury', TREASURY)).toEqual([
        expect.stringMatching(new RegExp(`^--owner: "${address}" is not valid`)),
      ]);
  });

  it('never repeats what may be a key', () => {
    const key = '46'.repeat(32);
    const problems = problemsOf('--owner', key, '--treasury', `0x${key}`, key, `--${key}`, `--key=${key}`);
    expect(problems).toHaveLength(5);
    expect(problems.join()).not.toContain(key.slice(0, 20));
  });
});
