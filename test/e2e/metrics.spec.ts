import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEMO_SCENARIO, demoBorrowers, playStep } from '../../devnet/index.js';
import { Follower } from '../../devnet/demo/run.js';
import { Stack } from '../../devnet/stack/stack.js';
import { STAGES } from '../../src/domain/pass-trace.js';
import { eventually } from '../../testing/eventually.js';

const BLOCK_MS = 250;

describe('the metrics of the running bot', () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await Stack.start({ borrowers: demoBorrowers(30) });
    const { devnet } = stack;
    const follower = new Follower();
    await stack.startBot((event) => follower.hear(event));
    await devnet.startMining(BLOCK_MS);
    for (const step of DEMO_SCENARIO.slice(0, 2)) await playStep(devnet, step);
    const fallen = await devnet.provider.getBlockNumber();
    await eventually(() => follower.quietSince(fallen), 'everything to be settled');
  });
  afterAll(() => stack.stop());

  async function scrape(): Promise<{ text: string; value: (series: string) => number }> {
    const text = await (await fetch(`${stack.apiUrl}/metrics`)).text();
    const value = (series: string): number => {
      const line = text.split('\n').find((one) => one.startsWith(`${series} `));
      return line === undefined ? NaN : Number(line.slice(series.length + 1));
    };
    return { text, value };
  }

  it('agree with the rows of the database: outcomes, profit, fees, plans', async () => {
    const [row] = await stack.query<Record<'won' | 'profit' | 'fees' | 'failed', string>>(
      `SELECT count(*) FILTER (WHERE outcome = 'won') AS won,
              count(*) FILTER (WHERE status IN ('reverted', 'dropped', 'cancelled')) AS failed,
              sum(realised_profit_usd) FILTER (WHERE outcome = 'won') AS profit,
              sum(fees_wei) / 1e18 AS fees
         FROM executions WHERE outcome IS NOT NULL`,
    );
    const { value } = await scrape();
    expect(value('chimera_outcomes_total{outcome="won"}')).toBe(Number(row?.won));
    expect(Number(row?.won)).toBeGreaterThan(0);
    expect(value('chimera_realised_profit_usd_total')).toBeCloseTo(Number(row?.profit), 6);
    const fees = ['gas', 'bid', 'l1', 'operator'].map((fee) =>
      value(`chimera_fees_paid_eth_total{fee="${fee}"}`),
    );
    expect(fees.reduce((sum, one) => sum + one, 0)).toBeCloseTo(Number(row?.fees), 12);
    expect(value('chimera_transactions_sent_total{door="public"}')).toBeGreaterThanOrEqual(Number(row?.won));
    expect(value('chimera_opportunities_total')).toBeGreaterThanOrEqual(Number(row?.won));
  });

  it('time every stage, count calls by method, and say where the bot stands', async () => {
    const { value, text } = await scrape();
    const sent = value('chimera_transactions_sent_total{door="public"}');
    for (const stage of STAGES)
      expect(value(`chimera_stage_seconds_count{stage="${stage}"}`), stage).toBeGreaterThan(0);
    const stages = ['logs', 'state', 'detect'].map((stage) =>
      value(`chimera_stage_seconds_sum{stage="${stage}"}`),
    );
    expect(stages.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(
      value('chimera_pass_seconds_sum') + 0.1,
    );
    expect(
      value('chimera_rpc_calls_total{endpoint="primary",method="eth_sendRawTransaction",result="ok"}'),
    ).toBeGreaterThanOrEqual(sent);
    expect(value('chimera_lease{role="leader"}')).toBe(1);
    expect(value('chimera_safety_state{state="HALTED"}')).toBe(0);
    expect(value('chimera_database_up')).toBe(1);
    expect(Date.now() / 1_000 - value('chimera_last_good_pass_timestamp_seconds')).toBeLessThan(60);
    expect(text).not.toMatch(/other"/);
    expect(text).not.toMatch(/https?:\/\/|0x[0-9a-f]{8}/);
  });
});
