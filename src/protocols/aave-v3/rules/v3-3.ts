import type { LiquidationRules } from './rules.js';
import { V3_2 } from './v3-0.js';

/**
 * The close factor counts for the whole position, small positions may be covered whole, dust must not be left
 * behind, and bad debt is written off.
 */
export const V3_3: LiquidationRules = {
  ...V3_2,
  version: '3.3',
  closeFactorOf: 'position',
  forbidsDust: true,
};

/** Every reserve has a virtual balance. A borrower may not liquidate itself any more. */
export const V3_4: LiquidationRules = {
  ...V3_3,
  version: '3.4',
  functions: { ...V3_3.functions, virtualBalances: 'all' },
  compounding: 'exponential',
};
