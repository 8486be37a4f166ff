import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aSpending } from '../../testing/builders/allowance.js';
import { startApi, URL_SECRET, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';
import { SAFETY_LIMITS } from '../../testing/builders/safety.js';
import type { SafetyLimits } from '../domain/authorisation.js';
import { feedsAnswer } from './feeds-answer.js';
import { headAnswer, limitsAnswer } from './status-answer.js';

describe('status', () => {
  let api: ApiApp;

  beforeEach(async () => {
    api = await startApi();
  });

  afterEach(() => api.close());

  const status = async (): Promise<{ body: unknown; text: string }> =>
    api.http.get('/api/v1/status').set('Authorization', `Bearer ${VIEWER_KEY}`).expect(200);

  it('shows the state of the bot, the chain, the endpoints and the limits', async () => {
    api.world.dailyVolumeUsd8 = 1_234_56789012n;
    const { body } = await status();
    expect(body).toMatchObject({
      network: { name: 'base', chainId: 8453 },
      mode: 'dry-run',
      lease: { role: 'dry-run', holder: null, epoch: null },
      phase: 'running',
      safety: {
        state: 'NORMAL',
        reason: 'first start',
        actor: 'chimera',
        since: '1970-01-01T00:00:00.000Z',
        cause: null,
        numbers: {},
        consecutiveFailures: 0,
        concerns: [],
      },
      head: { number: 100, hash: `0x${'aa'.repeat(32)}` },
      sinceLastPassMs: 1_200,
      passes: { failedInARow: 0, failingSinceMs: null, lastError: null },
      endpoints: [
        { role: 'primary', healthy: true, state: 'ok', head: null, latencyMs: null, ok: 0, failed: 0 },
        { role: 'backup', healthy: true, state: 'ok', head: null, latencyMs: null, ok: 0, failed: 0 },
      ],
      positions: { total: 50, liquidatable: 3, inFlight: 1, setAside: [] },
      backfill: [{ market: 'aave', fromBlock: 1, atBlock: 60, toBlock: 100, unread: 7 }],
      incomplete: [],
      refused: [],
      coverage: [],
      feeds: [],
      counters: { passes: 9, succeeded: 2 },
      outcomes: {
        overall: {
          ...{ won: 3, lost: 1, stale: 2, refused: 1, malfunction: 0 },
          ...{ winRateBps: 7500, lossesEth: '0.001', lossesUsd: '2.5' },
        },
        last24h: { won: 0, winRateBps: null, lossesEth: '0', lossesUsd: '0' },
        rates: { sample: 4, inclusionBps: 7500, ownInclusionBps: 10000, accuracyBps: 9800 },
        maxInFlight: 2,
        bidShareBps: 7500,
      },
      nativePrice: { ageSeconds: 600, isKept: true },
      skipped: { 'profit-below-floor': 2 },
      limits: {
        maxSingleExecutionUsd: '500',
        maxDailyVolumeUsd: '2500.5',
        dailyVolumeUsedUsd: '1234.56789012',
        dailyVolumeLeftUsd: '1265.93210988',
        maxConsecutiveFailures: 3,
        minOperatorBalanceEth: '0.1',
        maxFeePerTransactionEth: '0.05',
        nodeFeeCapEth: null,
        maxDailyFeeEth: '0.2',
        dailyFeeUsedEth: '0.001',
        dailyFeeReservedEth: '0.01',
        dailyFeeLeftEth: '0.189',
        maxDailyLossUsd: '50',
        dailyLossUsedUsd: '1',
        dailyLossReservedUsd: '25',
        dailyLossLeftUsd: '24',
        maxWalletShareBps: 5000,
        walletLeftEth: '0.24',
      },
      tier: {
        present: 1,
        next: { maxSingleExecutionUsd: '1000', maxDailyVolumeUsd: '5000' },
        criteria: [],
      },
    });
  });

  it('shows the kinds of the feeds of each market, with the share of the debt behind them', async () => {
    const none = { feeds: 0, debtBps: 0 };
    api.world.feeds = [
      {
        ...{ market: 'aave', block: 99, debtUsd8: 1_000_50000000n },
        kinds: {
          svr: { feeds: 1, debtBps: 6_000 },
          'oev-wrapper': none,
          unknown: { feeds: 1, debtBps: 4_000 },
          public: none,
        },
        feeds: [
          {
            ...{ of: 'cbBTC', address: `0x${'fe'.repeat(20)}`, kind: 'svr' },
            ...{ type: 'DualAggregator 1.0.0', debtBps: 6_000 },
          },
          { of: 'AERO', address: undefined, kind: 'unknown', type: undefined, debtBps: 4_000 },
        ],
      },
    ];
    const { body } = await status();
    const nothing = { feeds: 0, debtShareBps: 0 };
    expect(body).toMatchObject({
      feeds: [
        {
          ...{ market: 'aave', block: 99, debtUsd: '1000.5', more: 0 },
          kinds: {
            svr: { feeds: 1, debtShareBps: 6_000 },
            'oev-wrapper': nothing,
            unknown: { feeds: 1, debtShareBps: 4_000 },
            public: nothing,
          },
          feeds: [
            {
              ...{ of: 'cbBTC', address: `0x${'fe'.repeat(20)}`, kind: 'svr' },
              ...{ type: 'DualAggregator 1.0.0', debtShareBps: 6_000 },
            },
            { of: 'AERO', address: null, kind: 'unknown', type: null, debtShareBps: 4_000 },
          ],
        },
      ],
    });
  });

  it('names the hundred feeds with the most debt, and counts the others', () => {
    const none = { feeds: 0, debtBps: 0 };
    const feeds = Array.from({ length: 130 }, (_, index) => ({
      ...{ of: `token ${index}`, address: undefined, kind: 'unknown' as const, type: undefined },
      debtBps: 0,
    }));
    const kinds = { svr: none, 'oev-wrapper': none, unknown: { feeds: 130, debtBps: 0 }, public: none };
    const answer = feedsAnswer({ market: 'morpho', block: 1, debtUsd8: 0n, kinds, feeds });
    expect(answer).toMatchObject({ more: 30, kinds: { unknown: { feeds: 130 } } });
    expect(answer.feeds.map(({ of }) => of)).toEqual(feeds.slice(0, 100).map(({ of }) => of));
  });

  it('A09 never shows the address of an endpoint, nor a key or its digest', async () => {
    const { text } = await status();
    expect(text).not.toMatch(new RegExp(`${URL_SECRET}|://|127\\.0\\.0\\.1|sha256|[0-9a-f]{64}(?<!a{64})`));
  });

  it('says null for what is not known yet', async () => {
    api.world.bot = { ...api.world.bot, phase: 'starting', head: undefined, sinceLastPassMs: undefined };
    expect((await status()).body).toMatchObject({ phase: 'starting', head: null, sinceLastPassMs: null });
  });
});

describe('the numbers of the status', () => {
  const NOON = Date.UTC(2026, 0, 31, 12);

  it('the lag is our clock minus the time of the block, negative when the chain is ahead', () => {
    const head = { number: 1, hash: '0x01', timestamp: NOON / 1000 - 5 };
    expect(headAnswer(head, NOON + 900)).toMatchObject({
      lagSeconds: 5,
      timestamp: '2026-01-31T11:59:55.000Z',
    });
    expect(headAnswer({ ...head, timestamp: NOON / 1000 + 60 }, NOON)).toMatchObject({ lagSeconds: -60 });
  });

  it('no volume is left when the limit is used up, and the next day begins at midnight UTC', () => {
    const limits: SafetyLimits = { ...SAFETY_LIMITS, maxSingleExecutionUsd8: 1n, minOperatorBalanceWei: 1n };
    expect(limitsAnswer(limits, 2_500_00000001n, aSpending(), NOON)).toMatchObject({
      maxSingleExecutionUsd: '0.00000001',
      maxDailyVolumeUsd: '2500',
      dailyVolumeUsedUsd: '2500.00000001',
      dailyVolumeLeftUsd: '0',
      dailyVolumeResetsAt: '2026-02-01T00:00:00.000Z',
      maxConsecutiveFailures: 3,
      minOperatorBalanceEth: '0.000000000000000001',
    });
    expect(limitsAnswer(limits, 0n, aSpending(), Date.UTC(2026, 1, 1)).dailyVolumeResetsAt).toBe(
      '2026-02-02T00:00:00.000Z',
    );
  });
});
