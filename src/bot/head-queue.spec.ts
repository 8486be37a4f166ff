import { beforeEach, describe, expect, it } from 'vitest';
import { aHead } from '../../testing/builders/blocks.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { chainDescription, windowBlocks } from '../domain/chain-description.js';
import { HeadQueue } from './head-queue.js';

const CHAIN = chainDescription(31337);
const FAR = windowBlocks('lateNode', CHAIN) + 1;

describe('the queue of heads', () => {
  let clock: TestClock;
  let queue: HeadQueue;

  beforeEach(() => {
    clock = new TestClock();
    queue = new HeadQueue(clock, CHAIN);
  });

  it('keeps the newest head only', () => {
    expect(queue.offer(aHead(11), aHead(10))).toBe(true);
    expect(queue.offer(aHead(12), aHead(10))).toBe(true);
    expect(queue.offer(aHead(11), aHead(10))).toBe(false);
    expect(queue.take()?.number).toBe(12);
    expect(queue.take()).toBeUndefined();
  });

  it('takes a sibling of the waiting head, because it may be a reorg', () => {
    queue.offer(aHead(11), aHead(10));
    expect(queue.offer(aHead(11, { branch: 1 }), aHead(10))).toBe(true);
    expect(queue.take()).toMatchObject(aHead(11, { branch: 1 }));
  });

  it('does not take the block that the state is at', () => {
    expect(queue.offer(aHead(10), aHead(10))).toBe(false);
  });

  it('takes any head before the first view', () => {
    expect(queue.offer(aHead(1), undefined)).toBe(true);
  });

  it('takes a head far below our block only after a minute without any other', () => {
    const own = aHead(1_000);
    const late = aHead(1_000 - FAR);
    expect(queue.offer(late, own)).toBe(false);
    clock.advance(59_999);
    expect(queue.offer(late, own)).toBe(false);
    clock.advance(1);
    expect(queue.offer(late, own)).toBe(true);
  });

  it('starts that minute again after a head that is not far below', () => {
    const own = aHead(1_000);
    const late = aHead(1_000 - FAR);
    queue.offer(late, own);
    clock.advance(59_999);
    expect(queue.offer(aHead(1_001), own)).toBe(true);
    clock.advance(1);
    expect(queue.offer(late, own)).toBe(false);
    queue.clear();
    expect(queue.offer(late, own)).toBe(false);
    clock.advance(60_000);
    expect(queue.offer(late, own)).toBe(true);
  });
});
