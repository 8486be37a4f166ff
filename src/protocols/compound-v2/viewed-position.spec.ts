import { describe, expect, it } from 'vitest';
import { compoundAccount, compoundConditions, compoundMarket } from '../../../testing/builders/compound.js';
import { toAddress } from '../../domain/hex.js';
import { WAD } from '../../domain/money.js';
import { positionsAtRisk, type ViewData } from './at-risk.js';
import { viewedPosition } from './viewed-position.js';

const LIMITS = { maxNotionalUsd8: 10n ** 16n, fundingHorizonSeconds: 60 };
const wrapper = toAddress(`0x${'99'.repeat(20)}`);
const inside = toAddress(`0x${'88'.repeat(20)}`);
const terms = {
  market: compoundMarket(),
  feeds: new Map([[0, wrapper]]),
  wrapped: new Map([[0, inside]]),
};
const fresh = (ethUsd: bigint): ReadonlyMap<number, bigint> => new Map([[0, ethUsd * 10n ** 18n]]);

function viewOf(debtUsdc: bigint, withheld: ReadonlyMap<number, bigint>): ViewData {
  const conditions = compoundConditions();
  const position = viewedPosition(terms, conditions, withheld, compoundAccount(debtUsdc), WAD);
  return {
    ...{ market: terms.market, conditions, priceTimes: new Map(), jumped: new Set(), openingSoon: [] },
    positions: new Map(position ? [[position.account.address, position]] : []),
  };
}

describe('a position of Compound v2 in a view', () => {
  // Ten ether count for $24,000.
  it('is open to anybody at the price of the market', () => {
    const [position] = positionsAtRisk(viewOf(24_001n, new Map()), LIMITS);
    expect(position?.schedule).toEqual({ opensAt: 0, doors: [{ kind: 'direct' }] });
    expect(position?.healthFactorWad).toBeLessThan(WAD);
    const [pair] = position?.pairs ?? [];
    // Half of the debt; 110 % of it in ether, of which the protocol keeps 3 %.
    expect(pair?.candidates).toMatchObject([{ sizing: 'close-factor', debtToCover: 12_000_500_000n }]);
    const [candidate] = pair?.candidates ?? [];
    const expected = (((12_000_500_000n * 11n) / 10n) * 97n * 10n ** 12n) / 100n / 3_000n;
    expect(candidate?.collateralSeized).toBeGreaterThan((expected * 9_999n) / 10_000n);
    // mTokens have eight decimals, and the share of the protocol is truncated.
    expect(candidate?.collateralSeized).toBeLessThan((expected * 10_001n) / 10_000n);
  });

  it('is not there when it is healthy, also at the price that a wrapper withholds', () => {
    expect(viewOf(23_000n, fresh(2_900n)).positions.size).toBe(0);
  });

  it('is open by the wrapper alone when only the withheld price makes it unhealthy', () => {
    const [position] = positionsAtRisk(viewOf(23_500n, fresh(2_900n)), LIMITS);
    expect(position?.schedule).toEqual({ opensAt: 0, doors: [{ kind: 'oev-wrapper', wrapper }] });
    expect(position?.healthFactorWad).toBeLessThan(WAD);
  });

  it('needs no wrapper when it is open at both prices', () => {
    const [position] = positionsAtRisk(viewOf(24_001n, fresh(2_900n)), LIMITS);
    expect(position?.schedule.doors).toEqual([{ kind: 'direct' }]);
  });
});
