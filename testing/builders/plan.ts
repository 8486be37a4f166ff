import type { Address, Hash } from '../../src/domain/hex.js';
import type { LiquidationPlan } from '../../src/domain/plan.js';

export const CHIMERA: Address = `0x${'c4'.repeat(20)}`;
export const MARKET: Address = `0x${'aa'.repeat(20)}`;
export const COLLATERAL: Address = `0x${'c0'.repeat(20)}`;
/** Two markets of one contract, as Morpho Blue has them. */
export const MARKET_IDS: readonly [Hash, Hash] = [`0x${'01'.repeat(32)}`, `0x${'02'.repeat(32)}`];
export const DEBT: Address = `0x${'de'.repeat(20)}`;
/** USD with 8 decimals. */
export const USD = 10n ** 8n;

/** A plan that covers $100 of USDC for WETH, and leaves $19 after all costs. */
export function aPlan(more: Partial<LiquidationPlan> = {}): LiquidationPlan {
  const collateral = { address: COLLATERAL, symbol: 'WETH', decimals: 18, priceUsd8: 2_000n * USD };
  return {
    protocol: 'aave',
    market: MARKET,
    borrower: `0x${'b0'.repeat(20)}`,
    block: {
      number: 0,
      hash: `0x${'0'.repeat(64)}`,
      parentHash: `0x${'0'.repeat(64)}`,
      timestamp: 0,
      baseFeePerGas: 0n,
    },
    healthFactorWad: 95n * 10n ** 16n,
    candidate: {
      collateral,
      debt: { address: DEBT, symbol: 'USDC', decimals: 6, priceUsd8: USD },
      sizing: 'close-factor',
      debtToCover: 100_000_000n,
      debtToFund: 100_000_100n,
      collateralSeized: 52_500_000_000_000_000n,
      protocolFee: 0n,
    },
    funding: { kind: 'flash-swap' },
    profitAsset: collateral,
    route: {
      parts: [
        {
          quotedInput: 50_000_000_000_000_000n,
          output: 100_000_100n,
          hops: [
            {
              venue: 'uniswap-v3',
              pool: `0x${'99'.repeat(20)}`,
              tokenIn: COLLATERAL,
              tokenOut: DEBT,
              feePips: 500,
              parameter: 500,
            },
          ],
        },
      ],
    },
    simulation: {
      debtCovered: 100_000_000n,
      collateralSeized: 52_500_000_000_000_000n,
      swapInput: 42_500_000_000_000_000n,
      swapOutput: 100_000_000n,
      flashFee: 0n,
      profit: 10_000_000_000_000_000n,
      gasUsed: 450_000n,
    },
    minProfit: 1n,
    deadline: 0,
    notionalUsd8: 100n * USD,
    grossProfitUsd8: 20n * USD,
    costs: {
      l2GasUsd8: 1n,
      l1DataUsd8: 2n,
      operatorUsd8: 0n,
      bidUsd8: 3n,
      poolFeeUsd8: 4n,
      flashFeeUsd8: 0n,
    },
    netProfitUsd8: 19n * USD,
    nativePriceUsd8: 2_500n * USD,
    call: {
      to: CHIMERA,
      data: '0x',
      gasLimit: 500_000n,
      maxFeePerGas: 10_000_000_000n,
      maxPriorityFeePerGas: 1_000_000n,
    },
    // 500,000 gas at 10 gwei, at $2,500.
    reservation: { feeWei: 5n * 10n ** 15n, lossUsd8: (125n * USD) / 10n },
    bid: { model: 'by-size', why: '15 % of the margin, by its size' },
    bidLoweredBy: undefined,
    ...more,
  };
}
