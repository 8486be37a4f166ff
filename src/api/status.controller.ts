import { Controller, Get } from '@nestjs/common';
import { BotStatusReader } from '../bot/bot-status.js';
import { FeedWatch } from '../bot/feed-watch.js';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { SafetyController, TierReview } from '../safety/index.js';
import { Access } from './access.js';
import { Described } from './described.js';
import { ServicesStatus } from './services-status.js';
import { feedsAnswer } from './feeds-answer.js';
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

@Access('viewer')
@Controller('api/v1/status')
export class StatusController {
  constructor(
    private readonly bot: BotStatusReader,
    private readonly safety: SafetyController,
    private readonly tiers: TierReview,
    private readonly config: ChimeraConfig,
    private readonly clock: Clock,
    private readonly services: ServicesStatus,
    private readonly feeds: FeedWatch,
  ) {}

  @Described({
    summary: 'The state of the bot, the chain, the endpoints and the limits',
    answer: 'StatusAnswer',
  })
  @Get()
  status(): StatusAnswer {
    const nowMs = this.clock.wallMs();
    const bot = this.bot.status();
    const { positions, liquidatable, inFlight } = bot;
    return {
      network: { name: this.config.network.name, chainId: this.config.network.chainId },
      mode: bot.mode,
      lease: leaseAnswer(bot.lease),
      phase: bot.phase,
      safety: safetyAnswer(this.safety.status()),
      head: headAnswer(bot.head, nowMs),
      sinceLastPassMs: bot.sinceLastPassMs ?? null,
      passes: passesAnswer(bot.failures),
      positions: { total: positions, liquidatable, inFlight, setAside: bot.setAside },
      backfill: bot.backfill,
      incomplete: bot.incomplete,
      refused: bot.refused,
      coverage: coverageAnswer(bot.coverage),
      feeds: this.feeds.markets.map(feedsAnswer),
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
