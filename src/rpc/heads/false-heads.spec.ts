import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { HeadStreamWorld } from '../../../testing/head-stream.js';
import { RecordedEvents } from '../../../testing/fakes/recorded-events.js';
import { standIn } from '../../../testing/fakes/stand-in.js';
import { startFakePool, type FakePool } from '../../../testing/nodes/fake-pool.js';
import { blockOf, eventually, FakeRpc, hashOf, hex } from '../../../testing/nodes/fake-rpc.js';
import type { Head } from '../../domain/block.js';
import { Clock } from '../../domain/clock.js';
import { Chain } from '../chain/chain.js';
import { HeadLinks } from './head-links.js';

let world: HeadStreamWorld;
let node: FakeRpc;
let second: FakeRpc;
let heads: Head[];
let events: RecordedEvents;

beforeEach(async () => {
  world = await HeadStreamWorld.open();
  ({ node, second, heads, events } = world);
});

afterEach(() => world.close());

describe('F41 a false head', () => {
  let fakes: FakePool;
  beforeEach(async () => {
    fakes = await startFakePool();
  });
  afterEach(() => fakes.close());

  const move = (number: number): void => {
    for (const honest of [node, fakes.primary, fakes.backup]) honest.mine(number);
  };
  const links = (): HeadLinks => new HeadLinks(new Chain(fakes.pool), new Clock());

  it.each<[string, (number: number) => object]>([
    ['1,000 blocks ahead', (number) => blockOf(number + 1_000)],
    ['2^34 blocks ahead', () => blockOf(2 ** 34)],
    ['20 blocks ahead', (number) => blockOf(number + 20)],
    ['2 blocks ahead, of an invented branch', (number) => blockOf(number + 2, 7)],
    ['of an invented branch', (number) => blockOf(number + 1, 7)],
    [
      'with the right parent and another number',
      (number) => ({ ...blockOf(number + 9), hash: hashOf(number + 9, 3), parentHash: hashOf(number) }),
    ],
    [
      'of a later day, far ahead',
      (number) => ({ ...blockOf(number + 1_000), timestamp: hex(1_900_000_000) }),
    ],
  ])('F41 %s is not believed, and no true head is lost by it', async (_name, lie) => {
    await world.start({ sources: [node, second], links: links(), timings: { silenceMs: 60_000 } });
    for (let round = 1; round <= 3; round++) {
      await eventually(() => {
        second.push(lie(100 + round - 1)); // until the connection has subscribed
        return events.named('head-not-believed').length > 0;
      }, 25_000);
      move(100 + round);
      await eventually(() => heads.at(-1)?.number === 100 + round, 25_000);
    }
    expect(heads.map(({ hash }) => hash)).toEqual([100, 101, 102, 103].map((number) => hashOf(number)));
    expect(events.named('head-not-believed')).toHaveLength(1);
    expect(world.doubts).toBeGreaterThanOrEqual(1);

    fakes.primary.mine(104);
    second.mine(104); // the lie is over
    await eventually(() => heads.at(-1)?.number === 104);
  });

  it('F41 a branch of 200 blocks that only one endpoint has, with headers that link, is not believed', async () => {
    await world.start({ sources: [node, second], links: links(), timings: { silenceMs: 60_000 } });
    await eventually(() => heads.at(-1)?.number === 100);
    fakes.primary.head = 300;
    await eventually(() => {
      second.push(blockOf(300));
      return events.named('head-not-believed').length > 0;
    }, 20_000);
    expect(world.numbers).toEqual([100]);

    fakes.backup.head = 300; // the chain is so long
    await eventually(() => {
      second.push(blockOf(300));
      return heads.at(-1)?.number === 300;
    }, 20_000);
  });

  it('F41 a gap is believed when headers lead over it, and so is a reorg', async () => {
    await world.start({ links: links(), timings: { silenceMs: 60_000 } });
    move(109);
    await eventually(() => heads.at(-1)?.number === 109);
    for (const fake of [fakes.primary, fakes.backup])
      fake.on('eth_getBlockByNumber', ([number]) => blockOf(Number(number), Number(number) > 106 ? 1 : 0));
    node.push({ ...blockOf(110, 1) });
    await eventually(() => events.named('head-not-believed').length === 1); // 107 has no parent in this answer
    for (const fake of [fakes.primary, fakes.backup])
      fake.on('eth_getBlockByNumber', ([number]) => ({
        ...blockOf(Number(number), Number(number) > 106 ? 1 : 0),
        ...(Number(number) === 107 && { parentHash: hashOf(106) }),
      }));
    node.push(blockOf(110, 1));
    await eventually(() => heads.at(-1)?.hash === hashOf(110, 1));
  });

  it('F55 a flood of false heads is one line and four questions at a time, and holds up no true head', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let questions = 0;
    const slow = standIn<HeadLinks>('links', {
      lead: async (...head) => {
        questions++;
        await held;
        return links().lead(...head);
      },
    });
    await world.start({ sources: [node, second], links: slow, timings: { silenceMs: 60_000 } });
    for (let fork = 1; fork <= 1_000; fork++) second.push(blockOf(120, fork));
    second.push(blockOf(101)); // over the same connection, so it comes after the flood
    await eventually(() => heads.at(-1)?.number === 101, 25_000);
    expect(questions).toBe(4);
    release();
    await eventually(() => events.named('head-not-believed').length > 0, 25_000);
    second.push(blockOf(102));
    await eventually(() => heads.at(-1)?.number === 102, 25_000);
    expect(world.numbers).toEqual([100, 101, 102]);
    expect(events.named('head-not-believed')).toHaveLength(1);
  });

  it('F41 the first block that was asked for is what later heads must link to', async () => {
    await world.start({ links: links(), first: 100, pollFirst: false, timings: { silenceMs: 60_000 } });
    node.push(blockOf(5_000));
    await eventually(() => events.named('head-not-believed').length === 1);
    move(101);
    await eventually(() => heads.at(-1)?.number === 101);
    expect(world.numbers).not.toContain(5_000);
  });
});
