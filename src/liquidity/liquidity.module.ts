import { Module } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcModule } from '../rpc/rpc.module.js';
import { UniswapV3Venue } from './uniswap-v3/uniswap-v3.venue.js';
import { Venue } from './venue.js';

/**
 * Where the debt token is bought and the collateral sold: pools, their quotes and their depth. It must never
 * assume a price: a quote is true at the block it was asked for, and nowhere else.
 */
@Module({
  imports: [RpcModule],
  providers: [
    {
      provide: Venue,
      inject: [Chain, ChimeraConfig],
      useFactory: (chain: Chain, config: ChimeraConfig): Venue =>
        new UniswapV3Venue(chain, config.liquidity.uniswapV3),
    },
  ],
  exports: [Venue],
})
export class LiquidityModule {}
