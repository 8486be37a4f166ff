import { percentDivFloor, percentMulCeil, percentMulFloor } from '../math.js';
import type { LiquidationRules } from './rules.js';
import { V3_6 } from './v3-6.js';

/**
 * The seizure rounds in favour of the protocol, and no sentinel is asked. No test proves this against the
 * contract, because the sources of 3.7 are not packaged.
 */
export const V3_7: LiquidationRules = {
  ...V3_6,
  version: '3.7',
  asksSentinel: false,
  withBonus: percentMulFloor,
  withoutBonus: percentDivFloor,
  protocolFee: percentMulCeil,
};
