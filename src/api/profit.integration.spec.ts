import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messageIn } from '../../testing/api-answers.js';
import { startApi, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';
import { PLANNED } from '../../testing/builders/executions.js';
import { TestDatabase } from '../../testing/database.js';
import { ExecutionsRepository, ReportsRepository } from '../database/index.js';
import { profitAnswer } from './profit-answer.js';

const since = new Date('2026-03-01T00:00:00Z');
const until = new Date('2026-03-02T00:00:00Z');
const of = { chainId: 8453 };
const period = { from: since, to: until };

describe('the profit of a period', () => {
  let database: TestDatabase;
  let reports: ReportsRepository;

  beforeAll(async () => {
    database = await TestDatabase.start();
    reports = new ReportsRepository(database.database);
    const rows: readonly (readonly [string, string, string | null, string | null, number | null])[] = [
      ['2026-03-01T01:00:00.500Z', 'succeeded', 'won', '12.5', 100],
      ['2026-03-01T01:00:00.900Z', 'succeeded', 'won', '0.25', 300],
      ['2026-03-01T03:00:00Z', 'reverted', 'lost', '-0.75', 200],
      ['2026-03-01T04:00:00Z', 'rejected', null, null, null],
      ['2026-03-01T05:00:00Z', 'dry-run', null, null, null],
      // Not in the period, and of another chain below.
      ['2026-03-02T00:00:00Z', 'succeeded', 'won', '100', 9],
    ];
    for (const [at, status, outcome, profit, sentUs] of rows) {
      const id = await new ExecutionsRepository(database.database).insert({ ...PLANNED, ...of });
      await database.dataSource.query(
        `UPDATE executions SET status = $2, outcome = $3, realised_profit_usd = $4, head_to_send_us = $5,
           fees_wei = CASE WHEN $3::text IS NULL THEN NULL ELSE 1000 END,
           settled_at = CASE WHEN $3::text IS NULL THEN NULL ELSE $6::timestamptz END WHERE id = $1`,
        [id, status, outcome, profit, sentUs, at],
      );
      await database.dataSource.query('ALTER TABLE executions DISABLE TRIGGER USER');
      await database.dataSource.query('UPDATE executions SET created_at = $2 WHERE id = $1', [id, at]);
      await database.dataSource.query('ALTER TABLE executions ENABLE TRIGGER USER');
    }
    await new ExecutionsRepository(database.database).insert({ ...PLANNED, chainId: 1 });
  });
  afterAll(() => database.stop());

  const answer = async (most: number) =>
    profitAnswer({
      ...period,
      steps: await reports.steps(of, period, most),
      figures: await reports.figures(of, period),
      statuses: await reports.statuses(of, period),
      times: await reports.sendTimes(of, period),
    });

  it('is a course whose sums are those of the rows, to the last cent', async () => {
    const { points, ...rest } = await answer(300);
    expect(rest).toMatchObject({
      realisedUsd: '12.75',
      lostFeesUsd: '0.75',
      decisions: { simulated: 5, left: 1, dryRun: 1, signed: 3 },
      outcomes: { won: 2, lost: 1, stale: 0, refused: 0, malfunction: 0 },
      headToSend: { p50Us: 200, p99Us: 300, sample: 3 },
    });
    expect(points.map(({ realisedUsd, lostFeesUsd }) => [realisedUsd, lostFeesUsd])).toEqual([
      ['12.75', '0'],
      ['12.75', '0.75'],
      ['12.75', '0.75'],
    ]);
    // Two wins and a plan of a dry run, each as it was simulated.
    const one = Number(points[0]?.simulatedUsd) / 2;
    expect(Number(rest.simulatedUsd)).toBeCloseTo(one * 3, 8);
    expect(points.at(-1)?.simulatedUsd).toBe(rest.simulatedUsd);
  });

  it('has no more points than were wanted, the last of them at the end of the period', async () => {
    for (const most of [1, 2, 7]) {
      const { points } = await answer(most);
      expect(points.length).toBeLessThanOrEqual(most);
      expect(points.at(-1)?.realisedUsd).toBe('12.75');
      expect(Date.parse(points.at(-1)?.at ?? '')).toBeLessThanOrEqual(until.getTime());
    }
  });

  it('is empty where nothing was decided', async () => {
    const empty = { from: new Date('2020-01-01T00:00:00Z'), to: new Date('2020-01-02T00:00:00Z') };
    expect(await reports.steps(of, empty, 300)).toEqual([]);
    expect(await reports.sendTimes(of, empty)).toEqual({ p50Us: undefined, p99Us: undefined, sample: 0 });
  });
});

describe('GET /api/v1/profit', () => {
  let api: ApiApp;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.close());

  const get = (query: string) =>
    api.http.get(`/api/v1/profit${query}`).set('Authorization', `Bearer ${VIEWER_KEY}`);

  it('answers for the last seven days where no time is named', async () => {
    const { body } = (await get('').expect(200)) as { body: { from: string; to: string; points: unknown } };
    expect(Date.parse(body.to) - Date.parse(body.from)).toBe(7 * 86_400_000);
    expect(body).toMatchObject({ points: [], realisedUsd: '0', headToSend: { p50Us: null, sample: 0 } });
  });

  it.each([
    '?since=yesterday',
    '?since=2026-02-31',
    '?since=1999-01-01',
    '?since=2999-01-01',
    '?until=2026-01-01',
  ])('refuses %s in one sentence', async (query) => {
    expect(messageIn(await get(query).expect(400))).toMatch(/^[^\n]{10,200}$/);
  });
});
