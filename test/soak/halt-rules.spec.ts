import { describe, expect, it } from 'vitest';
import { explanationOf, type PlayedFault } from './halt-rules.js';

const STALE = 'the newest block, 75, is 25.3 s old, and nothing new has come for 24 s';
const fault = (name: PlayedFault['name'], fromMs: number, toMs?: number): PlayedFault => ({
  name,
  fromMs,
  toMs,
});

describe('a halt in the soak', () => {
  it('is right when its rule names the reason, and a fault of that rule was there', () => {
    const still = fault('chain-stands-still', 1_000);
    const explained = explanationOf({ cause: 'chain', reason: STALE, fromMs: 26_000 }, [
      fault('reorg', 500, 600),
      still,
    ]);
    expect(explained?.fault).toBe(still);
  });

  it.each([
    ['no rule names its reason', 'chain', 'the chain is strange', [fault('chain-stands-still', 1_000)]],
    ['its cause is another one', 'bug', STALE, [fault('chain-stands-still', 1_000)]],
    ['no fault of its rule was there', 'chain', STALE, [fault('database-slow', 1_000)]],
    ['the fault came only later', 'chain', STALE, [fault('chain-stands-still', 30_000)]],
    ['the fault was over for long', 'chain', STALE, [fault('chain-stands-still', -90_000, -60_000)]],
  ] as const)('is wrong when %s', (_, cause, reason, faults) => {
    expect(explanationOf({ cause, reason, fromMs: 26_000 }, faults)).toBeUndefined();
  });
});
