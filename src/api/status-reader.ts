import { Injectable } from '@nestjs/common';
import { BotStatusReader } from '../bot/bot-status.js';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { SafetyController, TierReview } from '../safety/index.js';
import { ServicesStatus } from './services-status.js';
import { steeringAnswer } from './steering-answer.js';
import {
  coverageAnswer,
  headAnswer,
  leaseAnswer,
  limitsAnswer,
  outcomesAnswer,
  passesAnswer,
  safetyAnswer,
  tierAnswer,
  type StatusAnswer,
} from './status-answer.js';

/** The state of the bot as it is told over HTTP. */
@Injectable()
export class StatusReader {
  constructor(
    private readonly bot: BotStatusReader,
    private readonly safety: SafetyController,
    private readonly tiers: TierReview,
    private readonly config: ChimeraConfig,
    private readonly clock: Clock,
    private readonly services: ServicesStatus,
  ) {}

  answer(): StatusAnswer {
    const nowMs = this.clock.wallMs();
    const bot = this.bot.status();
    const { positions, watched, liquidatable, inFlight, setAside } = bot;
    return {
      network: { name: this.config.network.name, chainId: this.config.network.chainId },
      mode: bot.mode,
      lease: leaseAnswer(bot.lease),
      phase: bot.phase,
      safety: safetyAnswer(this.safety.status()),
      head: headAnswer(bot.head, nowMs),
      sinceLastPassMs: bot.sinceLastPassMs ?? null,
      passes: passesAnswer(bot.failures),
      positions: { total: positions, near: watched, liquidatable, inFlight, setAside },
      backfill: bot.backfill,
      incomplete: bot.incomplete,
      refused: bot.refused,
      coverage: coverageAnswer(bot.coverage),
      outcomes: outcomesAnswer(bot.outcomes),
      counters: bot.counters,
      nativePrice: bot.nativePrice ?? null,
      skipped: bot.skipped,
      limits: limitsAnswer(this.safety.steering.limits, this.safety.volume.todayUsd8, bot.spending, nowMs),
      steering: steeringAnswer(this.safety.steering.settings),
      tier: tierAnswer(this.tiers.status),
      ...this.services.answer(nowMs),
    };
  }
}
