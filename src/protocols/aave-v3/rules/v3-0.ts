import { mulDivFloor } from '../../../domain/money.js';
import { healthFactorByAverage, percentDiv } from '../math.js';
import { HALF_UP_SEIZURE, HALF_UP_TOKENS } from './half-up.js';
import type { LiquidationRules } from './rules.js';

/**
 * Aave 3.0 to 3.2. Half of a reserve's debt may be covered, all of it at a health factor of 0.95 or below.
 * Any amount may be left behind, and bad debt stays.
 */
const UNTIL_3_2: Omit<LiquidationRules, 'version' | 'functions'> = {
  tokens: HALF_UP_TOKENS,
  debtUsd8: mulDivFloor,
  healthFactorWad: ({ weightedThreshold, totalCollateralUsd8, totalDebtUsd8 }) =>
    healthFactorByAverage(weightedThreshold, totalCollateralUsd8, totalDebtUsd8),
  thresholdLossBps: 1n,
  compounding: 'binomial',
  ignoresWithoutThreshold: true,
  booksCollateralInterest: false,
  asksSentinel: true,
  closeFactorOf: 'reserve',
  forbidsDust: false,
  debtWithoutBonus: percentDiv,
  ...HALF_UP_SEIZURE,
};

/**
 * 3.0.1 and 3.0.2. In 3.0.0 BalanceTransfer held the amount instead of the scaled amount, and a fee that is
 * one unit too large made the call fail.
 */
export const V3_0: LiquidationRules = {
  ...UNTIL_3_2,
  version: '3.0',
  functions: {
    eModes: 'one-for-each-reserve',
    gracePeriods: false,
    virtualBalances: 'none',
    stableDebt: true,
  },
};

export const V3_1: LiquidationRules = {
  ...UNTIL_3_2,
  version: '3.1',
  functions: { ...V3_0.functions, gracePeriods: true, virtualBalances: 'some' },
};

/** Liquid e-modes; no stable debt any more. */
export const V3_2: LiquidationRules = {
  ...UNTIL_3_2,
  version: '3.2',
  functions: { ...V3_1.functions, eModes: 'bitmaps', stableDebt: false },
};
