import { beforeEach, describe, expect, it } from 'vitest';
import { FakeBlockChain } from '../../testing/fakes/fake-block-chain.js';
import { FakeFollowed } from '../../testing/fakes/fake-followed.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import type { Block } from '../domain/block.js';
import { chainDescription, windowBlocks } from '../domain/chain-description.js';
import { RetryError } from '../domain/errors.js';
import type { Address, Hash } from '../domain/hex.js';
import { BlockFollower } from './block-follower.js';

const CHAIN = chainDescription(31337);
const FEEDS: Address = `0x${'fe'.repeat(20)}`;
const MARKET: Address = `0x${'aa'.repeat(20)}`;
const NEW_ORACLE: Address = `0x${'bb'.repeat(20)}`;

describe('the follower of blocks', () => {
  let node: FakeBlockChain;
  let journal: string[];
  let feeds: FakeFollowed;
  let market: FakeFollowed;
  let follower: BlockFollower;

  beforeEach(async () => {
    node = new FakeBlockChain();
    journal = [];
    feeds = new FakeFollowed('feeds', FEEDS, journal);
    market = new FakeFollowed('market', MARKET, journal);
    follower = new BlockFollower(node.chain, [feeds, market], CHAIN, new TestClock());
    const steps = await Promise.all([feeds.prepareRange(), market.prepareRange()]);
    follower.beginAt(node.tip, steps);
    journal.length = 0;
  });

  /** Moves to the tip of the node. @returns the blocks that were taken back. */
  async function walk(head: Block = node.tip): Promise<Hash[]> {
    const takenBack: Hash[] = [];
    const path = await follower.pathTo(head);
    if (path.kind !== 'walk') throw new Error(`the path is ${path.kind}`);
    await follower.walk(head, path, takenBack);
    return takenBack;
  }

  it('lets all followers prepare a block before any commits it, block by block', async () => {
    node.mine([[MARKET, '0x01']]);
    node.mine([[FEEDS, '0x02']]);
    await walk();
    expect(journal).toEqual([
      'feeds prepares 1',
      'market prepares 1',
      'feeds commits 1',
      'market commits 1',
      'feeds prepares 2',
      'market prepares 2',
      'feeds commits 2',
      'market commits 2',
    ]);
    expect(feeds.view()).toEqual(['0x02']);
    expect(market.view()).toEqual(['0x01']);
    expect(follower.tip).toEqual(node.tip);
  });

  it('reads the logs of all blocks on the way at once', async () => {
    for (let block = 0; block < 5; block += 1) node.mine();
    await walk();
    expect(node.asked).toEqual([[FEEDS, MARKET]]);
  });

  it('F15 lets all followers undo in the reverse order, back to the ancestor', async () => {
    node.mine([[MARKET, '0x01']]);
    await walk();
    const gone = [node.mine([[MARKET, '0x02']]), node.mine([[FEEDS, '0x03']])];
    await walk();
    node.drop(2);
    node.mine([[MARKET, '0x04']], 1);
    journal.length = 0;
    expect(await walk()).toEqual(gone.map(({ hash }) => hash).reverse());
    expect(journal.slice(0, 4)).toEqual(['market undoes', 'feeds undoes', 'market undoes', 'feeds undoes']);
    expect(market.view()).toEqual(['0x01', '0x04']);
    expect(feeds.view()).toEqual([]);
  });

  it('reports which blocks were taken back, also when the new branch cannot be read', async () => {
    const gone = node.mine();
    await walk();
    node.drop(1);
    node.mine([], 1);
    node.logFault = new RetryError('the node is away');
    const takenBack: Hash[] = [];
    const path = await follower.pathTo(node.tip);
    if (path.kind !== 'walk') throw new Error(`the path is ${path.kind}`);
    await expect(follower.walk(node.tip, path, takenBack)).rejects.toThrow('the node is away');
    expect(takenBack).toEqual([gone.hash]);
    expect(follower.tip.number).toBe(0);
  });

  it('stays at the last committed block when one follower cannot prepare the next', async () => {
    node.mine([[FEEDS, '0x01']]);
    const whole = node.tip;
    await walk();
    node.mine([[FEEDS, '0x02']]);
    market.next = { fails: new RetryError('the account cannot be read') };
    await expect(walk()).rejects.toThrow('the account cannot be read');
    expect(follower.tip).toEqual(whole);
    expect(feeds.view()).toEqual(['0x01']);
    await walk();
    expect(feeds.view()).toEqual(['0x01', '0x02']);
  });

  it('reads the later logs again when a block changes the watched contracts', async () => {
    node.mine();
    node.mine([[NEW_ORACLE, '0x07']]);
    market.next = { readsChange: true, watched: [MARKET, NEW_ORACLE] };
    await walk();
    expect(node.asked).toEqual([
      [FEEDS, MARKET],
      [FEEDS, MARKET, NEW_ORACLE],
    ]);
    expect(market.view()).toEqual(['0x07']);
  });

  it('names the accounts that the logs contradicted, once', async () => {
    node.mine();
    market.next = { contradicted: ['0x12'] };
    await walk();
    expect(follower.takeContradictions()).toEqual([{ name: 'market', account: '0x12' }]);
    expect(follower.takeContradictions()).toEqual([]);
  });

  it('can be taken back within the reorg window, and no further', async () => {
    const reach = windowBlocks('reorg', CHAIN);
    for (let block = 0; block < reach + 10; block += 1) {
      node.mine();
      await walk();
    }
    expect(follower.oldest.number).toBe(10);
    node.drop(reach);
    node.mine([], 1);
    expect(await walk()).toHaveLength(reach);
    node.drop(2);
    node.mine([], 2);
    expect(await follower.pathTo(node.tip)).toEqual({ kind: 'too-deep' });
  });

  it('knows what was applied since a block, for accounts that were read at that block', async () => {
    node.mine([[MARKET, '0x01']]);
    await walk();
    const read = node.tip.hash;
    node.mine([[MARKET, '0x02']]);
    node.mine([[MARKET, '0x03']]);
    await walk();
    expect(follower.since(read, market)).toEqual({ later: [1, 2], tip: 2 });
    node.drop(3);
    node.mine([], 1);
    await walk();
    expect(follower.since(read, market)).toBeUndefined();
  });
});
