import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../devnet/random.js';
import { compoundAccount, compoundConditions, compoundMarket } from '../../../testing/builders/compound.js';
import { WAD } from '../../domain/money.js';
import { leavingOpen, pairsAfter } from './after.js';
import { liquidationPairs, sizedCandidate, type CompoundV2Pair } from './candidates.js';
import { positionOf, type Position } from './health.js';
import { healthFactorOfPair, isOpen, liquidate, mostRepayable } from './liquidation.js';
import type { CompoundMarket } from './market.js';

/** Another run: DIFFERENTIAL_SEED=… npx vitest run src/protocols/compound-v2/after */
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 20_261_129);
const NO_LIMIT = 10n ** 18n;
const OPEN_BELOW_WAD = (WAD * 9_995n) / 10_000n;

function positionWith(debtUsdc: bigint, market: CompoundMarket = compoundMarket()): Position {
  const position = positionOf(market, compoundAccount(debtUsdc), compoundConditions());
  if ('priceMissing' in position) throw new Error('every price was expected');
  return position;
}

function pairOf(position: Position, maxNotionalUsd8 = NO_LIMIT): CompoundV2Pair {
  const [pair] = liquidationPairs(position, maxNotionalUsd8);
  if (!pair) throw new Error('an open pair was expected');
  return pair;
}

function healthAfter({ terms }: CompoundV2Pair, amount: bigint): bigint | undefined {
  const result = liquidate(terms, amount);
  return typeof result === 'object' ? healthFactorOfPair({ ...terms, position: result.after }) : undefined;
}

// Ten ether count for $24,000. A step seizes 110 % of what it repays: it makes the position healthier.
describe(`a step that leaves a position of Compound v2 open (seed ${SEED})`, () => {
  it('is the largest amount after which the pair is still open, with a rest for a price that moves', () => {
    const random = new SeededRandom(SEED);
    let found = 0;
    for (let round = 0; round < 200; round++) {
      const pair = pairOf(positionWith(BigInt(random.integer(24_013, 27_000))));
      const most = mostRepayable(pair.terms);
      const [candidate] = leavingOpen(pair);
      if (!candidate) {
        const whole = healthAfter(pair, most) ?? 0n;
        const least = healthAfter(pair, 1n) ?? WAD;
        // Everything leaves it open, or not even one unit does.
        expect(whole < OPEN_BELOW_WAD || least >= OPEN_BELOW_WAD).toBe(true);
        continue;
      }
      found += 1;
      expect(candidate).toMatchObject({ sizing: 'leaves-open' });
      expect(candidate.debtToCover).toBeLessThan(most);
      expect(healthAfter(pair, candidate.debtToCover)).toBeLessThan(OPEN_BELOW_WAD);
      expect(healthAfter(pair, candidate.debtToCover + 1n)).toBeGreaterThanOrEqual(OPEN_BELOW_WAD);
      const [next] = pairsAfter([pair], pair, candidate);
      if (!next) throw new Error('the pair was expected to be open still');
      expect(isOpen(next.terms)).toBe(true);
      expect(next.candidates).not.toEqual([]);
    }
    expect(found).toBeGreaterThan(20);
  });

  it('is not needed where everything that the close factor allows leaves it open', () => {
    const pair = pairOf(positionWith(27_000n, compoundMarket({ closeFactorWad: WAD / 10n })));
    expect(healthAfter(pair, mostRepayable(pair.terms))).toBeLessThan(OPEN_BELOW_WAD);
    expect(leavingOpen(pair)).toEqual([]);
  });

  it('is not there where even one unit makes the position too healthy', () => {
    expect(leavingOpen(pairOf(positionWith(24_001n)))).toEqual([]);
  });
});

describe('what may be liquidated after a step', () => {
  it('is nothing where the step makes the position healthy', () => {
    const pair = pairOf(positionWith(24_100n));
    const [candidate] = pair.candidates;
    if (!candidate) throw new Error('a candidate was expected');
    expect(pairsAfter([pair], pair, candidate)).toEqual([]);
  });

  it('counts what the step covered against the operator limit', () => {
    const pair = pairOf(positionWith(26_500n), 1_000n * 10n ** 8n);
    const candidate = sizedCandidate(pair.terms, 400n * 10n ** 6n, 'leaves-open');
    if (!candidate) throw new Error('a candidate was expected');
    const [next] = pairsAfter([pair], pair, candidate);
    expect(next?.terms.maxNotionalUsd8).toBe(600n * 10n ** 8n);
    expect(next?.candidates).toMatchObject([{ sizing: 'notional-limit', debtToCover: 600n * 10n ** 6n }]);
  });

  it('is nothing after an amount that the market refuses', () => {
    const pair = pairOf(positionWith(26_500n));
    const [candidate] = pair.candidates;
    if (!candidate) throw new Error('a candidate was expected');
    const tooMuch = { ...candidate, debtToCover: candidate.debtToCover + 1n };
    expect(pairsAfter([pair], pair, tooMuch)).toEqual([]);
  });
});
