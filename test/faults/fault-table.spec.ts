import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  describedFaults,
  faultResults,
  isComplete,
  NUMBERS,
  numbersOf,
  tableOf,
  type FaultTest,
} from './fault-table.js';

const test = (name: string, more: Partial<FaultTest> = {}): FaultTest => ({
  names: ['a suite', name],
  file: 'src/a.spec.ts',
  state: 'passed',
  times: undefined,
  ...more,
});

describe('the table of faults', () => {
  const documented = describedFaults(readFileSync(new URL('../../docs/faults.md', import.meta.url), 'utf8'));

  it('is docs/faults.md: every number, in their order', () => {
    const numbers = documented.map(({ number }) => number);
    expect(numbers).toEqual(numbers.toSorted());
    expect([...new Set(numbers)]).toEqual(NUMBERS);
    expect(documented.filter(({ fault, expected }) => !fault || !expected)).toEqual([]);
  });

  it('takes the numbers at the beginning of a name, and none in its middle', () => {
    expect(numbersOf('A09 F05 F24 a node that cuts')).toEqual(['F05', 'F24']);
    expect(numbersOf('as F08: the chain rests')).toEqual([]);
    expect(numbersOf('F99 is no number')).toEqual([]);
  });

  it('is complete only when each number is described, and seen by a test that passed', () => {
    const described = ['F01', 'F02', 'F03'].map((number) => ({ number, fault: 'x', expected: 'y' }));
    const seen = (tests: FaultTest[], numbers: string[]): string[] =>
      faultResults(described, tests, numbers).map((result) => result.seen);
    const tests = [
      test('F01 a'),
      test('F02 a'),
      test('F02 b', { state: 'failed' }),
      test('F03 a', { state: 'skipped' }),
    ];
    expect(seen(tests, ['F01', 'F02', 'F03'])).toEqual(['passed', 'failed', 'missing']);
    for (const [number, complete] of [
      ['F01', true],
      ['F02', false],
      ['F03', false],
    ] as const)
      expect(isComplete(faultResults(described, tests, [number]))).toBe(complete);
    expect(isComplete(faultResults([], tests, ['F01']))).toBe(false);
  });

  it('counts the tests of a suite that carries the number, and shows the longest times', () => {
    const tests = [
      test('at night', { names: ['F13 silence', 'at night'], times: { detectMs: 900, recoverMs: 2_340 } }),
      test('F13 by day', { times: { detectMs: 30 } }),
    ];
    const [result] = faultResults([{ number: 'F13', fault: 'a silent `socket`', expected: 'polls' }], tests, [
      'F13',
    ]);
    expect(result).toMatchObject({ seen: 'passed', passed: 2, detectMs: 900, recoverMs: 2_340 });
    const lines = result ? tableOf([result]) : [];
    expect(lines[2]).toMatch(/^F13 \| a silent socket +\| polls +\| passed \(2\) +\| 900 ms +\| 2\.3 s$/);
    expect(lines).toContain('1 of 1 passed.');
  });

  it('names the tests that failed, and shows a dash where nothing recovers', () => {
    const tests = [test('F12 the wrong chain', { state: 'failed' })];
    const lines = tableOf(faultResults([{ number: 'F12', fault: 'f', expected: 'e' }], tests, ['F12']));
    expect(lines[2]).toMatch(/\| failed \(1\) +\| - +\| -$/);
    expect(lines).toContain('0 of 1 passed: F12 failed.');
    expect(lines).toContain('failed: src/a.spec.ts: a suite > F12 the wrong chain');
  });

  it('says why there is no time to detect, where the fault is known with the answer itself', () => {
    const tests = [test('F14 a head twice')];
    const lines = tableOf(faultResults([{ number: 'F14', fault: 'f', expected: 'e' }], tests, ['F14']));
    expect(lines[2]).toMatch(/\| passed \(1\) +\| at once: +\| -$/);
    expect(lines[3]).toMatch(/\| dropped +\|$/);
  });
});
