import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { messageIn } from '../../testing/api-answers.js';
import { startApi, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';
import { aNearPosition } from '../../testing/builders/near.js';
import type { PositionsPage, PositionsPlotAnswer } from './positions-answer.js';

describe('the positions near the edge', () => {
  let api: ApiApp;

  beforeEach(async () => {
    api = await startApi();
  });

  afterEach(() => api.close());

  const get = (query: string) =>
    api.http.get(`/api/v1/positions${query}`).set('Authorization', `Bearer ${VIEWER_KEY}`);
  const page = async (query: string): Promise<PositionsPage> =>
    (await get(query).expect(200)).body as PositionsPage;

  it('are shown with symbols, whole tokens and dollars, and a market id where there is one', async () => {
    const marketId = `0x${'b1'.repeat(32)}` as const;
    api.world.near = [aNearPosition(0), aNearPosition(1, { protocol: 'morpho', marketId })];
    const { block, total, positions, next } = await page('');
    expect(block).toMatchObject({ number: 100, timestamp: '2023-11-14T22:13:20.000Z' });
    expect([total, next]).toEqual([2, null]);
    expect(positions[0]).toEqual({
      ...{ protocol: 'aave', market: api.world.near[0]?.market, marketId: null },
      ...{ borrower: api.world.near[0]?.borrower, healthFactor: '0.95' },
      ...{ collateralUsd: '25000', debtUsd: '23500' },
      collaterals: [
        {
          ...{ asset: api.world.near[0]?.collaterals[0]?.asset, symbol: 'WETH' },
          ...{ amount: '10000000000000000000', amountTokens: '10', valueUsd: '25000' },
        },
      ],
      debts: [
        {
          ...{ asset: api.world.near[0]?.debts[0]?.asset, symbol: 'USDC' },
          ...{ amount: '23500000000', amountTokens: '23500', valueUsd: '23500' },
        },
      ],
    });
    expect(positions[1]).toMatchObject({ protocol: 'morpho', marketId, healthFactor: '0.9501' });
    expect((await page('?protocol=morpho')).positions).toEqual([positions[1]]);
  });

  it('come in pages, each once, also two of one borrower with the same health factor', async () => {
    const twin = aNearPosition(3, { marketId: `0x${'b1'.repeat(32)}` });
    const all = [...Array.from({ length: 4 }, (_, index) => aNearPosition(index)), twin, aNearPosition(4)];
    api.world.near = all;
    const seen: unknown[] = [];
    let cursor = '';
    do {
      const { positions, next } = await page(`?limit=2${cursor}`);
      seen.push(...positions.map(({ borrower, marketId }) => [borrower, marketId]));
      cursor = next === null ? '' : `&cursor=${next}`;
    } while (cursor !== '');
    expect(seen).toEqual(all.map(({ borrower, marketId = null }) => [borrower, marketId]));
  });

  it('are below 1.05 unless another bound is given, and no more than what is watched can be asked for', async () => {
    api.world.near = [aNearPosition(999), aNearPosition(1_001)];
    expect((await page('')).positions).toHaveLength(1);
    expect((await page('?below=1.1')).positions).toHaveLength(2);
    expect(messageIn(await get('?below=1.2').expect(400))).toBe(
      'below must be at most 1.1: positions above detector.watchBelowHealthFactor are not watched',
    );
  });

  it.each(['below=-1', 'below=1e9', 'below=', 'limit=0', 'limit=201', 'cursor=x', 'protocol=', 'other=1'])(
    'refuse ?%s with a sentence',
    async (query) => {
      expect(messageIn(await get(`?${query}`).expect(400))).not.toBe('');
      if (!/limit|cursor/.test(query)) await get(`/plot?${query}`).expect(400);
    },
  );

  it('are points of a plot, all at once', async () => {
    const marketId = `0x${'b1'.repeat(32)}` as const;
    api.world.near = [aNearPosition(0), aNearPosition(1, { protocol: 'morpho', marketId })];
    const plot = async (query: string): Promise<PositionsPlotAnswer> =>
      (await get(`/plot${query}`).expect(200)).body as PositionsPlotAnswer;
    expect(await plot('')).toMatchObject({
      ...{ block: { number: 100 }, total: 2, protocols: ['aave', 'morpho'] },
      points: [
        [0.95, 23_500, 0, api.world.near[0]?.borrower],
        [0.9501, 23_500, 1, api.world.near[1]?.borrower, marketId],
      ],
    });
    expect((await plot('?protocol=morpho')).points).toHaveLength(1);
  });
});
