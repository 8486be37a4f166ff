import { detectionsOf } from '../../testing/opportunities.js';
import { describe, expect, it } from 'vitest';
import { addressOf } from '../../testing/builders/aave-market.js';
import { aPositionAtRisk } from '../../testing/builders/at-risk.js';
import { aBlock } from '../../testing/builders/blocks.js';
import { BLOCK } from '../../testing/builders/opportunities.js';
import { MARKET_IDS } from '../../testing/builders/plan.js';
import { fakeMarket, FakeMarketView } from '../../testing/fakes/fake-lending-market.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import type { ChimeraConfig } from '../config/index.js';
import type { AtRisk } from '../domain/at-risk.js';
import { Clock } from '../domain/clock.js';
import { rejected } from '../domain/decision.js';
import { USD8 } from '../domain/money.js';
import { PLAN_LIFETIME_SECONDS } from '../domain/plan.js';
import { OPEN_NOW, type Schedule } from '../domain/schedule.js';
import type { FeedBook } from '../oracles/feed-book.js';
import { PriceGuard } from '../oracles/price-guard.js';
import { DoubtedPositions } from '../state/doubted-positions.js';
import { StateView } from '../state/state-view.js';
import { OpportunityDetector, type Detection } from './opportunity-detector.js';

const CONFIG = {
  network: { chainId: 31337 },
  oracles: { maxAgeSeconds: 3_600, maxMovePerBlockBps: 3_000 },
  planner: { minProfitUsd8: 5n * USD8 },
} as ChimeraConfig;
const UNLIMITED_USD8 = 10n ** 9n * USD8;
const FEEDS = standIn<FeedBook>('feeds', { name: 'price-feeds' });
const NOW = BLOCK.timestamp;

function detect(
  positions: readonly AtRisk[],
  {
    nativeUpdatedAt = NOW,
    nativeJumped = false,
    marketNativeUsd8 = undefined as bigint | undefined,
    maxNotionalUsd8 = UNLIMITED_USD8,
    doubts = new DoubtedPositions(new Clock()),
    opening = [] as readonly AtRisk[],
  } = {},
): { detections: Detection[]; asked: FakeMarketView } {
  const market = fakeMarket('aave');
  const view = new FakeMarketView(positions);
  view.ownPriceUsd8 = marketNativeUsd8;
  view.opening = opening;
  const detector = new OpportunityDetector({ all: [market] }, FEEDS, new PriceGuard(CONFIG), CONFIG, doubts);
  const state = new StateView(
    aBlock(7, { timestamp: NOW }),
    new Map<string, unknown>([
      ['aave', view],
      ['price-feeds', { native: { answer: 2_500n * USD8, updatedAt: nativeUpdatedAt }, nativeJumped }],
    ]),
    NOW + 2,
  );
  return { detections: detectionsOf(detector, state, maxNotionalUsd8), asked: view };
}

describe('a position at risk', () => {
  it('is an opportunity, with the block and the pairs of its market', () => {
    const position = aPositionAtRisk();
    const { detections, asked } = detect([position]);
    expect(detections).toMatchObject([
      {
        kind: 'opportunity',
        opportunity: { borrower: position.borrower, block: { number: 7 }, pairs: position.pairs },
      },
    ]);
    expect(asked.limits).toEqual([
      { maxNotionalUsd8: UNLIMITED_USD8, fundingHorizonSeconds: PLAN_LIFETIME_SECONDS },
    ]);
  });

  it('is left alone while the price of the native token jumps, or differs from the price of a market', () => {
    const position = aPositionAtRisk();
    expect(detect([position], { nativeJumped: true }).detections).toMatchObject([{ reason: 'price-jump' }]);
    expect(detect([position], { marketNativeUsd8: 25n * USD8 }).detections).toMatchObject([
      {
        reason: 'native-price-differs',
        detail: { feedUsd8: String(2_500n * USD8), marketUsd8: String(25n * USD8) },
      },
    ]);
    expect(detect([position], { marketNativeUsd8: 2_499n * USD8 }).detections).toMatchObject([
      { kind: 'opportunity' },
    ]);
  });

  it('F52 is left alone while it is set aside, and an opportunity again when it is released', () => {
    const position = aPositionAtRisk();
    const doubts = new DoubtedPositions(new Clock());
    doubts.putAside('aave', position.borrower, 6);
    expect(detect([position], { doubts }).detections).toMatchObject([
      { kind: 'rejected', reason: 'set-aside', borrower: position.borrower },
    ]);
    doubts.agrees('aave', position.borrower);
    expect(detect([position], { doubts }).detections).toMatchObject([{ kind: 'opportunity' }]);
  });

  it('is left alone while only a wrapper around a price feed opens it, which is named', () => {
    const wrapper = `0x${'0e'.repeat(20)}` as const;
    const schedule: Schedule = { opensAt: 0, doors: [{ kind: 'oev-wrapper', wrapper }] };
    expect(detect([aPositionAtRisk({ schedule })]).detections).toMatchObject([
      { kind: 'rejected', reason: 'only-through-wrapper', detail: { wrapper } },
    ]);
    const both: Schedule = { ...schedule, doors: [...schedule.doors, { kind: 'direct' }] };
    expect(detect([aPositionAtRisk({ schedule: both })]).detections).toMatchObject([
      { kind: 'opportunity', opportunity: { schedule: both } },
    ]);
  });

  it('is left alone while only a pre-liquidation contract may take a part of it, which is named', () => {
    const contract = `0x${'1e'.repeat(20)}` as const;
    const schedule: Schedule = { opensAt: 0, doors: [{ kind: 'pre-liquidation', contract }] };
    expect(detect([aPositionAtRisk({ schedule })]).detections).toMatchObject([
      { kind: 'rejected', reason: 'only-through-pre-liquidation', detail: { contract } },
    ]);
  });

  it('is left alone until the next block may be the first in which it is open', () => {
    const opening = (opensAt: number): Detection[] =>
      detect([aPositionAtRisk({ schedule: { ...OPEN_NOW, opensAt } })]).detections;
    const next = NOW + 2;
    expect(opening(next)).toMatchObject([{ kind: 'opportunity' }]);
    expect(opening(next + 1)).toMatchObject([
      {
        ...{ kind: 'rejected', reason: 'not-open-yet' },
        detail: { opensAt: String(next + 1), nextBlockTime: String(next) },
      },
    ]);
  });

  it('is looked at with the head after which interest alone opens it, and not before', () => {
    const opening = [NOW + 1, NOW + 2, NOW + 3].map((opensAt) =>
      aPositionAtRisk({ borrower: addressOf(opensAt), schedule: { ...OPEN_NOW, opensAt } }),
    );
    const { detections } = detect([aPositionAtRisk()], { opening });
    expect(detections).toMatchObject([
      { kind: 'opportunity', opportunity: { schedule: OPEN_NOW } },
      { kind: 'opportunity', opportunity: { schedule: { opensAt: NOW + 1 } } },
      { kind: 'opportunity', opportunity: { schedule: { opensAt: NOW + 2 } } },
    ]);
  });

  it('names its market of the contract, as an opportunity and as a refusal', () => {
    const position = aPositionAtRisk({ marketId: MARKET_IDS[0] });
    expect(detect([position]).detections).toMatchObject([{ opportunity: { marketId: MARKET_IDS[0] } }]);
    expect(detect([position], { nativeJumped: true }).detections).toMatchObject([
      { kind: 'rejected', market: position.market, marketId: MARKET_IDS[0], borrower: position.borrower },
    ]);
  });

  it('is left alone when a price is missing, before anything else is judged', () => {
    const obstacle = rejected('price-missing', { asset: 'WETH' });
    const position = aPositionAtRisk({ healthFactorWad: undefined, obstacle, pairs: [], prices: [] });
    expect(detect([position], { nativeUpdatedAt: 0 }).detections).toMatchObject([
      { kind: 'rejected', reason: 'price-missing', detail: { asset: 'WETH' }, healthFactorWad: undefined },
    ]);
  });

  it('is left alone while the price of the native token is old', () => {
    expect(detect([aPositionAtRisk()], { nativeUpdatedAt: NOW - 3_601 }).detections).toMatchObject([
      { reason: 'price-stale', detail: { asset: 'native' } },
    ]);
  });

  it.each([
    ['old', { updatedAt: NOW - 3_601, jumped: false }, 'price-stale'],
    ['moved too far in one block', { updatedAt: NOW, jumped: true }, 'price-jump'],
  ])(
    'is left alone when one of its prices is %s, also when the market has an obstacle',
    (_, price, reason) => {
      const prices = [
        { symbol: 'USDC', updatedAt: NOW, jumped: false },
        { symbol: 'WETH', ...price },
      ];
      const position = aPositionAtRisk({ prices, obstacle: rejected('reserve-paused') });
      expect(detect([position]).detections).toMatchObject([{ reason, detail: { asset: 'WETH' } }]);
    },
  );

  it('is left alone for the reason that its market gives', () => {
    const position = aPositionAtRisk({ obstacle: rejected('grace-period', { asset: 'USDC' }), pairs: [] });
    expect(detect([position]).detections).toMatchObject([
      { reason: 'grace-period', detail: { asset: 'USDC' }, borrower: position.borrower },
    ]);
  });

  it.each([
    ['nothing is left to seize', false, UNLIMITED_USD8, 'no-collateral'],
    ['every amount is above the limit of one execution', true, 100n * USD8, 'notional-above-limit'],
    ['the day has no volume left', true, 0n, 'daily-volume-reached'],
  ])('is left alone when %s', (_, limited, maxNotionalUsd8, reason) => {
    const { pairs } = aPositionAtRisk();
    const position = aPositionAtRisk({
      limited,
      pairs: pairs.map((pair) => ({ ...pair, candidates: [] })),
    });
    expect(detect([position], { maxNotionalUsd8 }).detections).toMatchObject([{ reason }]);
  });

  it('is left alone when its whole bonus is below the floor', () => {
    const { pairs } = aPositionAtRisk();
    const small = pairs.map((pair) => ({
      ...pair,
      candidates: pair.candidates.map((candidate) => ({
        ...candidate,
        collateralSeized: 1n,
        debtToCover: 0n,
      })),
    }));
    expect(detect([aPositionAtRisk({ pairs: small })]).detections).toMatchObject([
      { reason: 'bonus-below-floor', detail: { bonusUsd8: '0', floorUsd8: String(5n * USD8) } },
    ]);
  });
});
