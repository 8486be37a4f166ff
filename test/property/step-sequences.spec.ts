import { describe, expect, it } from 'vitest';
import {
  addressOf,
  BLOCK,
  numberedAddress,
  positionOfLegs,
  type LegSpec,
} from '../../testing/builders/opportunities.js';
import { ConstantProductPool } from '../../testing/fakes/constant-product-pool.js';
import { prospectsOf } from '../../testing/prospects.js';
import { viewOfPools } from '../../testing/pools.js';
import { unitOf, USD8, WAD } from '../../src/domain/money.js';
import type { LiquidationPair, Opportunity } from '../../src/domain/opportunity.js';
import { OPEN_NOW } from '../../src/domain/schedule.js';
import { NO_OFFERS } from '../../src/liquidity/lenders/offers.js';
import { optionsOf, type QuotingContext } from '../../src/planner/pair-options.js';
import { Payables } from '../../src/planner/payables.js';
import { grossUsd8Of, quotesInTurns, stepsOf } from '../../src/planner/quotes.js';
import { liquidationPairs } from '../../src/protocols/aave-v3/candidates.js';
import { afterStep, sizePair } from '../../src/protocols/market-kinds.js';
import { Router } from '../../src/routes/router.js';

/**
 * Repeat a failing run with its seed, or look at more:
 * SEQUENCES_SEED=… SEQUENCES=300 npx vitest run test/property/step
 */
const SEED = Number(process.env['SEQUENCES_SEED'] ?? 1);
const POSITIONS = Number(process.env['SEQUENCES'] ?? 8);
/** First amounts that the brute force tries of each pair. */
const AMOUNTS = 40n;

const TOKENS = [
  { decimals: 18, priceUsd8: 2_700n * USD8 },
  { decimals: 8, priceUsd8: 90_000n * USD8 },
  { decimals: 6, priceUsd8: USD8 },
  { decimals: 18, priceUsd8: 3_100n * USD8 },
].map((token, id) => ({ ...token, asset: numberedAddress(0xa0 + id) }));

describe(`sequences of liquidations of random positions (seed ${SEED})`, () => {
  it('bring what a brute force over pairs, first amounts and second steps brings, or more', () => {
    const random = mulberry(SEED);
    const total = { ours: 0, brute: 0, single: 0, several: 0 };
    const gaps: string[] = [];
    for (let made = 0; made < POSITIONS; made += 1) {
      const { opportunity, context } = situation(random);
      const brute = bruteForce(opportunity, context);
      const turn = [...quotesInTurns(context, prospectsOf([opportunity]))].find((one) => one !== undefined);
      const quote = turn?.decision.kind === 'quoted' ? turn.decision.quote : undefined;
      const ours = quote ? Number(grossUsd8Of(quote)) / 1e8 : 0;
      total.ours += ours;
      total.brute += brute.best;
      total.single += brute.single;
      if (quote && stepsOf(quote).length > 1) total.several += 1;
      gaps.push(
        `${(ours / brute.best).toFixed(4)} of $${brute.best.toFixed(2)} (single $${brute.single.toFixed(2)}), ` +
          `HF ${Number(opportunity.healthFactorWad) / 1e18}: ` +
          `${
            quote
              ? stepsOf(quote)
                  .map(({ candidate }) => candidate.sizing)
                  .join(', ')
              : 'none'
          }; brute: ${brute.what}`,
      );
    }
    gaps.sort();
    const summary = `${total.ours.toFixed(0)} of ${total.brute.toFixed(0)}, single ${total.single.toFixed(0)}; ${gaps.slice(0, 5).join('\n')}`;
    if (process.env['SEQUENCES']) console.log(summary, total);
    expect(total.ours / total.brute, summary).toBeGreaterThan(0.97);
    expect(total.several).toBeGreaterThan(POSITIONS / 4);
    expect(total.ours).toBeGreaterThan(total.single);
  }, 120_000);
});

/** Two collaterals and two debts at most, health factors from 0.9 to 1, pools between all tokens. */
function situation(random: () => number): { opportunity: Opportunity; context: QuotingContext } {
  const between = (low: number, high: number): number => low + (high - low) * random();
  const shuffled = TOKENS.map((token) => ({ token, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ token }) => token);
  const [collaterals, debts] = [1, 1].map((least) => least + (random() < 0.6 ? 1 : 0));
  const units = (usd: number, { decimals, priceUsd8 }: (typeof TOKENS)[number]): bigint =>
    (BigInt(Math.round(usd * 1e8)) * unitOf(decimals)) / priceUsd8;
  const sizeUsd = 10 ** between(3.2, 5.2);
  const thresholds = shuffled.map(() => BigInt(Math.round(between(7_000, 8_600))));
  const shares = shuffled.map(() => between(0.3, 1));
  const legs = shuffled.slice(0, collaterals! + debts!).map((token, id): LegSpec => {
    const rates = {
      liquidationThresholdBps: thresholds[id]!,
      liquidationBonusBps: BigInt(Math.round(between(10_400, 10_900))),
    };
    const { asset, decimals, priceUsd8 } = token;
    const amount = units(sizeUsd * shares[id]!, token);
    return {
      asset,
      decimals,
      priceUsd8,
      ...rates,
      ...(id < collaterals! ? { collateral: amount } : { debt: amount }),
    };
  });
  const wanted = between(0.9, 0.999);
  const { healthFactorWad } = positionOfLegs(legs);
  const scale = BigInt(Math.round((Number(healthFactorWad) / 1e18 / wanted) * 1e6));
  const scaled = legs.map((leg) => (leg.debt ? { ...leg, debt: (leg.debt * scale) / 1_000_000n } : leg));
  const position = positionOfLegs(scaled);
  expect(position.healthFactorWad).toBeLessThan(WAD);
  const pairs = liquidationPairs({ version: '3.6' }, position, BLOCK.timestamp, {
    maxNotionalUsd8: 10n ** 30n,
    fundingHorizonSeconds: 60,
  });
  const pools = TOKENS.flatMap((one, i) =>
    TOKENS.slice(i + 1).map((other, j) => {
      const depth = 10 ** between(5.5, 8);
      const reserves = [units(depth, one), units(depth, other)] as const;
      return new ConstantProductPool(
        numberedAddress(0x100 + 16 * i + j),
        [one.asset, other.asset],
        [...reserves],
        500,
      );
    }),
  );
  const { totalCollateralUsd8, totalDebtUsd8 } = position;
  return {
    opportunity: {
      ...{ protocol: 'aave', market: addressOf('aa'), borrower: addressOf('b0'), block: BLOCK },
      ...{ healthFactorWad: position.healthFactorWad, totalCollateralUsd8, totalDebtUsd8 },
      schedule: OPEN_NOW,
      pairs: pairs.filter(({ candidates }) => candidates.length > 0),
    },
    context: {
      ...{ block: BLOCK, nativePriceUsd8: 2_700n * USD8, lenders: NO_OFFERS, bidOf: () => undefined },
      pools: viewOfPools(pools),
    },
  };
}

/** The best single liquidation, and each amount of each pair before the best of what is left. USD. */
function bruteForce(
  opportunity: Opportunity,
  context: QuotingContext,
): { best: number; single: number; what: string } {
  const payables = new Payables();
  payables.add(opportunity);
  const router = Router.of(context.pools.pools.values());
  const single = (pairs: readonly LiquidationPair[], now: Router): number =>
    Math.max(
      0,
      ...optionsOf({ ...opportunity, pairs }, payables, context).map((option) => {
        const plan = now.best(option.trade, option.form);
        return plan ? Number(option.worth(plan.profit)) / 1e8 : 0;
      }),
    );
  const alone = single(opportunity.pairs, router);
  let [best, what] = [alone, 'single'];
  for (const option of optionsOf(opportunity, payables, context)) {
    const { pair } = option.payment;
    const { most } = option.trade;
    for (let part = 1n; part <= AMOUNTS; part += 1n) {
      const size =
        part === AMOUNTS ? option.trade.size(most) : sizePair(pair, (most * part) / AMOUNTS, 'swap-depth');
      if (!size) continue;
      const { debtToCover } = size;
      const trade = {
        ...{ collateral: option.trade.collateral, debt: option.trade.debt },
        ...{ least: debtToCover, most: debtToCover, edges: [debtToCover], size: () => size },
      };
      const plan = router.best(trade, option.form);
      if (!plan) continue;
      const left = afterStep(opportunity.pairs, pair, size);
      const worth =
        Number(option.worth(plan.profit)) / 1e8 +
        (left.length ? single(left, router.after(plan.exit.changed)) : 0);
      if (worth > best)
        [best, what] = [
          worth,
          `${size.collateral.symbol}/${size.debt.symbol} ${part}/${AMOUNTS} of ${size.sizing}`,
        ];
    }
  }
  return { best, single: alone, what };
}

/** Mulberry32: a small seeded generator of numbers in [0, 1). */
function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
