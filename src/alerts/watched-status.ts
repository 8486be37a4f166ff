import { Injectable } from '@nestjs/common';
import { BotStatusReader, type BotStatus } from '../bot/bot-status.js';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import type { BotEvent } from '../domain/events/events.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { SafetyController } from '../safety/index.js';
import type { Watched } from './watched.js';

type Rates = BotStatus['outcomes']['rates'];

/** Takes what the rules look at from the parts of the bot. It only reads. */
@Injectable()
export class WatchedStatus {
  private phase: Watched['phase'] | undefined;
  private phaseSinceMs = 0;
  private databaseLostAtMs: number | undefined;

  constructor(
    private readonly bot: BotStatusReader,
    private readonly safety: SafetyController,
    private readonly pool: RpcPool,
    private readonly config: ChimeraConfig,
    private readonly clock: Clock,
  ) {}

  hear({ event }: BotEvent): void {
    if (event === 'database-lost') this.databaseLostAtMs ??= this.clock.monotonicMs();
    if (event === 'database-back') this.databaseLostAtMs = undefined;
  }

  read(): Watched {
    const nowMs = this.clock.monotonicMs();
    const bot = this.bot.status();
    const status = this.safety.status();
    const limits = this.config.safety;
    if (bot.phase !== this.phase) [this.phase, this.phaseSinceMs] = [bot.phase, nowMs];
    const { failedInARow, failingSinceMs, runningSinceMs, lastError } = bot.failures;
    const { spent, reserved } = bot.spending;
    return {
      phase: bot.phase,
      phaseForMs: nowMs - this.phaseSinceMs,
      safety: { ...status, resumesAfterSeconds: limits.resumeAfterSeconds },
      rates: ratesOf(bot.outcomes.rates, limits),
      walletWei: bot.operatorBalanceWei,
      minWalletWei: limits.minOperatorBalanceWei,
      databaseAwayMs: this.databaseLostAtMs === undefined ? undefined : nowMs - this.databaseLostAtMs,
      volume: {
        usedUsd8: this.safety.volume.todayUsd8,
        limitUsd8: this.safety.steering.limits.maxDailyVolumeUsd8,
      },
      loss: { usedUsd8: spent.lossUsd8 + reserved.lossUsd8, limitUsd8: limits.maxDailyLossUsd8 },
      passes: { failedInARow, failingSinceMs, runningSinceMs, lastError },
      endpoints: this.pool.status(),
      setAside: bot.setAside,
      incomplete: bot.incomplete.map(({ market }) => market),
      refused: bot.refused,
      lease: bot.lease,
      nonceInQuestion: bot.skipped['nonce-in-question'] ?? 0,
    };
  }
}

/** A rate of too few executions is not known. */
function ratesOf(
  { inclusionBps, accuracyBps, sample, won }: Rates,
  limits: ChimeraConfig['safety'],
): Watched['rates'] {
  const { minRateSample, haltInclusionBps, throttleInclusionBps, haltAccuracyBps, throttleAccuracyBps } =
    limits;
  return {
    inclusionBps: sample >= minRateSample ? inclusionBps : undefined,
    accuracyBps: won >= minRateSample ? accuracyBps : undefined,
    ...{ sample, won, haltInclusionBps, throttleInclusionBps, haltAccuracyBps, throttleAccuracyBps },
  };
}
