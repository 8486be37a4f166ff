import type { NewExecution } from '../../src/database/index.js';
import { Secret } from '../../src/domain/secret.js';

/** An execution as it is planned, with values that are hard to store. */
export const PLANNED: NewExecution = {
  ...{ chainId: 31_337, wallet: `0x${'5e'.repeat(20)}` as const },
  protocol: 'aave',
  borrower: `0x${'b0'.repeat(20)}`,
  marketId: `0x${'3d'.repeat(32)}`,
  blockNumber: 23_000_000,
  blockHash: `0x${'01'.padStart(64, '0')}`,
  healthFactorWad: 999_999_999_999_999_999n,
  collateralAsset: `0x${'c0'.repeat(20)}`,
  debtAsset: `0x${'de'.repeat(20)}`,
  debtToCover: 100_000_001n,
  expectedCollateral: 52_500_000_000_000_001n,
  simulatedProfitUsd8: 1_234_567_890n,
  gasCostUsd8: 1n,
  l1FeeUsd8: 2n,
  operatorFeeUsd8: 0n,
  poolFeeUsd8: 3n,
  bidUsd8: 4n,
  simulatedNetProfitUsd8: 1_234_567_883n,
  notionalUsd8: 10_000_000_001n,
  mode: 'live',
  status: 'planned',
  plan: { amount: 2n ** 256n - 1n, key: new Secret('never'), name: 'a\u0000b\ud800', nested: [{ n: 1 }] },
};
