import { Module } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';
import { DatabaseModule, KnownPoolsRepository } from '../database/index.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcModule } from '../rpc/rpc.module.js';
import { LenderBook } from './lenders/lender-book.js';
import { lendersOf } from './lenders/lenders.js';
import { PoolBook } from './pool-book.js';
import { PoolReader, venuesOf } from './pool-reader.js';
import { StoredPools } from './stored-pools.js';
import { WrapperBook } from './wrappers/wrapper-book.js';

/**
 * Where the debt token is bought or borrowed and the collateral sold: pools, kept by their logs, and lenders,
 * asked by turns. It must never assume a price: a state is true at its block, and nowhere else.
 */
@Module({
  imports: [RpcModule, DatabaseModule],
  providers: [
    {
      provide: PoolBook,
      inject: [Chain, ChimeraConfig, Events, Clock, KnownPoolsRepository],
      useFactory: (
        chain: Chain,
        { liquidity }: ChimeraConfig,
        events: Events,
        clock: Clock,
        rows: KnownPoolsRepository,
      ) => {
        const venues = venuesOf(liquidity);
        const saved = new StoredPools(rows, chain.chainId, venues);
        return new PoolBook(new PoolReader(chain, venues), liquidity, events, clock, saved);
      },
    },
    {
      provide: LenderBook,
      inject: [ChimeraConfig],
      useFactory: ({ liquidity }: ChimeraConfig) => new LenderBook(lendersOf(liquidity.flash)),
    },
    {
      provide: WrapperBook,
      inject: [ChimeraConfig],
      useFactory: ({ liquidity }: ChimeraConfig) => new WrapperBook(liquidity.wrappers),
    },
  ],
  exports: [PoolBook, LenderBook, WrapperBook],
})
export class LiquidityModule {}
