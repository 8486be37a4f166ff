import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, BLOCK, opportunityOf, pairOf, USDC, WETH } from '../../testing/builders/opportunities.js';
import { BID_POLICY } from '../../testing/bids.js';
import { bySize } from '../domain/bid.js';
import { nativeUsd8, totalCostsUsd8 } from '../domain/costs.js';
import { USD8 } from '../domain/money.js';
import type { Funding } from '../domain/funding.js';
import type { LiquidationPlan } from '../domain/plan.js';
import type { ProvedOutcome } from './agreement.js';
import { draftOf, type Draft } from './drafts.js';
import { fullFees, planOf, priceDraft, type PricingPolicy } from './pricing.js';
import type { Quote } from './quotes.js';

const ETHER = 10n ** 18n;
const policy: PricingPolicy = {
  minProfitUsd8: 5n * USD8,
  slippageBps: 100,
  maxGasPerTransaction: 16_777_216n,
  chimera: addressOf('c4'),
};
const context = { block: BLOCK, nativePriceUsd8: 2_500n * USD8, bidOf: bySize(BID_POLICY) };
const FEES = { l1Fee: ETHER / 100_000n, operatorFee: ETHER / 1_000_000n };

const FLASH_SWAP: Funding = { kind: 'flash-swap' };
const LOAN: Funding = { kind: 'loan', name: 'aave', lender: addressOf('1e'), feeBps: 5n };

function draft(funding = FLASH_SWAP): Draft {
  const pair = pairOf();
  const [candidate] = pair.candidates;
  if (!candidate) throw new Error('a candidate was expected');
  const hop = {
    venue: 'fake',
    pool: addressOf('01'),
    tokenIn: WETH,
    tokenOut: USDC,
    feePips: 500,
    parameter: 500,
  };
  const sale = funding.kind === 'loan';
  const profit = sale ? 540n * 10n ** 6n : ETHER / 5n;
  const quotedInput = sale ? candidate.collateralSeized : candidate.collateralSeized - profit;
  const output = sale ? candidate.debtToFund + profit : candidate.debtToFund;
  const route = { parts: [{ quotedInput, output, hops: [hop] }] };
  const sharesBps = sale ? [10_000n] : [];
  const quote: Quote = { candidate, pair, funding, route, sharesBps, profit, grossUsd8: 540n * USD8 };
  const made = draftOf(opportunityOf(), quote, context, policy.minProfitUsd8);
  if ('kind' in made) throw new Error(made.reason);
  return made;
}

function simulated(changes: Partial<ProvedOutcome> = {}): ProvedOutcome {
  const { debtToCover, collateralSeized } = draft().quote.candidate;
  const profit = ETHER / 5n;
  return {
    ...{ debtCovered: debtToCover, collateralSeized, flashFee: 0n, profit, gasUsed: 450_000n },
    ...changes,
  };
}

/** With nothing that limits its fees. */
function priced(
  simulation: ProvedOutcome,
  nativePriceUsd8 = context.nativePriceUsd8,
  funding = FLASH_SWAP,
): { plan: LiquidationPlan; pays: boolean } {
  const at = { ...context, nativePriceUsd8 };
  const one = priceDraft(draft(funding), { simulation, feesOf: () => FEES }, at, policy);
  const plan = planOf(one, fullFees(one.need, nativePriceUsd8), at, policy);
  return { plan, pays: one.bid !== undefined };
}

describe('price of a proved plan', () => {
  it('subtracts gas, data fee, operator fee and bid from the value of the profit', () => {
    const { plan, pays } = priced(simulated());
    expect(pays).toBe(true);
    // 0.2 WETH at $2,700.
    expect(plan.grossProfitUsd8).toBe(540n * USD8);
    // 450,000 gas at 0.005 gwei, 0.00001 and 0.000001 ether, at $2,500.
    expect(plan.costs).toMatchObject({ l2GasUsd8: 562_500n, l1DataUsd8: 2_500_000n, operatorUsd8: 250_000n });
    expect(plan.netProfitUsd8).toBe(plan.grossProfitUsd8 - totalCostsUsd8(plan.costs));
    expect(plan.notionalUsd8).toBe(11_750n * USD8);
  });

  it('shows the fee of the pool, which the swap has paid already', () => {
    const { plan } = priced(simulated({ collateralSeized: ETHER, profit: 0n }));
    // 0.05 % of 1 WETH at $2,700.
    expect(plan.costs.poolFeeUsd8).toBe((135n * USD8) / 100n);
    expect(totalCostsUsd8(plan.costs)).toBe(totalCostsUsd8({ ...plan.costs, poolFeeUsd8: 0n }));
  });

  it('a sale: profit, floor and what may be lost are in debt tokens, fees of pools in collateral', () => {
    const collateralSeized = 10n * ETHER;
    const [debtCovered, flashFee, profit] = [11_750_000_000n, 5_875_000n, 540_000_000n];
    const outcome = simulated({ collateralSeized, debtCovered, flashFee, profit });
    const { plan, pays } = priced(outcome, context.nativePriceUsd8, LOAN);
    expect(pays).toBe(true);
    expect(plan.profitAsset.symbol).toBe('USDC');
    expect(plan.grossProfitUsd8).toBe(540n * USD8);
    expect(plan.simulation).toMatchObject({
      swapInput: collateralSeized,
      swapOutput: debtCovered + flashFee + profit,
    });
    // 0.05 % of 10 WETH at $2,700, and the lender's 5.875 USDC: both are paid before the profit is counted.
    expect(plan.costs).toMatchObject({ poolFeeUsd8: (135n * USD8) / 10n, flashFeeUsd8: 587_500_000n });
    expect(plan.netProfitUsd8).toBe(plan.grossProfitUsd8 - totalCostsUsd8(plan.costs));
    // 1 % of the 12,295.875 USDC that the pool gave may be lost.
    expect(plan.minProfit).toBe(profit - 122_958_750n);
  });

  it('within one token: the floor leaves room for the units that rounding and interest move', () => {
    const lent = draft(LOAN);
    const withoutPools = { ...lent, quote: { ...lent.quote, route: { parts: [] } } };
    const [debtCovered, flashFee, profit] = [11_750_000_000n, 5_875_000n, 540_000_000n];
    const simulation = simulated({ debtCovered, flashFee, profit });
    const one = priceDraft(withoutPools, { simulation, feesOf: () => FEES }, context, policy);
    const plan = planOf(one, fullFees(one.need, context.nativePriceUsd8), context, policy);
    expect(plan.simulation).toMatchObject({ swapInput: 0n, swapOutput: 0n });
    // 1 % of the 12,295.875 USDC that pay for all; it still pays the floor and every cost.
    expect(plan.minProfit).toBe(profit - 122_958_750n);
    expect(plan.minProfit * 100n).toBeGreaterThan(policy.minProfitUsd8 + totalCostsUsd8(plan.costs));
  });

  it('where data on L1 is paid in gas, the gas limit has room for twice of it, and nothing is reserved beside', () => {
    const l1Gas = 300_000n;
    const simulation = simulated();
    const withGas = { ...FEES, operatorFee: 0n, l1Gas };
    const beside = priceDraft(draft(), { simulation, feesOf: () => FEES }, context, policy);
    const inside = priceDraft(draft(), { simulation, feesOf: () => withGas }, context, policy);
    expect(inside.need.gasLimit).toBe(beside.need.gasLimit + 2n * l1Gas);
    expect(inside.need.besideGasWei).toBe(0n);
    expect(inside.costsWithoutBid.l1DataUsd8).toBe(beside.costsWithoutBid.l1DataUsd8);
    // The cap of one transaction counts what it computes, and not its data.
    const small = { ...policy, maxGasPerTransaction: 460_000n };
    const capped = priceDraft(draft(), { simulation, feesOf: () => withGas }, context, small);
    expect(capped.need.gasLimit).toBe(460_000n + 2n * l1Gas);
  });

  it('bids the priority fee that its gas and the share of the margin allow', () => {
    const { plan } = priced(simulated());
    const marginUsd8 = plan.netProfitUsd8 + plan.costs.bidUsd8;
    const mostUsd8 = (marginUsd8 * 4_000n) / 10_000n;
    expect(plan.costs.bidUsd8).toBeLessThanOrEqual(mostUsd8);
    expect(plan.costs.bidUsd8).toBeGreaterThan(mostUsd8 - 2n);
    expect(plan.call.maxFeePerGas).toBe(2n * BLOCK.baseFeePerGas + plan.call.maxPriorityFeePerGas);
  });

  it('reserves all of its gas at its highest fee, L1 data at twice its price, and the operator fee', () => {
    const { gasLimit, maxFeePerGas } = priced(simulated()).plan.call;
    const { feeWei, lossUsd8 } = priced(simulated()).plan.reservation;
    expect(feeWei).toBe(gasLimit * maxFeePerGas + 2n * FEES.l1Fee + FEES.operatorFee);
    // At $2,500, rounded up.
    expect(lossUsd8).toBe((feeWei * 2_500n + 10n ** 10n - 1n) / 10n ** 10n);
  });

  it('does not pay when the margin is below the floor, and bids nothing then', () => {
    const { plan, pays } = priced(simulated({ profit: ETHER / 1_000n }));
    expect(pays).toBe(false);
    expect(plan.call.maxPriorityFeePerGas).toBe(0n);
    expect(plan.netProfitUsd8).toBeLessThan(policy.minProfitUsd8);
  });

  it('never nets less than the floor when it pays, nor demands more on chain than was simulated', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: ETHER }),
        fc.bigInt({ min: 21_000n, max: 20_000_000n }),
        (profit, gasUsed) => {
          const { plan, pays } = priced(simulated({ profit, gasUsed }));
          // The bid is rounded up by less than one unit of USD8.
          if (pays) expect(plan.netProfitUsd8).toBeGreaterThanOrEqual(policy.minProfitUsd8 - 1n);
          expect(plan.minProfit).toBeLessThanOrEqual(profit);
          expect(plan.call.gasLimit).toBeLessThanOrEqual(policy.maxGasPerTransaction);
        },
      ),
    );
  });

  it('F42 valued at the higher of two prices, it pays no more than either of them allows', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: ETHER }),
        fc.bigInt({ min: 10n ** 6n, max: 10n ** 14n }),
        fc.bigInt({ min: 0n, max: 500n }),
        (profit, lower, differenceBps) => {
          const higher = lower + (lower * differenceBps) / 10_000n;
          const simulation = simulated({ profit });
          const { plan, pays } = priced(simulation, higher);
          const atLower = priced(simulation, lower);
          const { call, reservation, costs } = plan;
          expect(call.maxPriorityFeePerGas).toBeLessThanOrEqual(atLower.plan.call.maxPriorityFeePerGas);
          if (!pays) return;
          expect(atLower.pays).toBe(true);
          // Also when the lower one is true, the floor is kept, and the loss is reserved.
          const tipUsd8 = nativeUsd8(simulation.gasUsed * call.maxPriorityFeePerGas, lower);
          const others = totalCostsUsd8({ ...atLower.plan.costs, bidUsd8: tipUsd8 });
          expect(plan.grossProfitUsd8 - others).toBeGreaterThanOrEqual(policy.minProfitUsd8 - 1n);
          expect(tipUsd8).toBeLessThanOrEqual(costs.bidUsd8);
          expect(reservation.lossUsd8).toBeGreaterThanOrEqual(nativeUsd8(reservation.feeWei, lower));
        },
      ),
    );
  });
});

describe('draft of a quote', () => {
  it('is refused when the quote does not pay for the gas assumed before the simulation', () => {
    const { quote } = draft();
    const poor = { ...quote, grossUsd8: policy.minProfitUsd8 };
    expect(draftOf(opportunityOf(), poor, context, policy.minProfitUsd8)).toMatchObject({
      kind: 'rejected',
      reason: 'profit-below-floor',
      detail: { quotedProfitUsd8: '500000000', floorUsd8: '500000000' },
    });
  });
});
