import { Global, Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { LoggerModule } from 'nestjs-pino';
import type { DestinationStream } from 'pino';
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
import { AssumedContract } from './rpc/endpoints/assumed-contract.js';
import { ProtocolsModule } from './protocols/protocols.module.js';
import type { FollowedParts } from './state/state-engine.js';
import { StateModule } from './state/state.module.js';
import { TelegramModule } from './telegram/telegram.module.js';
import { logParams } from './monitoring/log.js';

/** How a bot runs that is not the one of `npm start`. */
export interface RunOptions {
  /** Taken for granted in place of a deployed contract: nothing can be sent then. */
  readonly assumed?: AssumedContract | undefined;
  /** Where the log goes. Default: to standard output. */
  readonly log?: DestinationStream | undefined;
}

/** Wires the modules. Nothing is decided here. */
@Module({})
export class AppModule {
  /** @param scrubber knows the secrets of the configuration, and those that replace them later */
  static forRoot(
    config: ChimeraConfig,
    scrubber: SecretScrubber = new SecretScrubber(secretTexts(config)),
    { assumed, log }: RunOptions = {},
  ): DynamicModule {
    const logged = log
      ? logParams(config.monitoring, scrubber, false, log)
      : logParams(config.monitoring, scrubber);
    return {
      module: AppModule,
      imports: [
        ChimeraConfigModule.forRoot(() => config, scrubber),
        ScheduleModule.forRoot(),
        MonitoringModule,
        stateModule(config, assumed !== undefined),
        ...(assumed ? [AssumptionModule.of(assumed)] : []),
        LoggerModule.forRoot(logged),
        ExecutionModule.of(ProtocolsModule),
        BotModule,
        AlertsModule,
        BooksModule,
        TelegramModule,
        ApiModule,
      ],
    };
  }
}

/** Gives the assumed contract to those who ask nodes and to those who sign. */
@Global()
@Module({})
class AssumptionModule {
  static of(assumed: AssumedContract): DynamicModule {
    return {
      module: AssumptionModule,
      providers: [{ provide: AssumedContract, useValue: assumed }],
      exports: [AssumedContract],
    };
  }
}

/**
 * The state of this application: the price feeds, the pools, lenders and wrappers, and the markets.
 *
 * @param newestFirst who watches for a while wants those who are active to be found first.
 */
function stateModule({ protocols }: ChimeraConfig, newestFirst: boolean): DynamicModule {
  return StateModule.of({
    newestFirst,
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
