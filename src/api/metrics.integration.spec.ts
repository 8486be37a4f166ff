import { afterEach, describe, expect, it } from 'vitest';
import { startApi, URL_SECRET, type ApiApp, type ApiSettings } from '../../testing/api-app.js';
import { EventMetrics } from '../monitoring/metrics/event-metrics.js';
import { METRICS } from '../monitoring/metrics/names.js';

describe('GET /metrics', () => {
  let api: ApiApp;

  afterEach(() => api.close());

  /** The lines of the answer, by what stands before the value. */
  async function scrape(): Promise<Map<string, string>> {
    const { text } = await api.http
      .get('/metrics')
      .expect(200)
      .expect('Content-Type', /^text\/plain; version=0\.0\.4/);
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
    );
  }

  const start = async (settings?: ApiSettings): Promise<void> => {
    api = await startApi(settings);
  };

  it('shows the state, the money and the counters, without a key', async () => {
    await start();
    api.world.safety = { ...api.world.safety, state: 'THROTTLED', consecutiveFailures: 1 };
    api.world.dailyVolumeUsd8 = 1_234_50000000n;
    api.get(EventMetrics).hear({ event: 'dry-run', executionId: '1', borrower: '0x01', block: 1 });
    const lines = await scrape();
    expect(Object.fromEntries(lines)).toMatchObject({
      'chimera_safety_state{state="THROTTLED"}': '1',
      'chimera_safety_state{state="HALTED"}': '0',
      'chimera_lease{role="dry-run"}': '1',
      chimera_consecutive_failures: '1',
      chimera_wallet_balance_eth: '1',
      chimera_wallet_minimum_eth: '0.1',
      'chimera_budget_limit_usd{budget="daily-volume"}': '2500.5',
      'chimera_budget_used_usd{budget="daily-volume"}': '1234.5',
      chimera_positions: '50',
      chimera_watched_positions: '5',
      chimera_liquidatable_positions: '3',
      'chimera_skipped_positions{reason="profit-below-floor"}': '2',
      'chimera_backfill_blocks_left{market="aave"}': '40',
      'chimera_endpoint_up{endpoint="backup"}': '1',
      chimera_head_block: '100',
      chimera_native_price_age_seconds: '600',
      chimera_native_price_kept: '1',
      chimera_dry_runs_total: '1',
      'chimera_outcomes_total{outcome="malfunction"}': '0',
      chimera_database_up: '1',
    } satisfies Record<string, string>);
    expect([...lines.keys()].join('\n')).toMatch(/chimera_build_info\{version="0\.1\.0",commit="\w+",node="/);
    expect(Number(lines.get('chimera_process_resident_memory_bytes'))).toBeGreaterThan(1_000_000);
  });

  it('shows what is wrong by its cause, and rates only when enough executions count', async () => {
    await start();
    const { safety, bot } = api.world;
    const concern = {
      cause: 'chain',
      level: 'HALTED',
      reason: 'x',
      actor: 'chimera',
      sinceMs: 0,
      numbers: {},
    } as const;
    api.world.safety = { ...safety, state: 'HALTED', concerns: [concern] };
    const rates = {
      sample: 40,
      inclusionBps: 6_250,
      ownSample: 9,
      ownInclusionBps: 5_000,
      won: 12,
      accuracyBps: 9_100,
    };
    api.world.bot = { ...bot, outcomes: { ...bot.outcomes, rates } };
    const lines = await scrape();
    expect(Object.fromEntries(lines)).toMatchObject({
      'chimera_safety_concern{cause="chain"}': '2',
      'chimera_safety_concern{cause="rpc"}': '0',
      chimera_inclusion_ratio: '0.625',
      chimera_accuracy_ratio: '0.91',
      chimera_rated_executions: '40',
    });
    expect(lines.has('chimera_own_inclusion_ratio')).toBe(false);
  });

  it('shows no metric that the table lacks, and no address, account or part of one', async () => {
    await start();
    const { text } = await api.http.get('/metrics').expect(200);
    const names = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    expect([...names].sort()).toEqual(Object.keys(METRICS).sort());
    expect(text).not.toMatch(/https?:|wss?:|127\.0\.0\.1|0x[0-9a-f]{8}/);
    expect(text).not.toContain(URL_SECRET);
  });

  it('leaves out what is not known: no balance of 0 before it was read', async () => {
    await start();
    api.world.bot = { ...api.world.bot, operatorBalanceWei: undefined, head: undefined };
    api.world.head = undefined;
    const lines = await scrape();
    for (const name of ['chimera_wallet_balance_eth', 'chimera_head_age_seconds', 'chimera_win_ratio'])
      expect(lines.has(name), name).toBe(false);
  });

  it('answers when the status itself cannot be read, with what the process says', async () => {
    await start();
    Object.defineProperty(api.world, 'bot', {
      get: () => {
        throw new TypeError('oops');
      },
    });
    const lines = await scrape();
    expect(lines.has('chimera_positions')).toBe(false);
    expect(lines.get('chimera_database_up')).toBe('1');
  });

  it('A22 refuses a host that is not this machine, as health does', async () => {
    await start();
    await api.http.get('/metrics').set('Host', 'evil.example').expect(421);
  });

  it('does not exist when monitoring.metrics is false', async () => {
    await start({ sections: 'monitoring: { metrics: false }' });
    const answer = await api.http.get('/metrics').expect(404);
    expect(answer.text).toContain('monitoring.metrics is false');
  });
});
