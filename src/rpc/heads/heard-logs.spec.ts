import { expect, it } from 'vitest';

import { hashOf, logOf } from '../../../testing/nodes/fake-rpc.js';
import { parseLog, type RawLog } from '../chain/chain-answers.js';
import { HeardLogs } from './heard-logs.js';

const log = (number: number, logIndex = 0, fork = 0): RawLog => ({
  ...parseLog(logOf(number)),
  blockHash: hashOf(number, fork),
  logIndex,
});

it('each log is kept once, in the order of its block, and apart from the logs of a sibling block', () => {
  const heard = new HeardLogs(128);
  for (const one of [log(7, 2), log(7, 0), log(7, 2), log(8, 1), log(7, 1, 1)]) heard.add(one, 'primary');
  expect(heard.of(hashOf(7)).map(({ logIndex }) => logIndex)).toEqual([0, 2]);
  expect(heard.of(hashOf(7, 1)).map(({ logIndex }) => logIndex)).toEqual([1]);
  expect(heard.of(hashOf(9))).toEqual([]);
});

it('a log that a reorg removed is gone, and the removal of an unknown log changes nothing', () => {
  const heard = new HeardLogs(128);
  heard.add(log(7, 0), 'primary');
  heard.add(log(7, 1), 'primary');
  for (const one of [log(7, 0), log(7, 5), log(9)]) heard.remove(one);
  expect(heard.of(hashOf(7))).toEqual([log(7, 1)]);
  heard.remove(log(7, 1));
  heard.add(log(7, 1), 'primary');
  expect(heard.of(hashOf(7))).toEqual([log(7, 1)]);
});

it('the logs of the latest blocks are kept, and of no more blocks than given', () => {
  const heard = new HeardLogs(128);
  for (let number = 1; number <= 129; number++) heard.add(log(number), 'primary');
  heard.add(log(2, 1), 'primary');
  expect(heard.of(hashOf(1))).toEqual([]);
  expect(heard.of(hashOf(2))).toHaveLength(2);
  expect(heard.of(hashOf(129))).toHaveLength(1);
});

it('no more than 50,000 logs are kept, and the oldest blocks are dropped first', () => {
  const heard = new HeardLogs(128);
  for (let index = 0; index < 30_000; index++) heard.add(log(1, index), 'primary');
  heard.remove(log(1, 0));
  for (let index = 0; index < 20_001; index++) heard.add(log(2, index), 'primary');
  expect([heard.of(hashOf(1)).length, heard.of(hashOf(2)).length]).toEqual([29_999, 20_001]);
  heard.add(log(3), 'primary');
  expect([1, 2, 3].map((number) => heard.of(hashOf(number)).length)).toEqual([0, 20_001, 1]);
});

it('F44 what only one endpoint sent is forgotten with it, and what another one sent too stays', () => {
  const heard = new HeardLogs(128);
  heard.add(log(7, 0), 'backup');
  heard.add(log(7, 1), 'backup');
  heard.add(log(7, 1), 'primary');
  expect([heard.deliverers(log(7, 0)), heard.deliverers(log(7, 1))]).toEqual([
    ['backup'],
    ['backup', 'primary'],
  ]);
  heard.forget('backup');
  expect(heard.of(hashOf(7))).toEqual([log(7, 1)]);
  expect(heard.deliverers(log(7, 0))).toEqual([]);
});

it('the list of a block is the same one until its logs change, however they change', () => {
  const heard = new HeardLogs(128);
  const block = hashOf(7);
  heard.add(log(7, 1), 'primary');
  const first = heard.of(block);
  heard.add(log(7, 1), 'backup');
  heard.add(log(8), 'primary');
  heard.remove(log(7, 5));
  expect(heard.of(block)).toBe(first);
  heard.add(log(7, 0), 'primary');
  expect(heard.of(block)).toEqual([log(7, 0), log(7, 1)]);
  heard.forget('primary');
  expect(heard.of(block)).toEqual([log(7, 1)]);
  heard.remove(log(7, 1));
  expect(heard.of(block)).toEqual([]);
});
