import { describe, expect, it } from 'vitest';
import { parseSoakArguments } from './arguments.js';

describe('the command line of the soak', () => {
  it('takes minutes and a seed, and has defaults', () => {
    expect(parseSoakArguments([], 5)).toEqual({ minutes: 30, seed: 5, json: false, help: false });
    expect(parseSoakArguments(['--minutes', '2.5', '--seed', '42', '--json'], 5)).toMatchObject({
      minutes: 2.5,
      seed: 42,
      json: true,
    });
  });

  it.each([
    [['--minutes', 'many'], /^--minutes: "many" is not valid; a number from 0.5 to 1440 was expected$/],
    [['--minutes', '0.1'], /^--minutes/],
    [['--seed', 'x'], /^--seed/],
  ])('says what is wrong with %j', (words, message) => {
    expect(() => parseSoakArguments(words, 5)).toThrow(message);
  });
});
