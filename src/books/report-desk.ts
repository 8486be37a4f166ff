import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { AlertDesk } from '../alerts/alert-desk.js';
import { BotStatusReader, type BotStatus } from '../bot/bot-status.js';
import { ChimeraConfig } from '../config/index.js';
import { ReportsRepository } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { RetryError } from '../domain/errors.js';
import { SafetyController, TierReview } from '../safety/index.js';
import { duePeriods, type ReportPeriod } from './period.js';
import { reportOf, type Standing } from './report.js';

const LOOK_MS = 60_000;

/**
 * Sends the report of each day and of each week, once: the table `reports` says which were made, also to a
 * process that takes over. A stand-by makes none. While the database is away it waits.
 */
@Injectable()
export class ReportDesk implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly log = new Logger(ReportDesk.name);
  private timer: NodeJS.Timeout | undefined;
  private isLooking = false;

  constructor(
    private readonly reports: ReportsRepository,
    private readonly bot: BotStatusReader,
    private readonly safety: SafetyController,
    private readonly tiers: TierReview,
    private readonly desk: AlertDesk,
    private readonly config: ChimeraConfig,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Makes the reports that are due. Never throws. */
  async look(): Promise<void> {
    const status = this.bot.status();
    const { role } = status.lease;
    if (this.isLooking || status.phase !== 'running' || (role !== 'leader' && role !== 'dry-run')) return;
    this.isLooking = true;
    try {
      for (const period of duePeriods(this.clock.wallMs(), this.config.alerts.reportHour))
        await this.make(period, status);
    } catch (error) {
      // The database tells itself that it is away. The next look tries again.
      if (!(error instanceof RetryError)) this.log.error(`a report was not made: ${String(error)}`);
    } finally {
      this.isLooking = false;
    }
  }

  private async make(period: ReportPeriod, status: BotStatus): Promise<void> {
    const { kind, day } = period;
    const owner = { chainId: this.config.network.chainId, wallet: status.operator };
    const wasMade = await this.reports.wasMade(owner, kind, day);
    if (wasMade === true) return;
    // At its very first start the bot has no day behind it.
    if (wasMade === false) {
      const figures = await this.reports.figures(owner, period);
      const { title, text, details } = reportOf(period, figures, this.standing(status));
      this.desk.notify({ key: `report-${kind}`, title, text, details }, `${kind}-${day}-${owner.wallet}`);
      await this.desk.stored();
    }
    await this.reports.made(owner, kind, day);
  }

  private standing({ mode, operatorBalanceWei, spending }: BotStatus): Standing {
    const { state, reason } = this.safety.status();
    const { tier, criteria } = this.tiers.status;
    const { maxDailyVolumeUsd8, maxDailyLossUsd8 } = this.config.safety;
    return {
      ...{ mode, state, tier, criteria, stateReason: reason, walletWei: operatorBalanceWei },
      volume: { usedUsd8: this.safety.volume.todayUsd8, limitUsd8: maxDailyVolumeUsd8 },
      loss: {
        usedUsd8: spending.spent.lossUsd8 + spending.reserved.lossUsd8,
        limitUsd8: maxDailyLossUsd8,
      },
    };
  }
}
