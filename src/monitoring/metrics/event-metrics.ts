import { Injectable } from '@nestjs/common';
import { Clock } from '../../domain/clock.js';
import type { BotEvent, EventNamed } from '../../domain/events/events.js';
import type { EventSubscriber } from '../broadcast.js';
import { MetricBook } from './metric-book.js';

type Counting = {
  readonly [Name in BotEvent['event']]?: (event: EventNamed<Name>, book: MetricBook) => void;
};

/** Which events change which counters and histograms. What a histogram shows of a time is in seconds. */
const COUNTING: Counting = {
  'safety-changed': ({ to }, book) => book.count('chimera_safety_changes_total', { state: to }),
  'lease-acquired': (_, book) => book.count('chimera_lease_changes_total', { change: 'acquired' }),
  'lease-lost': (_, book) => book.count('chimera_lease_changes_total', { change: 'lost' }),

  pass: ({ appeared, tookMs }, book) => {
    book.count('chimera_passes_total', {});
    book.count('chimera_opportunities_total', {}, appeared);
    book.observe('chimera_pass_seconds', {}, tookMs / 1_000);
  },
  'stages-timed': ({ stages }, book) => {
    for (const { stage, ms } of stages) book.observe('chimera_stage_seconds', { stage }, ms / 1_000);
  },
  'pass-failed': ({ consequence }, book) => book.count('chimera_pass_failures_total', { consequence }),
  'position-skipped': ({ reason }, book) => book.count('chimera_rejections_total', { reason }),
  'plan-ready': (plan, book) => {
    book.count('chimera_plans_total', { market: plan.protocol });
    book.count('chimera_planned_profit_usd_total', {}, BigInt(plan.netProfitUsd8));
    const costs = {
      gas: plan.gasUsd8,
      bid: plan.bidUsd8,
      l1: plan.l1FeeUsd8,
      operator: plan.operatorFeeUsd8,
      pool: plan.poolFeeUsd8,
      lender: plan.lenderFeeUsd8,
    };
    for (const [cost, usd8] of Object.entries(costs))
      book.count('chimera_planned_costs_usd_total', { cost }, BigInt(usd8));
  },
  'dry-run': (_, book) => book.count('chimera_dry_runs_total', {}),
  'pool-differs': ({ kind }, book) => book.count('chimera_pool_differences_total', { kind }),
  divergence: (_, book) => book.count('chimera_divergences_total', {}),

  'transaction-sent': ({ door, headToSendUs }, book) => {
    book.count('chimera_transactions_sent_total', { door });
    book.observe('chimera_head_to_send_seconds', {}, headToSendUs / 1_000_000);
  },
  'transaction-replaced': ({ kind }, book) => book.count('chimera_transactions_replaced_total', { kind }),
  'execution-settled': (settled, book) => {
    book.count('chimera_outcomes_total', { outcome: settled.outcome });
    book.count('chimera_settlements_total', { status: settled.status });
    countMoney(settled, book);
  },
  'execution-reopened': ({ was, reported }, book) => {
    if (reported) book.count('chimera_executions_reopened_total', { status: was });
  },

  'rpc-request': ({ endpoint, methods, result, tookMs }, book) => {
    const [first = ''] = methods;
    const alike = methods.every((one) => one === first);
    if (alike) book.count('chimera_rpc_calls_total', { endpoint, method: first, result }, methods.length);
    else for (const method of methods) book.count('chimera_rpc_calls_total', { endpoint, method, result });
    const method = alike ? first : 'batch';
    book.observe('chimera_rpc_request_seconds', { endpoint, method }, tookMs / 1_000);
  },
  'websocket-lost': ({ endpoint }, book) => book.count('chimera_websockets_lost_total', { endpoint }),
  'alert-raised': ({ severity, repeat }, book) => {
    if (repeat === 0) book.count('chimera_alerts_total', { severity });
  },
  'alert-sent': ({ kind, latencyMs }, book) => {
    book.count('chimera_alert_deliveries_total', { kind, result: 'ok' });
    book.observe('chimera_alert_delivery_seconds', { kind }, latencyMs / 1_000);
  },
  'alert-failed': ({ kind, retryInMs }, book) => {
    const result = retryInMs === undefined ? 'given-up' : 'failed';
    book.count('chimera_alert_deliveries_total', { kind, result });
  },
  'api-key-refused': (_, book) => book.count('chimera_api_keys_refused_total', {}),
};

function countMoney(
  { outcome, fees, realisedProfitUsd8 = '0', simulatedNetProfitUsd8 }: EventNamed<'execution-settled'>,
  book: MetricBook,
): void {
  const realisedUsd8 = BigInt(realisedProfitUsd8);
  if (outcome === 'won') {
    book.count('chimera_simulated_profit_usd_total', {}, notNegative(BigInt(simulatedNetProfitUsd8)));
    book.count('chimera_realised_profit_usd_total', {}, notNegative(realisedUsd8));
  }
  book.count('chimera_losses_usd_total', {}, notNegative(-realisedUsd8));
  if (!fees) return;
  const paidWei = {
    gas: BigInt(fees.gasWei),
    bid: BigInt(fees.bidWei),
    l1: BigInt(fees.l1Wei),
    operator: BigInt(fees.operatorWei),
  };
  for (const [fee, wei] of Object.entries(paidWei)) {
    book.count('chimera_fees_paid_eth_total', { fee }, wei);
    if (outcome !== 'won') book.count('chimera_fees_lost_eth_total', {}, wei);
  }
}

/** A counter never falls. */
function notNegative(amount: bigint): bigint {
  return amount < 0n ? 0n : amount;
}

/** So many transactions are timed at once. More are never in flight. */
const MOST_TIMED = 2_000;

/** What has become of the database, the cache and the passes, as the last events say. */
export interface LastNews {
  readonly databaseUp: boolean;
  readonly cacheUp: boolean;
  /** Milliseconds since the epoch; undefined before the first. */
  readonly lastGoodPassAtMs: number | undefined;
}

/** Turns the events of the bot into metrics. */
@Injectable()
export class EventMetrics implements EventSubscriber {
  /** When each transaction in flight was handed over: monotonic milliseconds, by its execution. */
  private readonly sentAtMs = new Map<string, number>();
  private databaseUp = true;
  private cacheUp = true;
  private lastGoodPassAtMs: number | undefined;

  constructor(
    private readonly book: MetricBook,
    private readonly clock: Clock,
  ) {}

  get news(): LastNews {
    const { databaseUp, cacheUp, lastGoodPassAtMs } = this;
    return { databaseUp, cacheUp, lastGoodPassAtMs };
  }

  hear(event: BotEvent): void {
    // The table gives each name the function for its own events.
    const count = COUNTING[event.event] as ((event: BotEvent, book: MetricBook) => void) | undefined;
    count?.(event, this.book);
    this.remember(event);
  }

  private remember(event: BotEvent): void {
    switch (event.event) {
      case 'pass':
        this.lastGoodPassAtMs = this.clock.wallMs();
        return;
      case 'database-lost':
      case 'database-back':
        this.databaseUp = event.event === 'database-back';
        return;
      case 'cache-lost':
      case 'cache-back':
        this.cacheUp = event.event === 'cache-back';
        return;
      case 'transaction-sent':
        if (this.sentAtMs.size < MOST_TIMED) this.sentAtMs.set(event.executionId, this.clock.monotonicMs());
        return;
      case 'execution-settled':
        this.timeMined(event);
    }
  }

  private timeMined({ executionId, block }: EventNamed<'execution-settled'>): void {
    const sentAtMs = this.sentAtMs.get(executionId);
    this.sentAtMs.delete(executionId);
    if (sentAtMs === undefined || block === undefined) return;
    const seconds = (this.clock.monotonicMs() - sentAtMs) / 1_000;
    this.book.observe('chimera_stage_seconds', { stage: 'mined' }, seconds);
  }
}
