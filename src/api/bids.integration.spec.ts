import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startApi, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';
import type { BidsAnswer } from './bids.controller.js';

const GWEI = 10n ** 9n;

describe('the bids in the API', () => {
  let api: ApiApp;
  const ask = async (): Promise<BidsAnswer> => {
    const { text } = await api.http
      .get('/api/v1/bids')
      .set('Authorization', `Bearer ${VIEWER_KEY}`)
      .expect(200);
    return JSON.parse(text) as BidsAnswer;
  };

  beforeEach(async () => {
    api = await startApi();
  });
  afterEach(() => api.close());

  it('need a key', async () => {
    await api.http.get('/api/v1/bids').expect(401);
  });

  it('by-size: there is nothing to learn', async () => {
    expect(await ask()).toEqual({ model: 'by-size', shareBps: null, reviews: [], levels: [], chain: null });
  });

  it('by-inclusion: the share, and each review with its reason', async () => {
    const review = {
      ...{ number: 1, fromBps: 1_500, toBps: 2_000, sent: 100, won: 42, inclusionBps: 4_200 },
      reason: '42 of 100 were won, less than 60 %: the share goes up',
    };
    api.world.reviews = [{ ...review, reviewedAt: new Date(0) }];
    withBids({ model: 'by-inclusion', shareBps: 2_000, levels: [], chain: undefined });
    expect(await ask()).toMatchObject({
      ...{ model: 'by-inclusion', shareBps: 2_000 },
      reviews: [{ ...review, at: '1970-01-01T00:00:00.000Z' }],
    });
  });

  it('least-that-wins: the tips of each size, in gwei', async () => {
    const levels = [
      { tipWei: undefined, rivalWei: 0n, won: 0, lost: 0 },
      { tipWei: (GWEI * 5n) / 4n, rivalWei: GWEI, won: 7, lost: 1 },
    ];
    const chain = { usualWei: GWEI / 1_000n, highWei: GWEI / 100n };
    withBids({ model: 'least-that-wins', shareBps: undefined, levels, chain });
    expect(await ask()).toMatchObject({
      shareBps: null,
      levels: [
        { tipGwei: null, rivalTipGwei: null, won: 0, lost: 0 },
        { tipGwei: '1.25', rivalTipGwei: '1', won: 7, lost: 1 },
      ],
      chain: { usualGwei: '0.001', highGwei: '0.01' },
    });
  });

  function withBids(bids: ApiApp['world']['bot']['outcomes']['bids']): void {
    const { bot } = api.world;
    api.world.bot = { ...bot, outcomes: { ...bot.outcomes, bids } };
  }
});
