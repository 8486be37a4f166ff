import { describe, expect, it } from 'vitest';
import { SerialQueue } from './serial-queue.js';

describe('a serial queue', () => {
  it('starts work only when all earlier work has ended', async () => {
    const queue = new SerialQueue();
    const events: string[] = [];
    let finishFirst = (): void => undefined;
    const first = queue.run(async () => {
      events.push('first starts');
      await new Promise<void>((resolve) => {
        finishFirst = resolve;
      });
      events.push('first ends');
    });
    const second = queue.run(() => events.push('second starts'));
    await Promise.resolve();
    expect(events).toEqual(['first starts']);
    finishFirst();
    await Promise.all([first, second]);
    expect(events).toEqual(['first starts', 'first ends', 'second starts']);
  });

  it('gives a failure to the caller whose work failed, and goes on', async () => {
    const queue = new SerialQueue();
    const failed = queue.run(() => Promise.reject(new Error('no')));
    const next = queue.run(() => 'next');
    await expect(failed).rejects.toThrow('no');
    await expect(next).resolves.toBe('next');
  });

  it('is idle when the last work has ended, even if it failed', async () => {
    const queue = new SerialQueue();
    let ended = false;
    const failing = queue.run(async () => {
      await Promise.resolve();
      ended = true;
      throw new Error('no');
    });
    failing.catch(() => undefined);
    await queue.idle();
    expect(ended).toBe(true);
  });
});
