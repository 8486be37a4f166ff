import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FakeFollowed } from '../../testing/fakes/fake-followed.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { startFakePool, type FakePool } from '../../testing/nodes/fake-pool.js';
import { EMITTER, hashOf, hex, logOf, type FakeRpc } from '../../testing/nodes/fake-rpc.js';
import { chainDescription } from '../domain/chain-description.js';
import type { Hash } from '../domain/hex.js';
import { Chain } from '../rpc/chain/chain.js';
import { BlockFollower } from './block-follower.js';

const MALFORMED = '0xbad0';
const ANOTHER = `0x${'ee'.repeat(32)}`;

describe('malformed logs', () => {
  let fakes: FakePool;
  let primary: FakeRpc;
  let backup: FakeRpc;
  let market: FakeFollowed;
  let follower: BlockFollower;
  let chain: Chain;

  beforeEach(async () => {
    fakes = await startFakePool();
    ({ primary, backup } = fakes);
    chain = new Chain(fakes.pool);
    market = new FakeFollowed('market', EMITTER);
    market.malformed = MALFORMED;
    follower = new BlockFollower(chain, [market], chainDescription(31337), new TestClock());
    follower.beginAt(await chain.getBlock(98), [await market.prepareRange()]);
  });
  afterEach(() => fakes.close());

  async function walkTo(number: number): Promise<void> {
    const head = await chain.getBlock(number);
    const path = await follower.pathTo(head);
    if (path.kind !== 'walk') throw new Error(`the path is ${path.kind}`);
    const takenBack: Hash[] = [];
    await follower.walk(head, path, takenBack);
  }

  const log = (logIndex: number, fields: object = {}): object =>
    logOf(99, { logIndex: hex(logIndex), data: `0x0${logIndex}`, ...fields });
  const good = [log(0), log(1), log(2)];
  /** A block of three logs, of which the middle one is not right. */
  const oneWrong = (fields: object): object[] => [log(0), log(1, fields), log(2)];

  it.each<[string, object]>([
    ['lacks its topics', { topics: undefined }],
    ['has a topic of 31 bytes', { topics: [`0x${'ab'.repeat(31)}`] }],
    ['has five topics', { topics: Array.from({ length: 5 }, () => ANOTHER) }],
    ['has data that its reader cannot decode', { data: MALFORMED }],
    ['has data of half a byte', { data: '0x123' }],
    ['is from an address that was not asked for', { address: `0x${'33'.repeat(20)}` }],
    ['is marked as removed', { removed: true }],
    ['is of another block', { blockHash: ANOTHER }],
    ['has the place of another log', { logIndex: '0x0' }],
    ['has a place of 2^60', { logIndex: '0x1000000000000000' }],
    ['has no transaction', { transactionHash: null }],
  ])(
    'F44 one of three logs %s: nothing changes until an endpoint gives them right',
    async (_name, fields) => {
      primary.on('eth_getLogs', () => oneWrong(fields));
      backup.on('eth_getLogs', () => oneWrong(fields));
      await expect(walkTo(99)).rejects.toMatchObject({ kind: 'bad-answer', consequence: 'retry' });
      expect(market.view()).toEqual([]);
      expect(follower.tip.number).toBe(98);

      backup.on('eth_getLogs', () => good);
      await walkTo(99);
      expect(market.view()).toEqual(['0x00', '0x01', '0x02']);
      expect(follower.tip.hash).toBe(hashOf(99));
    },
  );

  it('F44 one malformed log in a gap of several blocks changes none of them', async () => {
    const logs = (data: string): object[] => [logOf(99), logOf(100, { data })];
    primary.on('eth_getLogs', () => logs(MALFORMED));
    backup.on('eth_getLogs', () => [logOf(99), logOf(100, { blockNumber: '0x63' })]);
    await expect(walkTo(100)).rejects.toMatchObject({ kind: 'bad-answer' });
    expect([market.view(), follower.tip.number]).toEqual([[], 98]);

    primary.on('eth_getLogs', () => logs('0x02'));
    await walkTo(100);
    expect(market.view()).toEqual(['0x01', '0x02']);
  });
});
