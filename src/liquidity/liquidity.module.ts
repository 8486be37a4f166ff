import { Module } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcModule } from '../rpc/rpc.module.js';
import { UniswapV3Venue } from './uniswap-v3.venue.js';

/**
 * Where the debt token is borrowed and the collateral sold: pools, quotes, depth. It must never assume a price: a quote
 * names its block.
 */
@Module({
  imports: [RpcModule],
  providers: [
    {
      provide: UniswapV3Venue,
      inject: [Chain, ChimeraConfig],
      useFactory: (chain: Chain, config: ChimeraConfig) =>
        new UniswapV3Venue(chain, config.liquidity.uniswapV3),
    },
  ],
  exports: [UniswapV3Venue],
})
export class LiquidityModule {}
