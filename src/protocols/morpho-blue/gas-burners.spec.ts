import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../testing/builders/aave-market.js';
import { GasBurners } from './gas-burners.js';

const [one, other] = [addressOf(1), addressOf(2)];

describe('oracles that take all the gas', () => {
  it('are asked again after a minute, and each time after twice as long, up to an hour', () => {
    const burners = new GasBurners();
    const waits: number[] = [];
    let now = 1_000;
    for (let time = 0; time < 8; time++) {
      burners.heard(now, [], [one]);
      const from = now;
      while (burners.dueAmong([one], now) === undefined) now += 1;
      waits.push(now - from);
    }
    expect(waits).toEqual([60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
  });

  it('the same answers, told again, change nothing', () => {
    const burners = new GasBurners();
    for (const _ of [1, 2, 3]) burners.heard(1_000, [], [one]);
    expect(burners.dueAmong([one], 1_059)).toBeUndefined();
    expect(burners.dueAmong([one], 1_060)).toBe(one);
  });

  it('are asked one at a time, the longest waiting first, and are forgiven when they answer', () => {
    const burners = new GasBurners();
    burners.heard(1_000, [], [one]);
    burners.heard(1_010, [], [other]);
    expect(burners.dueAmong([other, one], 1_100)).toBe(one);
    burners.heard(1_100, [one], []);
    expect(burners.has(one)).toBe(false);
    expect(burners.dueAmong([other, one], 1_100)).toBe(other);
  });
});
