import { Market, MarketUtils, type IMarket } from '@morpho-org/blue-sdk';
import { describe, expect, it } from 'vitest';
import { Random } from '../../../testing/random.js';
import type { Address } from '../../domain/hex.js';
import { WAD } from '../../domain/money.js';
import { healthOf, isLiquidatable } from './health.js';
import { liquidationResult } from './liquidation.js';
import { accrued, marketIdOf, type BluePosition, type MarketParams, type MarketTotals } from './market.js';
import { liquidationIncentive } from './math.js';

/** Repeat a failing run with its seed: DIFFERENTIAL_SEED=… */
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? Date.now() % 1_000_000);
const STATES = 1_000;

/**
 * What @morpho-org/blue-sdk says of the same states. The contract decides; it is asked in test/differential.
 * The two differ in two places. The SDK seizes nothing at a price of 0, where the contract divides by it and
 * reverts. And the SDK gives a market that was never used its first rate even when no time has passed, where
 * the contract does not ask the rate model.
 */
describe(`Morpho's own SDK as a second opinion (seed ${SEED})`, () => {
  it(`says the same of interest, rates, health and liquidations of ${STATES} random states`, () => {
    const random = new Random(SEED);
    const found = { accrued: 0, liquidatable: 0, byShares: 0, byCollateral: 0 };
    for (let state = 0; state < STATES; state++) {
      const context = `state ${state} of seed ${SEED}`;
      const { params, totals, position, price, rateAtTargetWad, timestamp } = randomState(random);
      const before = new Market(sdkMarket(params, totals, price, rateAtTargetWad));
      expect(before.id, context).toBe(marketIdOf(params));
      const theirs = before.accrueInterest(timestamp);
      const ours = accrued({ totals, rate: { kind: 'adaptive-curve', rateAtTargetWad } }, timestamp);
      expect(sdkMarket(params, ours.totals, price, rateOf(ours)), context).toMatchObject({
        totalSupplyAssets: theirs.totalSupplyAssets,
        totalSupplyShares: theirs.totalSupplyShares,
        totalBorrowAssets: theirs.totalBorrowAssets,
        totalBorrowShares: theirs.totalBorrowShares,
        lastUpdate: theirs.lastUpdate,
        ...(timestamp > totals.lastUpdate && { rateAtTarget: theirs.rateAtTarget }),
      });
      if (ours.totals.borrowAssets > totals.borrowAssets) found.accrued += 1;
      const { lltvWad } = params;
      expect(liquidationIncentive(lltvWad), context).toBe(
        MarketUtils.getLiquidationIncentiveFactor({ lltv: lltvWad }),
      );
      const health = healthOf(ours.totals, position, price, lltvWad);
      expect(!isLiquidatable(health), context).toBe(theirs.isHealthy(position));
      expect(health.borrowed, context).toBe(theirs.toBorrowAssets(position.borrowShares));
      expect(health.maxBorrow, context).toBe(theirs.getMaxBorrowAssets(position.collateral));
      if (!isLiquidatable(health)) continue;
      found.liquidatable += 1;
      const inputs = { totals: ours.totals, position, price, lltvWad };
      const byShares = liquidationResult(inputs, { unit: 'shares', amount: position.borrowShares });
      if (byShares) {
        expect(byShares.seizedAssets, context).toBe(theirs.getLiquidationSeizedAssets(position.borrowShares));
        found.byShares += 1;
      }
      const byCollateral = liquidationResult(inputs, { unit: 'collateral', amount: position.collateral });
      if (byCollateral) {
        expect(byCollateral.repaidShares, context).toBe(
          theirs.getLiquidationRepaidShares(position.collateral),
        );
        found.byCollateral += 1;
      }
    }
    for (const [name, count] of Object.entries(found)) expect(count, name).toBeGreaterThan(STATES / 50);
  });

  it('seizes nothing at a price of 0, where the contract reverts', () => {
    const { params, totals, position } = randomState(new Random(SEED));
    const market = new Market(sdkMarket(params, totals, 0n, 0n));
    expect(market.getLiquidationSeizedAssets(position.borrowShares)).toBe(0n);
    const inputs = { totals, position, price: 0n, lltvWad: params.lltvWad };
    expect(liquidationResult(inputs, { unit: 'shares', amount: 1n })).toBeUndefined();
  });
});

interface State {
  readonly params: MarketParams;
  readonly totals: MarketTotals;
  readonly position: BluePosition;
  readonly price: bigint;
  readonly rateAtTargetWad: bigint;
  readonly timestamp: number;
}

function randomState(random: Random): State {
  const lltvWad = random.pick([385n, 625n, 770n, 860n, 915n, 945n, 980n]) * 10n ** 15n;
  const address = (): Address =>
    `0x${random
      .below(1n << 160n)
      .toString(16)
      .padStart(40, '0')}`;
  const params = {
    loanToken: address(),
    collateralToken: address(),
    oracle: address(),
    irm: address(),
    lltvWad,
  };
  const supplyAssets = random.magnitude(10n ** 30n);
  const borrowAssets = random.below(supplyAssets + 1n);
  const borrowShares = borrowAssets * 900_000n + random.below(1_000_000n) + 1n;
  const lastUpdate = 1_700_000_000;
  const totals = {
    supplyAssets,
    supplyShares: supplyAssets * 950_000n + random.below(1_000_000n),
    ...{ borrowAssets, borrowShares, lastUpdate, feeWad: random.pick([0n, random.below(WAD / 4n)]) },
  };
  const position = {
    collateral: random.magnitude(10n ** 26n),
    borrowShares: random.below(borrowShares) + 1n,
  };
  const owed = (position.borrowShares * borrowAssets) / borrowShares + 1n;
  const limit = (owed * 10n ** 54n) / (lltvWad * position.collateral) + 1n;
  const price = (limit * (70n + random.below(40n))) / 100n + 1n;
  const rateAtTargetWad = random.pick([0n, 31_709_791n + random.below(63_387_874_176n)]);
  const timestamp = lastUpdate + Number(random.pick([0n, 1n, 12n, random.below(10n ** 8n)]));
  return { params, totals, position, price, rateAtTargetWad, timestamp };
}

function sdkMarket(
  params: MarketParams,
  totals: MarketTotals,
  price: bigint,
  rateAtTarget: bigint | undefined,
): IMarket {
  const { loanToken, collateralToken, oracle, irm, lltvWad } = params;
  return {
    params: { loanToken, collateralToken, oracle, irm, lltv: lltvWad },
    totalSupplyAssets: totals.supplyAssets,
    totalSupplyShares: totals.supplyShares,
    totalBorrowAssets: totals.borrowAssets,
    totalBorrowShares: totals.borrowShares,
    lastUpdate: BigInt(totals.lastUpdate),
    fee: totals.feeWad,
    price,
    ...(rateAtTarget !== undefined && { rateAtTarget }),
  };
}

function rateOf({ rate }: ReturnType<typeof accrued>): bigint | undefined {
  return rate.kind === 'adaptive-curve' ? rate.rateAtTargetWad : undefined;
}
