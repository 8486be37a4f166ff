import { expect, it } from 'vitest';

import { timingsOf } from './rpc-options.js';

it.each([
  ['the local chain, with a block every 2 s', 31337],
  ['Base, with a block every 200 ms', 8453],
])('on %s an endpoint may be 15 blocks behind the best one', (_name, chainId) => {
  expect(timingsOf({ chainId }).maxHeadLagBlocks).toBe(15);
});

it('the options of a pool replace single times', () => {
  const { deadlineMs, maxHeadLagBlocks, ...others } = timingsOf({
    chainId: 31337,
    timings: { deadlineMs: 10, maxHeadLagBlocks: 2 },
  });
  expect([deadlineMs, maxHeadLagBlocks]).toEqual([10, 2]);
  expect({ deadlineMs: 2_000, maxHeadLagBlocks: 15, ...others }).toEqual(timingsOf({ chainId: 31337 }));
});
