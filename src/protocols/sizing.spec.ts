import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Address } from '../domain/hex.js';
import { RAY, UINT256_MAX, USD8, WAD } from '../domain/money.js';
import type { Opportunity } from '../domain/opportunity.js';
import { isBoundedByLimit, liquidationPairs, type AaveV3Pair } from './aave-v3/candidates.js';
import type { AccountData, ValuedLeg } from './aave-v3/health.js';
import { sizePair } from './sizing.js';

const address = (byte: string): Address => `0x${byte.repeat(20)}`;
const NOW = 1_800_000_000;
const UNLIMITED = { maxNotionalUsd8: 10n ** 30n, fundingHorizonSeconds: 60 };

const leg = (id: number, symbol: string, decimals: number, dollars: bigint): ValuedLeg => ({
  reserve: {
    id,
    asset: address(`a${id}`),
    symbol,
    decimals,
    aToken: address(`b${id}`),
    variableDebtToken: address(`c${id}`),
    liquidationThresholdBps: 8_300n,
    liquidationBonusBps: 10_500n,
    liquidationProtocolFeeBps: 1_000n,
    active: true,
    paused: false,
    gracePeriodUntil: 0,
    indexes: {
      liquidityIndex: (RAY * 102n) / 100n,
      liquidityRate: (RAY * 2n) / 100n,
      variableBorrowIndex: (RAY * 105n) / 100n,
      variableBorrowRate: (RAY * 5n) / 100n,
      updatedAt: NOW - 3_600,
    },
  },
  priceUsd8: dollars * USD8,
  scaledCollateral: 0n,
  collateral: 0n,
  collateralUsd8: 0n,
  debt: 0n,
  debtUsd8: 0n,
  liquidationBonusBps: 10_500n,
});

/** 10 WETH of collateral at $2,700 against 23,500 USDC of debt. */
const position = (healthFactorWad = (WAD * 953n) / 1_000n): AccountData => ({
  totalCollateralUsd8: 27_000n * USD8,
  totalDebtUsd8: 23_500n * USD8,
  healthFactorWad,
  legs: [
    {
      ...leg(0, 'WETH', 18, 2_700n),
      scaledCollateral: (10n * WAD * 100n) / 102n,
      collateral: 10n * WAD,
      collateralUsd8: 27_000n * USD8,
    },
    { ...leg(1, 'USDC', 6, 1n), debt: 23_500n * 10n ** 6n, debtUsd8: 23_500n * USD8 },
  ],
});

const pairOf = (version: string, account = position(), options = UNLIMITED): AaveV3Pair => {
  const [pair] = liquidationPairs({ version }, account, NOW, options);
  if (!pair) throw new Error('a pair was expected');
  return pair;
};

const opportunityOf = (pair: AaveV3Pair): Opportunity => ({
  protocol: 'aave',
  market: address('0a'),
  borrower: address('0b'),
  block: {
    number: 7,
    hash: `0x${'07'.repeat(32)}`,
    parentHash: `0x${'06'.repeat(32)}`,
    timestamp: NOW,
    baseFeePerGas: 5n,
  },
  healthFactorWad: pair.terms.healthFactorWad,
  totalCollateralUsd8: 27_000n * USD8,
  totalDebtUsd8: 23_500n * USD8,
  pairs: [pair],
});

/** As rows store it: a bigint is decimal text. No other text of an opportunity is a number. */
function throughJson(opportunity: Opportunity): Opportunity {
  const text = JSON.stringify(opportunity, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return JSON.parse(text, (_, value: unknown) =>
    typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : value,
  ) as Opportunity;
}

describe('sizing of a liquidation pair', () => {
  it.each(['3.5', '3.6', '3.7'])(
    'gives the same candidates after an opportunity was stored as JSON and read back (rules %s)',
    (version) => {
      const opportunity = opportunityOf(pairOf(version));
      const restored = throughJson(opportunity);
      expect(restored).toEqual(opportunity);
      const [before] = opportunity.pairs;
      const [after] = restored.pairs;
      fc.assert(
        fc.property(fc.bigInt({ min: 1n, max: 30_000n * 10n ** 6n }), (amount) => {
          expect(sizePair(after!, amount, 'swap-depth')).toEqual(sizePair(before!, amount, 'swap-depth'));
        }),
      );
    },
  );

  it('finds the candidates of the pair again', () => {
    const pair = pairOf('3.6');
    expect(pair.candidates.map(({ sizing }) => sizing)).toContain('close-factor');
    for (const candidate of pair.candidates)
      expect(sizePair(pair, candidate.debtToCover, candidate.sizing)).toEqual(candidate);
  });

  it('refuses an amount that would leave too little debt behind, and cuts one above the close factor', () => {
    const all = pairOf('3.6', position((WAD * 90n) / 100n));
    expect(sizePair(all, 23_000n * 10n ** 6n, 'swap-depth')).toBeUndefined();
    expect(sizePair(all, UINT256_MAX, 'swap-depth')).toMatchObject({
      sizing: 'all-debt',
      debtToCover: 23_500n * 10n ** 6n,
    });
    expect(sizePair(pairOf('3.6'), UINT256_MAX, 'swap-depth')).toMatchObject({
      sizing: 'swap-depth',
      debtToCover: 11_750n * 10n ** 6n,
    });
  });

  it('tells whether the limit of the operator bounds the pair', () => {
    const maxNotionalUsd8 = 500n * USD8;
    const limited = pairOf('3.6', position(), { ...UNLIMITED, maxNotionalUsd8 });
    expect(limited.candidates).toMatchObject([{ sizing: 'notional-limit', debtToCover: 500n * 10n ** 6n }]);
    expect(isBoundedByLimit(limited, maxNotionalUsd8)).toBe(true);
    expect(isBoundedByLimit(limited, UNLIMITED.maxNotionalUsd8)).toBe(false);
  });

  it('refuses terms of a family or of a version that it does not know', () => {
    const pair = pairOf('3.6');
    expect(() => sizePair({ ...pair, terms: { kind: 'unknown' } }, 1n, 'swap-depth')).toThrow(TypeError);
    expect(() => pairOf('2.0')).toThrow(RangeError);
  });
});
