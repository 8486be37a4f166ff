import { Module } from '@nestjs/common';
import { DatabaseModule } from '../database/index.js';
import { RpcModule } from '../rpc/rpc.module.js';
import { BidBook } from './bid-book.js';
import { ChainTips } from './chain-tips.js';

/**
 * What is offered for a place in a block: the models, and what they learn from outcomes and from the chain.
 * It must never offer more than the model of the configuration allows, and never make a pass wait: what it
 * asks, it asks beside the passes.
 */
@Module({
  imports: [RpcModule, DatabaseModule],
  providers: [ChainTips, BidBook],
  exports: [BidBook],
})
export class BidsModule {}
