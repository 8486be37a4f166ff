import { parse } from 'dotenv';
import { describe, expect, it } from 'vitest';
import { StartupError } from '../domain/errors.js';
import { parseDotEnv } from './dot-env.js';

const read = (text: string) => parseDotEnv(text, '.env');

describe('a .env file as people write it', () => {
  it.each([
    'A=1\nB=2\n',
    'A=1\r\nB=2\r\n',
    'A=1\rB=2',
    '# a comment\n\n  # another\nA=1',
    'export A=1',
    'A = 1',
    '  A=1',
    'A=',
    'A=""',
    "A='' # empty",
    'A=with spaces inside  ',
    'A=value # a comment',
    'A="quoted" # a comment',
    'A="with # inside"',
    "A='with # inside'",
    'A=`with "both" \' kinds`',
    'A="first\\nsecond"',
    "A='first\\nsecond'",
    'A="first\nsecond"\nB=2',
    "A='-----BEGIN\r\nline\r\nEND-----'\r\nB=2",
    'A=a$b$HOME',
    'A="a$b"',
    'A=${B}',
    "A=it's",
    'A=say "hi"',
    'A=first=second==',
    'A=1\nA=2',
    'A="a\\tb"',
    'A=http://user:pass@host:1/path?key=a&b=c',
  ])('%j is read as dotenv reads it', (text) => {
    expect(read(text)).toEqual(parse(text));
  });

  it('a # within a value belongs to it, as in a shell; dotenv would cut the password there', () => {
    expect(read('DB_PASSWORD=ab#cd\nB=2')).toEqual({ DB_PASSWORD: 'ab#cd', B: '2' });
    expect(read('URL=http://node/#part # comment')).toEqual({ URL: 'http://node/#part' });
  });

  it.each([
    ['A=#secret', 'the value of A begins with #, which some readers take for a comment; put it in quotes'],
    ['A="secret', 'the value of A begins with " but does not end with it'],
    ["A='it's secret'", "the value of A goes on behind its second '; put it in quotes that it does not hold"],
    [
      'A="say \\"secret\\""',
      'the value of A goes on behind its second "; put it in quotes that it does not hold',
    ],
    ['A="x"secret', 'the value of A goes on behind its second "; put it in quotes that it does not hold'],
    ['A: secret', 'NAME=value was expected'],
    ['secret', 'NAME=value was expected'],
    ['1A=secret', 'NAME=value was expected'],
  ])('%j is refused in one sentence that holds no value', (text, sentence) => {
    const error = refusal(`GOOD=1\n${text}`);
    expect(error.problems).toEqual([`.env, line 2: ${sentence}`]);
    expect(error.message).not.toContain('secret');
  });

  it('names every line that is not clear', () => {
    expect(refusal('one\nA=1\ntwo\n').problems).toHaveLength(2);
  });
});

function refusal(text: string): StartupError {
  try {
    read(text);
  } catch (error) {
    if (error instanceof StartupError) return error;
    throw error;
  }
  throw new Error('it was read');
}
