import { Module } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';
import { WAD } from '../domain/money.js';
import { PastLiquidations } from '../domain/past-liquidations.js';
import { FeedBook } from '../oracles/feed-book.js';
import { FeedSurvey } from '../oracles/feed-survey.js';
import { OraclesModule } from '../oracles/oracles.module.js';
import { PriceGuard } from '../oracles/price-guard.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcModule } from '../rpc/rpc.module.js';
import { LendingMarkets } from './lending-market.js';
import { marketOf, tokenPricesOf } from './market-kinds.js';
import { MarketLiquidations } from './market-liquidations.js';
import { MarketSurvey } from './market-survey.js';
import { RefusableMarket } from './refusable-market.js';

/**
 * Everything that differs between lending protocols: maths, events, reads and positions, one folder a family.
 * It must never decide whether a liquidation is worth doing.
 */
@Module({
  imports: [RpcModule, OraclesModule],
  providers: [
    {
      provide: LendingMarkets,
      inject: [Chain, FeedBook, PriceGuard, ChimeraConfig, Events],
      useFactory: (
        chain: Chain,
        feeds: FeedBook,
        guard: PriceGuard,
        { protocols, detector }: ChimeraConfig,
        events: Events,
      ): LendingMarkets => {
        const healthFactors = { decideBelowWad: WAD, watchBelowWad: detector.watchBelowHealthFactorWad };
        const tokenPrices = tokenPricesOf(protocols, chain);
        return {
          all: protocols
            .map((protocol) => marketOf(protocol, { chain, feeds, guard, tokenPrices, healthFactors }))
            .map((market) => new RefusableMarket(market, events)),
        };
      },
    },
    {
      provide: FeedSurvey,
      inject: [Chain, FeedBook, LendingMarkets, Clock],
      useFactory: (chain: Chain, feeds: FeedBook, markets: LendingMarkets, clock: Clock): FeedSurvey =>
        new MarketSurvey(chain, feeds, markets, clock),
    },
    {
      provide: PastLiquidations,
      inject: [Chain, ChimeraConfig],
      useFactory: (chain: Chain, { protocols }: ChimeraConfig) => new MarketLiquidations(chain, protocols),
    },
  ],
  exports: [LendingMarkets, PastLiquidations, FeedSurvey],
})
export class ProtocolsModule {}
