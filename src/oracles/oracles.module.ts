import { Module } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcModule } from '../rpc/rpc.module.js';
import { FeedBook } from './feed-book.js';
import { NativePriceWatch } from './native-price-watch.js';
import { PriceGuard } from './price-guard.js';

/**
 * Prices from Chainlink feeds, and the rules that say which price may be used. It must never make up a price:
 * a price that cannot be read is missing. The last good price of the native token is kept, with its age.
 */
@Module({
  imports: [RpcModule],
  providers: [
    PriceGuard,
    NativePriceWatch,
    {
      provide: FeedBook,
      inject: [Chain, ChimeraConfig, PriceGuard],
      useFactory: (chain: Chain, { oracles }: ChimeraConfig, guard: PriceGuard) =>
        new FeedBook(chain, oracles.nativeUsdFeed, guard),
    },
  ],
  exports: [PriceGuard, FeedBook, NativePriceWatch],
})
export class OraclesModule {}
