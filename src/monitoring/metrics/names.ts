import { CHANNEL_SECTIONS } from '../../config/alerts-section.js';
import { REJECTION_REASONS } from '../../domain/decision.js';
import { FEED_KINDS } from '../../domain/feed-kinds.js';
import { STAGES } from '../../domain/pass-trace.js';
import { CAUSES } from '../../domain/safety.js';
import { counter, gauge, seconds, type LabelsOf, type NamesOf } from './definition.js';

const ENDPOINTS = ['primary', 'backup', 'archive'] as const;
const STATES = ['NORMAL', 'THROTTLED', 'HALTED'] as const;
const OUTCOMES = ['won', 'lost', 'stale', 'refused', 'malfunction'] as const;
const REASONS = Object.keys(REJECTION_REASONS);
/** Budgets of debt and of losses, in USD. */
const USD_BUDGETS = ['single-execution', 'daily-volume', 'daily-loss'] as const;
/** Budgets of fees, in the native token. */
const ETH_BUDGETS = ['transaction-fee', 'daily-fee', 'wallet-share'] as const;
const CONFIGURED = { from: 'configuration' } as const;
const BUILD = { from: 'build' } as const;

/** The methods of JSON-RPC that the bot uses. `batch`: several of them in one request. */
export const RPC_METHODS = [
  ...[
    'batch',
    'eth_blockNumber',
    'eth_call',
    'eth_chainId',
    'eth_feeHistory',
    'eth_getBalance',
    'eth_getBlockByHash',
  ],
  ...['eth_getBlockByNumber', 'eth_getCode', 'eth_getLogs', 'eth_getTransactionByHash'],
  ...['eth_getTransactionCount', 'eth_getTransactionReceipt', 'eth_sendRawTransaction', 'eth_simulateV1'],
] as const;
/** `ok`: answered, also by a revert. The others: why the endpoint did not serve (rpc/rpc-errors.ts). */
export const RPC_RESULTS = [
  ...['ok', 'refused', 'rate-limit', 'provider', 'timeout', 'bad-answer', 'out-of-sync', 'batch-refused'],
] as const;
/** Kinds of factories: liquidity/pool-kinds.ts. */
const POOL_KINDS = ['uniswap-v3', 'pancake-v3', 'slipstream', 'solidly'] as const;
const SEVERITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'] as const;
/** Kinds of channels: config/alerts-section.ts. */
const CHANNELS = Object.keys(CHANNEL_SECTIONS);
/** `journal`: of the rows that wait for the database, those on the local disk. */
const QUEUES = ['heads', 'in-flight', 'database-writes', 'journal', 'safety-changes', 'alerts'] as const;

/**
 * Every metric: its type, what it says, its unit and the values of its labels. Nothing else is exported.
 * `npx chimera metrics list` lists them, and docs/metrics.md has them as a table. Counters start at 0 with
 * the process.
 */
export const METRICS = {
  // --- state
  chimera_build_info: gauge('Always 1; the labels say which program runs.', '0 or 1', {
    version: BUILD,
    commit: BUILD,
    node: BUILD,
  }),
  chimera_mode: gauge('1 for the mode of execution, 0 for the other one.', '0 or 1', {
    mode: ['dry-run', 'live'],
  }),
  chimera_phase: gauge('1 for the phase of the process, 0 for the others.', '0 or 1', {
    phase: ['starting', 'running', 'stopping'],
  }),
  chimera_safety_state: gauge('1 for the safety state, 0 for the others.', '0 or 1', { state: STATES }),
  chimera_safety_changes_total: counter('Changes of the safety state, by the new one.', 'count', {
    state: STATES,
  }),
  chimera_safety_concern: gauge(
    'What is wrong, by cause: 1 when it throttles, 2 when it halts, 0 when it is well.',
    'count',
    {
      cause: CAUSES,
    },
  ),
  chimera_consecutive_failures: gauge('Malfunctions in a row.'),
  chimera_lease: gauge('1 for what this process is to its wallet, 0 for the others.', '0 or 1', {
    role: ['leader', 'taking-over', 'standby', 'dry-run'],
  }),
  chimera_lease_changes_total: counter(
    'How often this process got the lease of the wallet, or lost it.',
    'count',
    {
      change: ['acquired', 'lost'],
    },
  ),
  chimera_database_up: gauge('0 while the database does not serve.', '0 or 1'),
  chimera_database_away_seconds: gauge(
    'Since the first statement that failed, with none answered since; 0 while the database serves.',
    'seconds',
  ),
  chimera_database_latency_seconds: gauge(
    'How long the last answer to the probe took, or how long the present one has been awaited.',
    'seconds',
  ),
  chimera_cache_up: gauge('0 while Redis does not answer, and the cache is in memory.', '0 or 1'),

  // --- money
  chimera_outcomes_total: counter('What became of our transactions.', 'count', { outcome: OUTCOMES }),
  chimera_settlements_total: counter('Our transactions that ended, by what the chain says.', 'count', {
    status: ['succeeded', 'reverted', 'dropped', 'cancelled'],
  }),
  chimera_executions_reopened_total: counter(
    'Outcomes that a reorg took back, by what the chain had said. They count again when they are settled again.',
    'count',
    { status: ['succeeded', 'reverted', 'cancelled'] },
  ),
  chimera_simulated_profit_usd_total: counter('Net profit of what was won, as simulated.', 'usd'),
  chimera_realised_profit_usd_total: counter('Net profit of what was won, by the receipts.', 'usd'),
  chimera_losses_usd_total: counter('What was paid without a profit.', 'usd'),
  chimera_fees_paid_eth_total: counter(
    'Fees by the receipts; the bid is the priority fee, gas the rest of the L2 fee.',
    'eth',
    { fee: ['gas', 'bid', 'l1', 'operator'] },
  ),
  chimera_fees_lost_eth_total: counter('Fees of transactions that won nothing.', 'eth'),
  chimera_planned_costs_usd_total: counter(
    'Costs of plans, as simulated. What pools and lenders keep is not subtracted again.',
    'usd',
    { cost: ['gas', 'bid', 'l1', 'operator', 'pool', 'lender'] },
  ),
  chimera_planned_profit_usd_total: counter('Net profit of plans, as simulated.', 'usd'),
  chimera_inclusion_ratio: gauge(
    'Won of sent, over the last executions; a lost race weighs less. Absent while there are too few.',
    'ratio',
  ),
  chimera_own_inclusion_ratio: gauge('The same without lost races. Absent while there are too few.', 'ratio'),
  chimera_accuracy_ratio: gauge(
    'Realised of simulated profit, over the last wins. Absent while there are too few.',
    'ratio',
  ),
  chimera_rated_executions: gauge('How many executions count in the inclusion.'),
  chimera_win_ratio: gauge(
    'Won of won and lost, in the last 24 hours; absent before the first race.',
    'ratio',
  ),
  chimera_wallet_balance_eth: gauge('What the operator wallet holds, as last read.', 'eth'),
  chimera_wallet_minimum_eth: gauge('With less nothing is signed: safety.minOperatorBalanceEth.', 'eth'),
  chimera_budget_limit_usd: gauge('Limits in USD.', 'usd', { budget: USD_BUDGETS }),
  chimera_budget_used_usd: gauge('What is used of the limit today, with what is in flight.', 'usd', {
    budget: USD_BUDGETS,
  }),
  chimera_budget_limit_eth: gauge('Limits in the native token.', 'eth', { budget: ETH_BUDGETS }),
  chimera_budget_used_eth: gauge('What is used of the limit now, with what is in flight.', 'eth', {
    budget: ETH_BUDGETS,
  }),
  chimera_in_flight_limit: gauge('How many transactions may be in flight, after the last outcomes.'),
  chimera_bid_gross_share_ratio: gauge(
    'The share of the gross profit that the bid model by-inclusion offers. Absent with another model.',
    'ratio',
  ),
  chimera_bid_share_ratio: gauge('The share of each bid that is offered, after the last outcomes.', 'ratio'),

  // --- work
  chimera_passes_total: counter('Passes that came to their end.'),
  chimera_pass_failures_total: counter(
    'Errors of passes and of the work beside them, by what followed.',
    'count',
    {
      consequence: ['retry', 'skip', 'halt'],
    },
  ),
  chimera_failed_passes_in_a_row: gauge('Passes that failed since one succeeded.'),
  chimera_last_good_pass_timestamp_seconds: gauge(
    'When a pass last came to its end, in seconds since 1970; at the start, when the process started.',
    'timestamp',
  ),
  chimera_positions: gauge('Borrowers with debt that are followed.'),
  chimera_watched_positions: gauge(
    'Positions below detector.watchBelowHealthFactor, in the last comparison.',
  ),
  chimera_liquidatable_positions: gauge('Positions with a health factor below 1, in the last pass.'),
  chimera_set_aside_positions: gauge('Positions about which our books and the chain differ.'),
  chimera_skipped_positions: gauge('Positions that the last pass left alone, by reason.', 'count', {
    reason: REASONS,
  }),
  chimera_pools: gauge(
    'Pools that are followed by their logs, or left out because they hold too little.',
    'count',
    {
      kind: POOL_KINDS,
      state: ['followed', 'left-out'],
    },
  ),
  chimera_unread_pools: gauge('Pools that are followed, and not used because they have to be read.'),
  chimera_pools_compared_timestamp_seconds: gauge(
    'When some pools were compared with the chain last, in seconds since 1970.',
    'timestamp',
  ),
  chimera_pool_differences_total: counter(
    'Pools that were not as the chain says; they are read again.',
    'count',
    {
      kind: POOL_KINDS,
    },
  ),
  chimera_incomplete_markets: gauge('Markets of which it is not proven that every borrower is known.'),
  chimera_refused_markets: gauge('Markets whose rules are not known. Nothing of them is liquidated.'),
  chimera_feeds: gauge('Feeds behind the prices of a market, by who sees a new price first.', 'count', {
    market: CONFIGURED,
    kind: FEED_KINDS,
  }),
  chimera_feed_debt_ratio: gauge(
    'The share of the debt of a market whose prices come from such a feed; each position counts once.',
    'ratio',
    {
      market: CONFIGURED,
      kind: FEED_KINDS,
    },
  ),
  chimera_backfill_blocks_left: gauge(
    'Blocks that the search for borrowers has not looked through.',
    'blocks',
    {
      market: CONFIGURED,
    },
  ),
  chimera_divergences_total: counter('Positions that differed from the chain at a second look.'),
  chimera_opportunities_total: counter(
    'Positions whose health factor fell below 1: once, as long as they stay there.',
  ),
  chimera_rejections_total: counter(
    'Positions that were named as left alone, by reason: once while the reason stays.',
    'count',
    { reason: REASONS },
  ),
  chimera_plans_total: counter('Plans that were handed to execution, by market.', 'count', {
    market: CONFIGURED,
  }),
  chimera_dry_runs_total: counter('Plans that would have been sent.'),
  chimera_transactions_sent_total: counter('Transactions that were handed over, by door.', 'count', {
    door: CONFIGURED,
  }),
  chimera_transactions_replaced_total: counter(
    'Transactions that were signed again under their nonce.',
    'count',
    {
      kind: ['bump', 'cancellation'],
    },
  ),
  chimera_writes_dropped_total: counter('Rows that were left out because too many waited for the database.'),
  chimera_queue_depth: gauge('What waits in a queue.', 'count', { queue: QUEUES }),

  // --- latency
  chimera_stage_seconds: seconds(
    'How long each stage took: the stages of a pass, and of each transaction record, send and mined.',
    { stage: STAGES },
  ),
  chimera_head_to_send_seconds: seconds('From the arrival of a head to the hand-over of a transaction.'),
  chimera_pass_seconds: seconds('From the arrival of a head to the end of its pass.'),

  // --- chain
  chimera_head_block: gauge('The newest block that is known.', 'block number'),
  chimera_head_age_seconds: gauge('Our clock less the time of the newest block.', 'seconds'),
  chimera_native_price_age_seconds: gauge(
    'From the round of the price of the native token to the block of the last pass. Absent while there is none.',
    'seconds',
  ),
  chimera_native_price_kept: gauge(
    '1 while the feed of the native token gives no price, and its last good one is used.',
    '0 or 1',
  ),
  chimera_state_block: gauge('The block that the positions are at.', 'block number'),
  chimera_heads_by_polling: gauge('1 while heads are polled because no WebSocket gives them.', '0 or 1'),
  chimera_endpoint_up: gauge('1 while the endpoint may be used.', '0 or 1', { endpoint: ENDPOINTS }),
  chimera_endpoint_head_block: gauge('The newest block of the endpoint, at its last probe.', 'block number', {
    endpoint: ENDPOINTS,
  }),
  chimera_endpoint_lag_blocks: gauge('Blocks from the head of the endpoint to the newest one.', 'blocks', {
    endpoint: ENDPOINTS,
  }),
  chimera_rpc_calls_total: counter('Calls, by endpoint, method and result.', 'count', {
    endpoint: ENDPOINTS,
    method: RPC_METHODS,
    result: RPC_RESULTS,
  }),
  chimera_rpc_request_seconds: seconds('How long requests took, served or not.', {
    endpoint: ENDPOINTS,
    method: RPC_METHODS,
  }),
  chimera_websockets_lost_total: counter('WebSockets that were given up and opened again.', 'count', {
    endpoint: ENDPOINTS,
  }),

  // --- alerts
  chimera_alerts_active: gauge('Alerts that last.'),
  chimera_alerts_total: counter('Alerts that began, by severity.', 'count', { severity: SEVERITIES }),
  chimera_alert_deliveries_total: counter(
    'Attempts to deliver a message, by kind of channel and result.',
    'count',
    {
      kind: CHANNELS,
      result: ['ok', 'failed', 'given-up'],
    },
  ),
  chimera_alert_delivery_seconds: seconds('From the moment at which an alert began to its delivery.', {
    kind: CHANNELS,
  }),

  // --- process
  chimera_process_start_timestamp_seconds: gauge(
    'When the process started, in seconds since 1970.',
    'timestamp',
  ),
  chimera_process_cpu_seconds_total: counter('Processor time of the process, user and system.', 'seconds'),
  chimera_process_resident_memory_bytes: gauge('Memory of the process that is in RAM.', 'bytes'),
  chimera_process_heap_used_bytes: gauge('Memory that the JavaScript objects take.', 'bytes'),
  chimera_event_loop_delay_seconds: gauge(
    'How much later than due the process came to its work, in the last 10 s or more.',
    'seconds',
    { quantile: ['0.5', '0.99', '1'] },
  ),
  chimera_api_keys_refused_total: counter('Requests without a valid API key.'),
  chimera_exports_total: counter('Exports to CloudWatch, by result.', 'count', { result: ['ok', 'failed'] }),
} as const;

export type MetricName = keyof typeof METRICS;
export type CounterName = NamesOf<typeof METRICS, 'counter'>;
export type GaugeName = NamesOf<typeof METRICS, 'gauge'>;
export type HistogramName = NamesOf<typeof METRICS, 'histogram'>;
export type LabelsFor<Name extends MetricName> = LabelsOf<typeof METRICS, Name>;
