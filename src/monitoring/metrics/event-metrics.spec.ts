import { beforeEach, describe, expect, it } from 'vitest';
import { TestClock } from '../../../testing/fakes/test-clock.js';
import type { EventNamed } from '../../domain/events/events.js';
import { EventMetrics } from './event-metrics.js';
import { MetricBook } from './metric-book.js';
import type { CounterName } from './names.js';
import { totalsOf } from './totals.js';

type Settled = EventNamed<'execution-settled'>;

const settled = (more: Partial<Settled>): Settled => ({
  event: 'execution-settled',
  executionId: '1',
  borrower: '0x01',
  hash: '0x02',
  outcome: 'won',
  status: 'succeeded',
  reason: undefined,
  rival: undefined,
  block: 7,
  realisedProfitUsd8: undefined,
  simulatedNetProfitUsd8: '1',
  fees: undefined,
  ...more,
});

const reopened = (
  was: EventNamed<'execution-reopened'>['was'],
  reported: boolean,
): EventNamed<'execution-reopened'> => ({
  event: 'execution-reopened',
  executionId: '1',
  borrower: '0x01',
  hash: '0x02',
  was,
  realisedProfitUsd8: undefined,
  block: 7,
  reported,
});

const sent = (executionId: string): EventNamed<'transaction-sent'> => ({
  event: 'transaction-sent',
  executionId,
  borrower: '0x01',
  hash: '0x02',
  nonce: 1,
  door: 'public',
  headToSendUs: 12_500,
  recordUs: 4_000,
  cpuUs: 6_000,
});

const FEES = { gasWei: '100', bidWei: '20', l1Wei: '3', operatorWei: '1' };

describe('the metrics of events', () => {
  let book: MetricBook;
  let clock: TestClock;
  let metrics: EventMetrics;
  let measured: [string, object, number][];
  const nonZero = (name: CounterName): object[] =>
    [...book.samples(name)]
      .filter(({ value }) => Number(value) !== 0)
      .map(({ labels, value }) => ({ ...labels, value }));

  beforeEach(() => {
    book = new MetricBook();
    clock = new TestClock();
    metrics = new EventMetrics(book, clock);
    measured = [];
    book.observeWith((name, labels, seconds) => measured.push([name, labels, seconds]));
  });

  it('totals: outcomes by the events of their settlements', () => {
    for (const status of ['succeeded', 'reverted', 'dropped', 'cancelled'] as const)
      metrics.hear(settled({ status }));
    expect(totalsOf(book)).toMatchObject({ succeeded: 1, failed: 3, sent: 0 });
  });

  it('totals: take back an outcome that this process reported, and no other', () => {
    metrics.hear(settled({ status: 'succeeded' }));
    metrics.hear(settled({ status: 'reverted', outcome: 'lost' }));
    metrics.hear(reopened('succeeded', true));
    metrics.hear(reopened('reverted', true));
    metrics.hear(reopened('succeeded', false));
    expect(totalsOf(book)).toMatchObject({ succeeded: 0, failed: 0 });
    expect(nonZero('chimera_executions_reopened_total')).toEqual([
      { status: 'succeeded', value: 1 },
      { status: 'reverted', value: 1 },
    ]);
  });

  it('F48 the fees of a revert are lost, those of a win are not', () => {
    metrics.hear(settled({ fees: FEES, realisedProfitUsd8: '900', simulatedNetProfitUsd8: '1000' }));
    metrics.hear(settled({ status: 'reverted', outcome: 'lost', fees: FEES, realisedProfitUsd8: '-50' }));
    expect(nonZero('chimera_fees_paid_eth_total')).toEqual([
      { fee: 'gas', value: 200n },
      { fee: 'bid', value: 40n },
      { fee: 'l1', value: 6n },
      { fee: 'operator', value: 2n },
    ]);
    expect(nonZero('chimera_fees_lost_eth_total')).toEqual([{ value: 124n }]);
    expect(nonZero('chimera_losses_usd_total')).toEqual([{ value: 50n }]);
    expect(nonZero('chimera_realised_profit_usd_total')).toEqual([{ value: 900n }]);
    expect(nonZero('chimera_simulated_profit_usd_total')).toEqual([{ value: 1000n }]);
  });

  it('a win that fees made a loss is a loss, and no counter falls', () => {
    metrics.hear(settled({ fees: FEES, realisedProfitUsd8: '-7' }));
    expect(nonZero('chimera_losses_usd_total')).toEqual([{ value: 7n }]);
    expect(nonZero('chimera_realised_profit_usd_total')).toEqual([]);
  });

  it('times a transaction from its hand-over to its receipt, and one that was not mined not at all', () => {
    metrics.hear(sent('1'));
    metrics.hear(sent('2'));
    clock.advance(4_000);
    metrics.hear(settled({ executionId: '1' }));
    metrics.hear(settled({ executionId: '2', status: 'dropped', outcome: 'stale', block: undefined }));
    metrics.hear(settled({ executionId: '3' }));
    expect(measured).toEqual([
      ['chimera_head_to_send_seconds', {}, 0.0125],
      ['chimera_head_to_send_seconds', {}, 0.0125],
      ['chimera_stage_seconds', { stage: 'mined' }, 4],
    ]);
  });

  it('counts each call of a batch by its method, and times the batch once', () => {
    const request = { event: 'rpc-request', endpoint: 'backup', tookMs: 30 } as const;
    metrics.hear({ ...request, methods: ['eth_call', 'eth_call'], result: 'ok' });
    metrics.hear({ ...request, methods: ['eth_call', 'debug_x'], result: 'timeout' });
    expect(nonZero('chimera_rpc_calls_total')).toEqual([
      { endpoint: 'backup', method: 'eth_call', result: 'ok', value: 2 },
      { endpoint: 'backup', method: 'eth_call', result: 'timeout', value: 1 },
      { endpoint: 'backup', method: 'other', result: 'timeout', value: 1 },
    ]);
    expect(measured).toEqual([
      ['chimera_rpc_request_seconds', { endpoint: 'backup', method: 'eth_call' }, 0.03],
      ['chimera_rpc_request_seconds', { endpoint: 'backup', method: 'batch' }, 0.03],
    ]);
  });

  it('F37 counts attempts of delivery by kind of channel, and times what arrived', () => {
    const message = { channel: 'pager', kind: 'pagerduty', severity: 'CRITICAL', key: 'k' } as const;
    metrics.hear({ event: 'alert-failed', ...message, attempts: 1, reason: 'HTTP 500', retryInMs: 1_000 });
    metrics.hear({ event: 'alert-sent', ...message, attempts: 2, latencyMs: 1_500 });
    metrics.hear({
      event: 'alert-failed',
      ...message,
      kind: 'pigeon',
      attempts: 9,
      reason: 'x',
      retryInMs: undefined,
    });
    expect(nonZero('chimera_alert_deliveries_total')).toEqual([
      { kind: 'pagerduty', result: 'ok', value: 1 },
      { kind: 'pagerduty', result: 'failed', value: 1 },
      { kind: 'other', result: 'given-up', value: 1 },
    ]);
    expect(measured).toEqual([['chimera_alert_delivery_seconds', { kind: 'pagerduty' }, 1.5]]);
  });

  it('F28 remembers whether the database serves, and when a pass was last good', () => {
    expect(metrics.news).toEqual({ databaseUp: true, cacheUp: true, lastGoodPassAtMs: undefined });
    metrics.hear({ event: 'database-lost', message: 'away' });
    metrics.hear({
      event: 'pass',
      block: 1,
      positions: 1,
      liquidatable: 2,
      appeared: 1,
      planned: 0,
      tookMs: 80,
    });
    expect(metrics.news).toMatchObject({ databaseUp: false, lastGoodPassAtMs: clock.wallMs() });
    metrics.hear({ event: 'database-back' });
    expect(metrics.news.databaseUp).toBe(true);
    expect(nonZero('chimera_opportunities_total')).toEqual([{ value: 1 }]);
  });
});
