import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/fakes/test-clock.js';
import type { Block } from '../domain/block.js';
import { HaltError } from '../domain/errors.js';
import { RpcAnswerError, RpcError } from '../rpc/rpc-errors.js';
import { OpenGap } from './open-gap.js';

const blockAt = (number: number): Block => ({
  number,
  hash: `0x${String(number).padStart(64, '0')}`,
  parentHash: `0x${String(number - 1).padStart(64, '0')}`,
  timestamp: number,
  baseFeePerGas: 1n,
});

describe('a gap before the head', () => {
  let clock: TestClock;
  const failing = (gap: OpenGap, head: number, tip = 10): Promise<unknown> =>
    gap
      .watch(
        blockAt(head),
        () => blockAt(tip),
        () => Promise.reject(new RpcError('timeout', 'primary', 'no answer')),
      )
      .catch((error: unknown) => error);

  it('is retried for 30 s, and halts the bot when it is still open then', async () => {
    clock = new TestClock();
    const gap = new OpenGap(clock);
    expect(await failing(gap, 12)).toBeInstanceOf(RpcError);
    clock.advance(30_000);
    expect(await failing(gap, 27)).toBeInstanceOf(RpcError);
    clock.advance(1);
    const halt = await failing(gap, 28);
    expect(halt).toBeInstanceOf(HaltError);
    expect((halt as HaltError).message).toContain('between block 10 and block 28');
  });

  it('also halts the bot when the nodes refuse with an unknown message', async () => {
    clock = new TestClock();
    const gap = new OpenGap(clock);
    const refused = (): Promise<unknown> =>
      gap
        .watch(
          blockAt(12),
          () => blockAt(10),
          () => Promise.reject(new RpcAnswerError(-32601, 'not available')),
        )
        .catch((error: unknown) => error);
    expect(await refused()).toBeInstanceOf(RpcAnswerError);
    clock.advance(30_001);
    expect(await refused()).toBeInstanceOf(HaltError);
  });

  it('starts its 30 s again after it was filled', async () => {
    clock = new TestClock();
    const gap = new OpenGap(clock);
    await failing(gap, 12);
    clock.advance(20_000);
    await gap.watch(
      blockAt(13),
      () => blockAt(13),
      () => Promise.resolve(),
    );
    clock.advance(20_000);
    expect(await failing(gap, 15, 13)).toBeInstanceOf(RpcError);
  });

  it('does not exist when the head follows our block: then a failing node never halts', async () => {
    clock = new TestClock();
    const gap = new OpenGap(clock);
    await failing(gap, 11);
    clock.advance(60_000);
    expect(await failing(gap, 11)).toBeInstanceOf(RpcError);
  });
});
