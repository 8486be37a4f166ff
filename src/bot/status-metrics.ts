import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import type { SpendingLimits } from '../domain/budget.js';
import { Clock } from '../domain/clock.js';
import { CAUSES } from '../domain/safety.js';
import { Metrics } from '../monitoring/metrics/metrics.js';
import { oneOf, type MetricSource, type Readings } from '../monitoring/metrics/metric-source.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { HeadStream } from '../rpc/heads/head-stream.js';
import { SafetyController } from '../safety/index.js';
import { BotStatusReader, type BotStatus } from './bot-status.js';

const BPS = 10_000;
const LEVELS = { THROTTLED: 1, HALTED: 2 } as const;

/** What the status says, as metrics. It is read only when somebody looks. */
@Injectable()
export class StatusMetrics implements MetricSource, OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly bot: BotStatusReader,
    private readonly safety: SafetyController,
    private readonly pool: RpcPool,
    private readonly heads: HeadStream,
    private readonly config: ChimeraConfig,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.metrics.readFrom(this);
  }

  readInto(readings: Readings): void {
    const status = this.bot.status();
    oneOf(readings, 'chimera_mode', ['dry-run', 'live'], (mode) => ({ mode }), status.mode);
    oneOf(
      readings,
      'chimera_phase',
      ['starting', 'running', 'stopping'],
      (phase) => ({ phase }),
      status.phase,
    );
    const roles = ['leader', 'taking-over', 'standby', 'dry-run'];
    oneOf(readings, 'chimera_lease', roles, (role) => ({ role }), status.lease.role);
    this.readSafety(readings);
    this.readRates(readings, status);
    this.readBudgets(readings, status);
    readPositions(readings, status);
    this.readChain(readings, status);
  }

  private readSafety(readings: Readings): void {
    const { state, consecutiveFailures, concerns } = this.safety.status();
    const states = ['NORMAL', 'THROTTLED', 'HALTED'];
    oneOf(readings, 'chimera_safety_state', states, (word) => ({ state: word }), state);
    readings.set('chimera_consecutive_failures', {}, consecutiveFailures);
    for (const cause of CAUSES) {
      const level = concerns.find((concern) => concern.cause === cause)?.level;
      readings.set('chimera_safety_concern', { cause }, level === undefined ? 0 : LEVELS[level]);
    }
  }

  /** A rate of too few executions does not count, so it is not shown. */
  private readRates(readings: Readings, { outcomes }: BotStatus): void {
    const { sample, ownSample, won, inclusionBps, ownInclusionBps, accuracyBps } = outcomes.rates;
    const { minRateSample } = this.config.safety;
    const ratio = (bps: number | undefined, of: number): number | undefined =>
      of < minRateSample || bps === undefined ? undefined : bps / BPS;
    readings.set('chimera_inclusion_ratio', {}, ratio(inclusionBps, sample));
    readings.set('chimera_own_inclusion_ratio', {}, ratio(ownInclusionBps, ownSample));
    readings.set('chimera_accuracy_ratio', {}, ratio(accuracyBps, won));
    readings.set('chimera_rated_executions', {}, sample);
  }

  private readBudgets(readings: Readings, status: BotStatus): void {
    const { safety } = this.config;
    const { limits, spent, reserved } = status.spending;
    const usd = (budget: string, limit: bigint, used?: bigint): void => {
      readings.set('chimera_budget_limit_usd', { budget }, limit);
      readings.set('chimera_budget_used_usd', { budget }, used);
    };
    const eth = (budget: string, limit: bigint, used?: bigint): void => {
      readings.set('chimera_budget_limit_eth', { budget }, limit);
      readings.set('chimera_budget_used_eth', { budget }, used);
    };
    const { maxSingleExecutionUsd8, maxDailyVolumeUsd8 } = this.safety.steering.limits;
    usd('single-execution', maxSingleExecutionUsd8);
    usd('daily-volume', maxDailyVolumeUsd8, this.safety.volume.todayUsd8);
    usd('daily-loss', limits.maxDailyLossUsd8, spent.lossUsd8 + reserved.lossUsd8);
    eth('transaction-fee', limits.maxFeePerTransactionWei);
    eth('daily-fee', limits.maxDailyFeeWei, spent.feeWei + reserved.feeWei);
    const balanceWei = status.operatorBalanceWei;
    if (balanceWei !== undefined) eth('wallet-share', walletShareWei(balanceWei, limits), reserved.feeWei);
    readings.set('chimera_wallet_balance_eth', {}, balanceWei);
    readings.set('chimera_wallet_minimum_eth', {}, safety.minOperatorBalanceWei);
    const { maxInFlight, bidShareBps, last24h, bids } = status.outcomes;
    readings.set('chimera_in_flight_limit', {}, maxInFlight);
    readings.set('chimera_bid_share_ratio', {}, bidShareBps / BPS);
    const grossShare = bids.shareBps === undefined ? undefined : bids.shareBps / BPS;
    readings.set('chimera_bid_gross_share_ratio', {}, grossShare);
    const { winRateBps } = last24h;
    readings.set('chimera_win_ratio', {}, winRateBps === undefined ? undefined : winRateBps / BPS);
  }

  private readChain(readings: Readings, status: BotStatus): void {
    const { via, head } = this.heads.status;
    const endpoints = this.pool.status();
    readings.flag('chimera_heads_by_polling', {}, via === 'polling');
    readings.set('chimera_state_block', {}, status.head?.number);
    readings.set('chimera_head_block', {}, head?.number);
    readings.set('chimera_native_price_age_seconds', {}, status.nativePrice?.ageSeconds);
    readings.flag('chimera_native_price_kept', {}, status.nativePrice?.isKept === true);
    const ageMs = head && this.clock.wallMs() - head.timestamp * 1_000;
    readings.set('chimera_head_age_seconds', {}, ageMs === undefined ? undefined : ageMs / 1_000);
    const newest = Math.max(head?.number ?? 0, ...endpoints.map((one) => one.head ?? 0));
    for (const { role: endpoint, state, head: known } of endpoints) {
      readings.flag('chimera_endpoint_up', { endpoint }, state === 'ok');
      readings.set('chimera_endpoint_head_block', { endpoint }, known);
      readings.set('chimera_endpoint_lag_blocks', { endpoint }, known === undefined ? known : newest - known);
    }
    readings.set('chimera_queue_depth', { queue: 'in-flight' }, status.inFlight);
  }
}

function readPositions(readings: Readings, status: BotStatus): void {
  readings.set('chimera_positions', {}, status.positions);
  readings.set('chimera_watched_positions', {}, status.watched);
  readings.set('chimera_liquidatable_positions', {}, status.liquidatable);
  readings.set('chimera_set_aside_positions', {}, status.setAside.length);
  readings.set('chimera_incomplete_markets', {}, status.incomplete.length);
  readings.set('chimera_refused_markets', {}, status.refused.length);
  for (const [reason, count] of Object.entries(status.skipped))
    readings.set('chimera_skipped_positions', { reason }, count);
  for (const { market, atBlock, toBlock } of status.backfill)
    readings.set('chimera_backfill_blocks_left', { market }, Math.max(0, toBlock - atBlock));
  readings.set('chimera_failed_passes_in_a_row', {}, status.failures.failedInARow);
  readings.set('chimera_queue_depth', { queue: 'heads' }, status.waitingHeads);
}

function walletShareWei(balanceWei: bigint, { maxWalletShareBps }: SpendingLimits): bigint {
  return (balanceWei * BigInt(maxWalletShareBps)) / BigInt(BPS);
}
