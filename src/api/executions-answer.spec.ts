import { describe, expect, it } from 'vitest';
import { PLANNED } from '../../testing/builders/executions.js';
import { Execution } from '../database/index.js';
import { executionAnswer } from './executions-answer.js';

const WETH = { address: `0x${'c0'.repeat(20)}`, symbol: 'WETH', decimals: 18 };
const USDC = { address: `0x${'de'.repeat(20)}`, symbol: 'USDC', decimals: 6 };

/** A row as it is stored, with this plan. */
function rowWith(plan: unknown): Execution {
  return Object.assign(new Execution(), {
    ...PLANNED,
    ...{ id: '7', createdAt: new Date(0), reason: null, txHash: null, outcome: 'won', outcomeDetails: null },
    ...{ debtCovered: 100_000_001n, collateralSeized: 52_500_000_000_000_001n, realisedProfit: -2_500_000n },
    ...{ realisedProfitUsd8: null, gasUsed: null, feesWei: null, headToSendUs: null, settledAt: null },
    plan,
  });
}

describe('the amounts of an execution', () => {
  it('are told in whole tokens too, with the symbols that the stored plan has', () => {
    const answer = executionAnswer(
      rowWith({ candidate: { collateral: WETH, debt: USDC }, profitAsset: USDC }),
    );
    expect(answer).toMatchObject({
      ...{ collateralSymbol: 'WETH', debtSymbol: 'USDC' },
      ...{ debtToCover: '100000001', debtToCoverTokens: '100.000001' },
      expectedCollateralTokens: '0.052500000000000001',
      outcome: {
        ...{ debtCoveredTokens: '100.000001', collateralSeizedTokens: '0.052500000000000001' },
        ...{ profitAsset: USDC.address, profitSymbol: 'USDC' },
        ...{ realisedProfit: '-2500000', realisedProfitTokens: '-2.5' },
      },
    });
  });

  it('of a plan of an earlier version, which took collateral, are in collateral', () => {
    const { outcome } = executionAnswer(rowWith({ candidate: { collateral: WETH, debt: USDC } }));
    expect(outcome).toMatchObject({ profitAsset: WETH.address, profitSymbol: 'WETH' });
  });

  it.each([[null], ['text'], [{}], [{ candidate: [] }], [{ candidate: { debt: { symbol: 7 } } }]])(
    'of a plan that names no tokens, %j, are told in the smallest unit only',
    (plan) => {
      expect(executionAnswer(rowWith(plan))).toMatchObject({
        ...{ collateralSymbol: null, debtSymbol: null, debtToCover: '100000001', debtToCoverTokens: null },
        outcome: { profitAsset: PLANNED.collateralAsset, profitSymbol: null, realisedProfitTokens: null },
      });
    },
  );
});
