import { Injectable } from '@nestjs/common';
import { AlertDesk } from '../alerts/alert-desk.js';
import { sourceOf } from '../alerts/channels/channels.js';
import { summaryOf } from '../books/report.js';
import { BotStatusReader } from '../bot/bot-status.js';
import { EdgeWatch } from '../bot/edge-watch.js';
import { ChimeraConfig } from '../config/index.js';
import { ReportsRepository } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { min, WAD } from '../domain/money.js';
import type { SafetyStatus } from '../domain/safety.js';
import { duration, many, ratio, tokens, usd } from '../monitoring/told/figures.js';
import { SafetyController } from '../safety/index.js';

const HOUR_MS = 3_600_000;
const NEAR_WAD = (WAD * 105n) / 100n;
const MOST_POSITIONS = 15;
const MOST_ALERTS = 10;

/** What the bot says of itself over Telegram. It only reads. */
@Injectable()
export class TelegramAnswers {
  constructor(
    private readonly bot: BotStatusReader,
    private readonly safety: SafetyController,
    private readonly edge: EdgeWatch,
    private readonly reports: ReportsRepository,
    private readonly alerts: AlertDesk,
    private readonly config: ChimeraConfig,
    private readonly clock: Clock,
  ) {}

  status(): string {
    const { phase, mode, lease, head, sinceLastPassMs, positions, liquidatable, inFlight, ...rest } =
      this.bot.status();
    const lag = head && Math.round(this.clock.wallMs() / 1_000) - head.timestamp;
    const pass = sinceLastPassMs === undefined ? 'no pass yet' : `last pass ${duration(sinceLastPassMs)} ago`;
    const { won, lost, stale, refused, malfunction } = rest.outcomes.last24h.counts;
    const active = this.alerts.active.map(({ alert }) => `${alert.severity}: ${alert.title}`);
    return [
      `${sourceOf(this.config)} (chain ${this.config.network.chainId}), ${mode}, ${phase}, lease: ${lease.role}`,
      ...this.stateLines(this.safety.status()),
      head ? `Head: block ${head.number}, ${lag ?? 0} s behind the clock, ${pass}` : 'Head: none yet',
      `Positions: ${positions}, ${liquidatable} liquidatable, ${inFlight} in flight`,
      `Wallet: ${rest.operatorBalanceWei === undefined ? 'not read yet' : tokens(rest.operatorBalanceWei, 18, 'ETH')}`,
      `In 24 h: ${won} won, ${lost} lost, ${stale} stale, ${refused} refused, ${malfunction} malfunctions`,
      `Alerts: ${active.length === 0 ? 'none' : active.length}`,
      ...active.slice(0, MOST_ALERTS),
    ].join('\n');
  }

  /** The state, and what is wrong. */
  stateLines({ state, reason, actor, sinceMs, concerns }: SafetyStatus): string[] {
    const since = (atMs: number): string => duration(Math.max(0, this.clock.wallMs() - atMs));
    return [
      `State: ${state} for ${since(sinceMs)}: ${reason} (${actor})`,
      ...concerns.map((one) => `${one.level} for ${since(one.sinceMs)}: ${one.reason} (${one.actor})`),
    ];
  }

  /** @throws RetryError when the database is away. */
  async profit(): Promise<string> {
    const owner = { chainId: this.config.network.chainId, wallet: this.bot.status().operator };
    const to = new Date(this.clock.wallMs());
    const parts = await Promise.all(
      [24, 7 * 24].map(async (hours) => {
        const from = new Date(to.getTime() - hours * HOUR_MS);
        const when = hours === 24 ? 'The last 24 hours' : 'The last 7 days';
        const { title, text } = summaryOf(when, await this.reports.figures(owner, { from, to }));
        return `${title}\n${text}`;
      }),
    );
    return parts.join('\n\n');
  }

  async near(): Promise<string> {
    const belowWad = min(NEAR_WAD, this.edge.highestWad);
    const edge = await this.edge.below(belowWad);
    if (!edge) return 'No block has been read yet.';
    const lines = edge.positions
      .slice(0, MOST_POSITIONS)
      .map(
        ({ healthFactorWad, protocol, borrower, totalCollateralUsd8, totalDebtUsd8 }) =>
          `${ratio(healthFactorWad)} ${protocol} ${borrower}: ${usd(totalCollateralUsd8)} against ${usd(totalDebtUsd8)}`,
      );
    const listed = edge.total > lines.length ? `, ${lines.length} of them listed` : '';
    const title = `${many(edge.total, 'position')} below ${ratio(belowWad)} at block ${edge.block.number}${listed}`;
    return [title, ...lines].join('\n');
  }

  limits(): string {
    const { settings, limits } = this.safety.steering;
    const { spent, reserved, limits: budget } = this.bot.status().spending;
    const ether = (wei: bigint): string => tokens(wei, 18, 'ETH');
    return [
      `One execution: ${usd(limits.maxSingleExecutionUsd8)}`,
      `Volume today: ${usd(this.safety.volume.todayUsd8)} of ${usd(limits.maxDailyVolumeUsd8)}`,
      `Fees today: ${ether(spent.feeWei)} of ${ether(budget.maxDailyFeeWei)}, ${ether(reserved.feeWei)} reserved`,
      `Losses today: ${usd(spent.lossUsd8)} of ${usd(budget.maxDailyLossUsd8)}, ${usd(reserved.lossUsd8)} reserved`,
      ...settings.map((one) => {
        const what = one.kind === 'limit' ? `${one.name} ${usd(one.valueUsd8)}` : `${one.kind} ${one.name}`;
        return `Set: ${what}: ${one.reason} (${one.actor})`;
      }),
    ].join('\n');
  }
}
