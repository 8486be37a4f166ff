import { USD8 } from '../../src/domain/money.js';
import type { NearPosition } from '../../src/domain/near-position.js';
import { addressOf } from './aave-market.js';

/** 10 WETH against 23,500 USDC; the next number is a little healthier. */
export function aNearPosition(number = 0, more: Partial<NearPosition> = {}): NearPosition {
  const [collateralUsd8, debtUsd8] = [25_000n * USD8, 23_500n * USD8];
  return {
    ...{ protocol: 'aave', market: addressOf(0xa0) },
    borrower: `0x${(number + 1).toString(16).padStart(40, '0')}`,
    healthFactorWad: 95n * 10n ** 16n + BigInt(number) * 10n ** 14n,
    totalCollateralUsd8: collateralUsd8,
    totalDebtUsd8: debtUsd8,
    collaterals: [
      {
        ...{ asset: addressOf(0xc0), symbol: 'WETH', decimals: 18 },
        ...{ amount: 10n * 10n ** 18n, valueUsd8: collateralUsd8 },
      },
    ],
    debts: [
      {
        ...{ asset: addressOf(0xd0), symbol: 'USDC', decimals: 6 },
        ...{ amount: 23_500n * 10n ** 6n, valueUsd8: debtUsd8 },
      },
    ],
    ...more,
  };
}
