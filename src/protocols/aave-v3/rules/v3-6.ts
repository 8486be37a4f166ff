import type { LiquidationRules } from './rules.js';
import { V3_5 } from './v3-5.js';

/** A liquidation is as in 3.5. */
export const V3_6: LiquidationRules = { ...V3_5, version: '3.6' };
