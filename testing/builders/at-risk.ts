import type { AtRisk, WorthOfPair } from '../../src/domain/at-risk.js';
import { worthOfPairs } from '../prospects.js';
import { opportunityOf } from './opportunities.js';

/**
 *  A position below a health factor of 1 that may be liquidated: 10 WETH of collateral against 23,500 USDC of
 * debt.
 */
export function aPositionAtRisk(more: Partial<AtRisk> = {}): AtRisk {
  const { block, ...position } = opportunityOf();
  const prices = [
    { symbol: 'WETH', updatedAt: block.timestamp, jumped: false },
    { symbol: 'USDC', updatedAt: block.timestamp, jumped: false },
  ];
  const worthAtMost = (worthOf: WorthOfPair): number => worthOfPairs(position.pairs, worthOf);
  return { ...position, debts: [], worthAtMost, prices, obstacle: undefined, limited: false, ...more };
}
