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
  it('an endpoint that fails every second call is struggling, although its circuit never opens', () => {
    const health = make();
    times(6, () => {
      fail(health);
      health.succeeded();
    });
    expect(health.state(0)).toBe('ok');
    expect(health.struggling).toBe(true);
  });

  it('an endpoint that fails one call in ten is not struggling', () => {
    const health = make();
    times(20, () => {
      fail(health);
      times(9, () => health.succeeded());
      expect(health.struggling).toBe(false);
    });
  });

  it('a struggling endpoint recovers after several answers, and one more failure does not change that', () => {
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

  it('the first answer ends an outage of any length, but not a second outage right after the first', () => {
    const health = make();
    times(50, () => fail(health));
    expect(health.state(0)).toBe('circuit-open');
    health.succeeded();
    expect([health.state(0), health.struggling]).toEqual(['ok', false]);
    times(3, () => fail(health));
    health.succeeded();
    expect([health.state(0), health.struggling]).toEqual(['ok', true]);
  });

  it('a rate limit and an unknown block do not count as failures', () => {
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
    [[90], 10, false], // nine times, but only by 80 ms
    [[400], undefined, false], // no endpoint to compare with
    [[], 100, false], // only the first probe, which connects and is not counted
    [[40, 40, 40, 500], 50, false], // a single slow answer
    [[40, 40, 500, 500, 500], 50, true],
  ])('probes of %s ms, with another endpoint at %s ms, are far slower: %s', (latencies, otherMs, slow) => {
    expect(judged(latencies, otherMs)).toBe(slow);
  });

  it('a slow endpoint stays slow until it takes less than twice the time of the fastest other one', () => {
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

  it('an endpoint is not slow when there is no other one to compare with any more', () => {
    const health = make();
    times(2, () => probe(health, 400));
    health.judgeLatency(100);
    expect(health.struggling).toBe(true);
    health.judgeLatency(undefined);
    expect(health.struggling).toBe(false);
  });
});

describe('the head', () => {
  it('an endpoint is behind when it lags by more blocks than allowed, and not before its first probe', () => {
    const health = make();
    expect(health.isBehind(1_000)).toBe(false);
    probe(health, 1, 100);
    expect(health.isBehind(100 + TIMINGS.maxHeadLagBlocks)).toBe(false);
    expect(health.isBehind(101 + TIMINGS.maxHeadLagBlocks)).toBe(true);
  });
});
