import { describe, expect, it } from 'vitest';
import { RetryError } from '../domain/errors.js';
import { NonceLane } from './nonce-lane.js';

const started = (chainCount: number, pending: number[] = []): NonceLane => {
  const lane = new NonceLane();
  lane.start(chainCount, pending);
  return lane;
};

/** Takes the next nonce and keeps it. */
const use = (lane: NonceLane): Promise<number> =>
  lane.take(async (lease) => {
    await Promise.resolve();
    const [nonce = -1] = lease.next(1);
    lease.keep([nonce]);
    return nonce;
  });

describe('NonceLane', () => {
  it('gives concurrent intents one nonce each, in the order of asking', async () => {
    const lane = started(5);
    expect(await Promise.all(Array.from({ length: 20 }, () => use(lane)))).toEqual(
      Array.from({ length: 20 }, (_, index) => 5 + index),
    );
  });

  it('gives a nonce again when its work failed before the row was durable', async () => {
    const lane = started(5);
    const failing = lane.take(() => Promise.reject(new Error('database away')));
    const next = use(lane);
    await expect(failing).rejects.toThrow('database away');
    expect(await next).toBe(5);
  });

  it('never gives a nonce again once its intent is durable, even when the work then fails', async () => {
    const lane = started(5);
    const failing = lane.take((lease) => {
      lease.keep(lease.next(1));
      return Promise.reject(new Error('broadcast unknown'));
    });
    await expect(failing).rejects.toThrow('broadcast unknown');
    expect(await use(lane)).toBe(6);
  });

  it('gives the nonce of a dropped intent to the next one, before any later nonce', async () => {
    const lane = started(5);
    await lane.take(async (lease) => {
      lease.keep(lease.next(1));
      lease.giveBack(5);
      await Promise.resolve();
    });
    expect(await use(lane)).toBe(5);
    expect(await use(lane)).toBe(6);
    lane.giveBack(5);
    lane.giveBack(5);
    expect(await use(lane)).toBe(5);
    expect(await use(lane)).toBe(7);
  });

  it('starts after the chain and after every pending row, and fills the gap that a dropped row has left', async () => {
    expect(await use(started(5))).toBe(5);
    const lane = started(5, [5, 7]);
    expect([await use(lane), await use(lane)]).toEqual([6, 8]);
  });

  it('never hands out a nonce whose row is found later', async () => {
    const lane = started(5);
    lane.hold(6);
    expect([await use(lane), await use(lane)]).toEqual([5, 7]);
    const found = await lane.take(async (lease) => {
      lane.hold(8);
      await Promise.resolve();
      return lease.next(1);
    });
    expect(found).toEqual([9]);
  });

  it('work keeps its nonces when an earlier one is given back meanwhile', async () => {
    const lane = started(5);
    await use(lane);
    await lane.take(async (lease) => {
      const nonces = lease.next(2);
      expect(nonces).toEqual([6, 7]);
      lane.giveBack(5);
      lease.keep(nonces);
      await Promise.resolve();
    });
    expect([await use(lane), await use(lane)]).toEqual([5, 8]);
  });

  it('gives many at once: those that are free first, ascending, and all of them again when the work fails', async () => {
    const lane = started(5, [5, 7, 9]);
    const failing = lane.take((lease) => Promise.reject(new Error(lease.next(4).join())));
    await expect(failing).rejects.toThrow('6,8,10,11');
    await lane.take(async (lease) => {
      const nonces = lease.next(4);
      expect(nonces).toEqual([6, 8, 10, 11]);
      lease.keep(nonces);
      await Promise.resolve();
      lease.giveBack(11);
      lease.giveBack(10);
    });
    expect([await use(lane), await use(lane), await use(lane)]).toEqual([10, 11, 12]);
  });

  it('gives no nonce before it has started', async () => {
    await expect(use(new NonceLane())).rejects.toBeInstanceOf(RetryError);
  });

  it('F23 tells how many transactions of our key are not ours, and goes on after them when they are proved', async () => {
    const lane = started(5);
    await use(lane);
    expect([5, 6, 8].map((count) => lane.explains(count))).toEqual([true, true, false]);
    expect(await use(lane)).toBe(6);
    expect(lane.adopt(8)).toBe(1);
    expect(lane.explains(8)).toBe(true);
    expect(await use(lane)).toBe(8);
  });

  it('F23 counts a foreign transaction that took the nonce of a dropped intent', async () => {
    const lane = started(5);
    await lane.take(async (lease) => {
      lease.keep(lease.next(1));
      await Promise.resolve();
      lease.giveBack(5);
    });
    expect(lane.explains(6)).toBe(false);
    expect(lane.adopt(6)).toBe(1);
    expect(await use(lane)).toBe(6);
  });

  it('F44 goes back from a count that was false, but never below a nonce of a row', async () => {
    const lane = started(5);
    expect([await use(lane), await use(lane)]).toEqual([5, 6]);
    expect(lane.adopt(5_000)).toBe(4_993);
    expect(lane.explains(7)).toBe(false);
    expect(lane.adopt(7)).toBe(0);
    expect(await use(lane)).toBe(7);
    expect(lane.explains(4)).toBe(true); // a node that is late
    expect(await use(lane)).toBe(8);
  });

  it('F22 names the nonces for which later ones wait', () => {
    const lane = started(5, [5, 8]);
    expect(lane.gapsBelow([5, 8])).toEqual([6, 7]);
    expect(lane.gapsBelow([5])).toEqual([]);
  });
});
