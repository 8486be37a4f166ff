import { beforeEach, describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/fakes/test-clock.js';
import type { Address } from '../domain/hex.js';
import { DoubtedPositions } from './doubted-positions.js';

const account = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`;

describe('positions about which chain and books differ', () => {
  let clock: TestClock;
  let doubts: DoubtedPositions;

  beforeEach(() => {
    clock = new TestClock();
    doubts = new DoubtedPositions(clock);
  });

  const setAside = (count: number): void => {
    for (let n = 0; n < count; n += 1) doubts.putAside('aave', account(n), 7);
  };

  it('F52 one look only suspects; a look at a later block sets aside; agreement releases', () => {
    expect(doubts.differs('aave', account(1), 10)).toBe('suspected');
    expect(doubts.differs('aave', account(1), 10)).toBe('suspected');
    expect(doubts.isSetAside('aave', account(1))).toBe(false);
    expect(doubts.of('aave')).toEqual([account(1)]);
    expect(doubts.differs('aave', account(1), 11)).toBe('set-aside');
    expect(doubts.differs('aave', account(1), 12)).toBe('still-set-aside');
    expect(doubts.isSetAside('aave', account(1))).toBe(true);
    expect(doubts.isSetAside('other', account(1))).toBe(false);
    expect(doubts.setAside).toEqual([{ market: 'aave', account: account(1), sinceBlock: 11 }]);
    expect(doubts.agrees('aave', account(1))).toBe(true);
    expect(doubts.setAside).toEqual([]);
    expect(doubts.of('aave')).toEqual([]);
  });

  it('F52 a suspicion that a later look does not confirm is dropped', () => {
    doubts.differs('aave', account(1), 10);
    expect(doubts.agrees('aave', account(1))).toBe(false);
    expect(doubts.differs('aave', account(1), 11)).toBe('suspected');
  });

  it('F52 a position that the logs contradict is set aside at once, told once, and released by agreement', () => {
    doubts.contradicted('aave', account(1), 10);
    doubts.contradicted('aave', account(1), 11);
    expect(doubts.isSetAside('aave', account(1))).toBe(true);
    const told = [{ market: 'aave', account: account(1), sinceBlock: 10 }];
    expect(doubts.takeContradicted()).toEqual(told);
    expect(doubts.takeContradicted()).toEqual([]);
    expect(doubts.differs('aave', account(1), 12)).toBe('still-set-aside');
    expect(doubts.agrees('aave', account(1))).toBe(true);
    expect(doubts.setAside).toEqual([]);
  });

  it('F52 one that is contradicted many times halts no sooner than one that differs', () => {
    for (let block = 0; block < 9; block += 1) doubts.contradicted('aave', account(1), block);
    expect(doubts.tooMany(60)).toBeUndefined();
    for (const n of [2, 3]) doubts.contradicted('aave', account(n), 9);
    expect(doubts.tooMany(60)).toBeUndefined();
    expect(doubts.tooMany(59)).toContain(account(3));
  });

  it.each([
    { positions: 1, compared: 1, halts: false },
    { positions: 2, compared: 20, halts: false },
    { positions: 3, compared: 60, halts: false },
    { positions: 3, compared: 59, halts: true },
    { positions: 4, compared: 500, halts: false },
    { positions: 5, compared: 500, halts: true },
  ])('F52 $positions of $compared positions: halts $halts', ({ positions, compared, halts }) => {
    setAside(positions);
    expect(doubts.tooMany(compared) !== undefined).toBe(halts);
  });

  it('F52 counts those of the last ten minutes, and anew after a halt', () => {
    setAside(4);
    clock.advance(600_001);
    doubts.putAside('aave', account(9), 8);
    expect(doubts.tooMany(500)).toBeUndefined();
    setAside(4);
    expect(doubts.tooMany(500)).toContain(`aave ${account(9)}`);
    doubts.countAnew();
    expect(doubts.tooMany(500)).toBeUndefined();
  });
});
