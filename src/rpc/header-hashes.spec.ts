import { expect, it } from 'vitest';

import { TestClock } from '../../testing/fakes/test-clock.js';
import { blockOf } from '../../testing/nodes/fake-rpc.js';
import { HeaderHashes, headerHash } from './header-hashes.js';

const word = (digits: string): string => `0x${digits.repeat(32)}`;

/** The header of a block before all forks that added fields. */
const plain = {
  parentHash: word('01'),
  sha3Uncles: word('02'),
  miner: `0x${'03'.repeat(20)}`,
  stateRoot: word('04'),
  transactionsRoot: word('05'),
  receiptsRoot: word('06'),
  logsBloom: `0x${'00'.repeat(256)}`,
  difficulty: '0x0',
  number: '0x10',
  gasLimit: '0x1c9c380',
  gasUsed: '0x0',
  timestamp: '0x65920080',
  extraData: '0x',
  mixHash: word('07'),
  nonce: '0x0000000000000000',
};
const right = { ...plain, hash: headerHash(plain) };
const wrong = { ...right, timestamp: '0x65920081' };

it('before a header could be computed, none is refused', () => {
  const hashes = new HeaderHashes(new TestClock());
  for (const header of [wrong, blockOf(7)]) expect(() => hashes.check(header)).not.toThrow();
  expect(hashes.areProven).toBe(false);
});

it('F41 after a header could be computed, those with other fields are refused', () => {
  const hashes = new HeaderHashes(new TestClock());
  hashes.check(right);
  expect(hashes.areProven).toBe(true);
  for (const header of [wrong, blockOf(7)])
    expect(() => hashes.check(header)).toThrow('the hash of the header is not that of its fields');
  expect(() => hashes.check(right)).not.toThrow();
});

it('when no header can be computed any more, as after a fork, none is refused after 10 s, until one fits again', () => {
  const clock = new TestClock();
  const hashes = new HeaderHashes(clock);
  hashes.check(right);
  clock.advance(60_000); // nobody asked for a header meanwhile
  expect(() => hashes.check(wrong)).toThrow();
  clock.advance(9_000);
  hashes.check(right);
  clock.advance(9_000);
  expect(() => hashes.check(wrong)).toThrow();
  clock.advance(10_000);
  expect(() => hashes.check(wrong)).toThrow();
  clock.advance(1);
  expect(() => hashes.check(wrong)).not.toThrow();
  expect(hashes.areProven).toBe(false);
  hashes.check(right);
  expect(() => hashes.check(wrong)).toThrow();
});
