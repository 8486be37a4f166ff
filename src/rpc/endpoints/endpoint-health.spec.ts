import { describe, expect, it } from 'vitest';

import { EndpointHealth } from './endpoint-health.js';
import { RpcError, type RpcErrorKind } from '../rpc-errors.js';
import { timingsOf } from './rpc-options.js';

const CHAIN = 1;

const TIMINGS = timingsOf({ chainId: 31337 });

const make = (): EndpointHealth => new EndpointHealth(TIMINGS);
const fail = (health: EndpointHealth, kind: RpcErrorKind = 'provider', nowMs = 0): void =>
  health.failed(new RpcError(kind, 'primary', 'broken'), nowMs);
const times = (count: number, work: () => void): void => {
  for (let i = 0; i < count; i++) work();
};
const probe = (health: EndpointHealth, latencyMs: number, head = 100): void =>
  health.probed({ chainId: CHAIN, head, latencyMs }, CHAIN);

describe('the failure rate', () => {
  it('an endpoint that fails every second call struggles, although its circuit never opens', () => {
    const health = make();
    times(6, () => {
      fail(health);
      health.succeeded();
    });
    expect(health.state(0)).toBe('ok');
    expect(health.struggling).toBe(true);
  });

  it('one failure in ten is no struggle', () => {
    const health = make();
    times(20, () => {
      fail(health);
      times(9, () => health.succeeded());
      expect(health.struggling).toBe(false);
    });
  });

  it('is well again after a row of answers, and one failure more does not set it back', () => {
    const health = make();
    times(6, () => {
      fail(health);
      health.succeeded();
    });
    let answers = 0;
    while (health.struggling) {
      health.succeeded();
      expect(++answers).toBeLessThan(20);
    }
    expect(answers).toBeGreaterThan(3);
    fail(health);
    expect(health.struggling).toBe(false);
  });

  it('an outage, however long, is over with its first answer; a relapse right after it is not', () => {
    const health = make();
    times(50, () => fail(health));
    expect(health.state(0)).toBe('circuit-open');
    health.succeeded();
    expect([health.state(0), health.struggling]).toEqual(['ok', false]);
    times(3, () => fail(health));
    health.succeeded();
    expect([health.state(0), health.struggling]).toEqual(['ok', true]);
  });

  it('neither a pause that was asked for nor a block not known is a failure', () => {
    const health = make();
    times(20, () => {
      fail(health, 'rate-limit');
      fail(health, 'out-of-sync');
    });
    expect(health.struggling).toBe(false);
  });
});

describe('latency', () => {
  const judged = (latencies: readonly number[], otherMs: number | undefined): boolean => {
    const health = make();
    probe(health, 5_000);
    for (const latencyMs of latencies) probe(health, latencyMs);
    health.judgeLatency(otherMs);
    return health.struggling;
  };

  it.each([
    [[400], 100, true],
    [[290], 100, false], // not three times
    [[90], 10, false], // nine times, but by less than matters
    [[400], undefined, false], // nobody to compare with
    [[], 100, false], // the first probe connects, and is not counted
    [[40, 40, 40, 500], 50, false], // a single slow answer
    [[40, 40, 500, 500, 500], 50, true],
  ])('of %s ms against %s ms is far slower: %s', (latencies, otherMs, slow) => {
    expect(judged(latencies, otherMs)).toBe(slow);
  });

  it('one that was slow is preferred again when it is less than twice as slow, not before', () => {
    const health = make();
    times(2, () => probe(health, 400));
    health.judgeLatency(100);
    const states = [250, 180].map((latencyMs) => {
      times(20, () => probe(health, latencyMs));
      health.judgeLatency(100);
      return health.struggling;
    });
    expect(states).toEqual([true, false]);
    times(20, () => probe(health, 250));
    health.judgeLatency(100);
    expect(health.struggling).toBe(false);
  });

  it('that nothing can be compared with any more is no struggle', () => {
    const health = make();
    times(2, () => probe(health, 400));
    health.judgeLatency(100);
    expect(health.struggling).toBe(true);
    health.judgeLatency(undefined);
    expect(health.struggling).toBe(false);
  });
});

describe('the head', () => {
  it('is behind when it lags by more than allowed, and only once it is known', () => {
    const health = make();
    expect(health.isBehind(1_000)).toBe(false);
    probe(health, 1, 100);
    expect(health.isBehind(100 + TIMINGS.maxHeadLagBlocks)).toBe(false);
    expect(health.isBehind(101 + TIMINGS.maxHeadLagBlocks)).toBe(true);
  });
});
