import { expect, it } from 'vitest';
import { SeededRandom } from '../../../devnet/random.js';
import { addressOf } from '../../../testing/builders/aave-market.js';
import { WAD } from '../../domain/money.js';
import { liquidityOf, liquidityOfPairs, type PositionLeg } from './health.js';
import type { MarketTotals } from './market.js';

function legOf(number: number, random: SeededRandom): PositionLeg {
  const stored: MarketTotals = {
    cash: BigInt(random.integer(1, 1e9)) * 10n ** 9n,
    totalBorrows: BigInt(random.integer(1, 1e9)) * 10n ** 9n,
    totalReserves: BigInt(random.integer(0, 1e6)),
    totalSupply: BigInt(random.integer(1, 1e9)) * 10n ** 6n,
    borrowIndex: WAD + BigInt(random.integer(0, 1e9)),
  };
  const accrued = {
    ...stored,
    totalBorrows: stored.totalBorrows + BigInt(random.integer(0, 1e9)),
    borrowIndex: stored.borrowIndex + BigInt(random.integer(0, 1e12)),
  };
  const [mToken, asset] = [addressOf(100 + number), addressOf(200 + number)];
  return {
    ...{ mToken, asset, symbol: `T${number}`, decimals: 18, price: WAD * BigInt(random.integer(1, 9_000)) },
    ...{ collateralFactorWad: (WAD * BigInt(random.integer(0, 90))) / 100n, seizeShareWad: 0n },
    ...{ deprecated: false, isNative: false, usable: true, stored, accrued },
    entered: random.chance(0.8),
    tokens: random.chance(0.7) ? BigInt(random.integer(1, 1e12)) : 0n,
    principal: random.chance(0.7) ? BigInt(random.integer(1, 1e12)) * 10n ** 6n : 0n,
    interestIndex: WAD,
  };
}

it('adds up the same for each pair, whether the pairs are computed together or one by one', () => {
  const random = new SeededRandom(5);
  for (let round = 0; round < 200; round++) {
    const count = random.integer(1, 5);
    const legs = Array.from({ length: count }, (_, number) => legOf(number, random));
    const together = liquidityOfPairs({ legs });
    for (const debt of legs)
      for (const collateral of legs)
        expect(together(debt, collateral)).toEqual(liquidityOf({ legs }, [debt.mToken, collateral.mToken]));
  }
});
