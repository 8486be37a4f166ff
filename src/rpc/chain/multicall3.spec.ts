import { AbiCoder, hexlify, Interface, randomBytes } from 'ethers';
import { describe, expect, it } from 'vitest';

import type { Hex } from '../../domain/hex.js';
import { decodeAggregate3, encodeAggregate3 } from './multicall3.js';

const REFERENCE = new Interface([
  'function aggregate3((address target, bool allowFailure, bytes callData)[] calls) returns ((bool success, bytes returnData)[])',
]);

const random = (bytes: number): Hex => hexlify(randomBytes(bytes)) as Hex;
const SIZES = [0, 1, 4, 31, 32, 33, 36, 64, 100, 1_000];

describe('the hand-written coder of aggregate3 agrees with ethers', () => {
  it.each([0, 1, 2, 10])('encodes %i calls', (count) => {
    const calls = SIZES.slice(0, count).map((size) => ({ to: random(20), data: random(size) }));
    const expected = REFERENCE.encodeFunctionData('aggregate3', [
      calls.map(({ to, data }) => ({ target: to, allowFailure: true, callData: data })),
    ]);
    expect(encodeAggregate3(calls)).toBe(expected);
  });

  it.each([0, 1, 2, 10])('decodes %i results', (count) => {
    const results = SIZES.slice(0, count).map((size, index) => ({
      success: index % 3 !== 1,
      data: random(size),
    }));
    const data = AbiCoder.defaultAbiCoder().encode(
      ['tuple(bool,bytes)[]'],
      [results.map((result) => [result.success, result.data])],
    ) as Hex;
    expect(decodeAggregate3(data, count)).toEqual(results);
  });
});

describe('a malformed result of aggregate3 is refused', () => {
  const correct = AbiCoder.defaultAbiCoder().encode(['tuple(bool,bytes)[]'], [[[true, '0x1234']]]) as Hex;
  const withWord = (index: number, word: string): Hex =>
    `0x${correct.slice(2, 2 + index * 64)}${word.padStart(64, '0')}${correct.slice(2 + (index + 1) * 64)}`;

  it.each<[string, Hex]>([
    ['an empty result, where there is no contract', '0x'],
    ['a cut answer', correct.slice(0, -70) as Hex],
    ['another number of results', withWord(1, '2')],
    ['an offset beyond the end', withWord(2, 'ffff')],
    ['an offset that is too large for a number', withWord(2, 'f'.repeat(64))],
    ['a success that is not a boolean', withWord(3, '2')],
    ['a length beyond the end', withWord(5, 'ffff')],
  ])('%s', (_name, data) => {
    expect(() => decodeAggregate3(data, 1)).toThrow(TypeError);
  });

  it('the correct result is accepted', () => {
    expect(decodeAggregate3(correct, 1)).toEqual([{ success: true, data: '0x1234' }]);
  });
});
