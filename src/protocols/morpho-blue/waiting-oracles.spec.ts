import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../testing/builders/aave-market.js';
import type { PriceFault } from './reads.js';
import { WaitingOracles } from './waiting-oracles.js';

const [one, other] = [addressOf(1), addressOf(2)];
const failed = (fault: PriceFault, oracle = one): ReadonlyMap<typeof one, PriceFault> =>
  new Map([[oracle, fault]]);

describe('oracles that take all the gas', () => {
  it.each([
    ['oracle-out-of-gas', [60, 120, 240, 480, 960, 1_920, 3_600, 3_600]],
    ['oracle-silent', [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600]],
  ] as const)(
    '%s: are asked again later, and each time after twice as long, up to an hour',
    (fault, expected) => {
      const oracles = new WaitingOracles();
      const waits: number[] = [];
      let now = 1_000;
      for (let time = 0; time < expected.length; time++) {
        oracles.heard(now, [], failed(fault));
        const from = now;
        while (oracles.dueAmong([one], now) === undefined) now += 1;
        waits.push(now - from);
      }
      expect(waits).toEqual(expected);
      expect(oracles.faultOf(one)).toBe(fault);
    },
  );

  it('the same answers, told again, change nothing', () => {
    const oracles = new WaitingOracles();
    for (let time = 0; time < 3; time++) oracles.heard(1_000, [], failed('oracle-out-of-gas'));
    expect(oracles.dueAmong([one], 1_059)).toBeUndefined();
    expect(oracles.dueAmong([one], 1_060)).toBe(one);
  });

  it('are asked one at a time, the longest waiting first, and are forgiven when they answer', () => {
    const oracles = new WaitingOracles();
    oracles.heard(1_000, [], failed('oracle-out-of-gas'));
    oracles.heard(1_010, [], failed('oracle-out-of-gas', other));
    expect(oracles.dueAmong([other, one], 1_100)).toBe(one);
    oracles.heard(1_100, [one], new Map());
    expect(oracles.faultOf(one)).toBeUndefined();
    expect(oracles.dueAmong([other, one], 1_100)).toBe(other);
  });
});

it.each(['oracle-reverts', 'oracle-zero', 'oracle-nonsense'] as const)(
  'an oracle that says why it has no price, or a wrong one, is asked at each head: %s',
  (fault) => {
    const oracles = new WaitingOracles();
    oracles.heard(1_000, [], failed('oracle-silent'));
    oracles.heard(1_010, [], failed(fault));
    expect(oracles.faultOf(one)).toBeUndefined();
  },
);
