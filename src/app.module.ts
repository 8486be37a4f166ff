import { Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { LoggerModule } from 'nestjs-pino';
import { AlertsModule } from './alerts/alerts.module.js';
import { ApiModule } from './api/api.module.js';
import { BooksModule } from './books/books.module.js';
import { BotModule } from './bot/bot.module.js';
import { ChimeraConfigModule, secretTexts, type ChimeraConfig } from './config/index.js';
import { SecretScrubber } from './domain/secret-forms.js';
import type { Asset } from './domain/opportunity.js';
import { ExecutionModule } from './execution/index.js';
import { LenderBook } from './liquidity/lenders/lender-book.js';
import { LiquidityModule } from './liquidity/liquidity.module.js';
import { PoolBook } from './liquidity/pool-book.js';
import { withInsides, WrapperBook } from './liquidity/wrappers/wrapper-book.js';
import { MonitoringModule } from './monitoring/monitoring.module.js';
import { FeedBook } from './oracles/feed-book.js';
import { OraclesModule } from './oracles/oracles.module.js';
import { LendingMarkets } from './protocols/lending-market.js';
import { ProtocolsModule } from './protocols/protocols.module.js';
import type { FollowedParts } from './state/state-engine.js';
import { StateModule } from './state/state.module.js';
import { logParams } from './monitoring/log.js';

/** Wires the modules. Nothing is decided here. */
@Module({})
export class AppModule {
  /** @param scrubber knows the secrets of the configuration, and those that replace them later */
  static forRoot(
    config: ChimeraConfig,
    scrubber: SecretScrubber = new SecretScrubber(secretTexts(config)),
  ): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ChimeraConfigModule.forRoot(() => config, scrubber),
        ScheduleModule.forRoot(),
        MonitoringModule,
        stateModule(config),
        LoggerModule.forRoot(logParams(config.monitoring, scrubber)),
        ExecutionModule.of(ProtocolsModule),
        BotModule,
        AlertsModule,
        BooksModule,
        ApiModule,
      ],
    };
  }
}

/** The state of this application: the price feeds, the pools, lenders and wrappers, and the markets. */
function stateModule({ protocols }: ChimeraConfig): DynamicModule {
  return StateModule.of({
    imports: [OraclesModule, LiquidityModule, ProtocolsModule],
    inject: [FeedBook, PoolBook, LenderBook, WrapperBook, LendingMarkets],
    useFactory: (
      feeds: FeedBook,
      pools: PoolBook,
      lenders: LenderBook,
      wrappers: WrapperBook,
      { all }: LendingMarkets,
    ): FollowedParts => {
      const tokens = (): readonly Asset[] => all.flatMap((market) => market.tokens);
      pools.serve(() => withInsides(tokens(), wrappers.insides));
      lenders.serve(tokens);
      wrappers.serve((token) => all.map((market) => market.holderOf(token)).find(Boolean));
      return {
        before: [feeds, pools, lenders, wrappers],
        markets: all.map((market, index) => ({ market, fromBlock: protocols[index]?.fromBlock ?? 0 })),
      };
    },
  });
}
