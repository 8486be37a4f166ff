import { Module, type BeforeApplicationShutdown } from '@nestjs/common';
import { CacheModule } from '../cache/index.js';
import { ChimeraConfig } from '../config/index.js';
import { DatabaseModule } from '../database/index.js';
import { WAD } from '../domain/money.js';
import { OraclesModule } from '../oracles/oracles.module.js';
import { PriceGuard } from '../oracles/price-guard.js';
import { AaveV3Reader } from '../protocols/aave-v3/aave-v3.reader.js';
import { ProtocolsModule } from '../protocols/protocols.module.js';
import { Chain } from '../rpc/chain/chain.js';
import { HeadStream } from '../rpc/heads/head-stream.js';
import { RpcModule } from '../rpc/rpc.module.js';
import { Backfill } from './backfill.js';
import { CheckpointStore } from './checkpoint-store.js';
import { Reconciler } from './reconciler.js';
import { StateEngine } from './state-engine.js';
import { TrackedMarket } from './tracked-market.js';

/**
 * The picture of the markets, pinned to a block and kept up to date by events. It must never guess: what it cannot read,
 * it does not change, and where the chain disagrees it says so.
 */
@Module({
  imports: [RpcModule, ProtocolsModule, OraclesModule, DatabaseModule, CacheModule],
  providers: [
    CheckpointStore,
    Backfill,
    Reconciler,
    {
      provide: StateEngine,
      inject: [Chain, AaveV3Reader, PriceGuard, CheckpointStore, Backfill, HeadStream, ChimeraConfig],
      useFactory: (
        chain: Chain,
        reader: AaveV3Reader,
        guard: PriceGuard,
        store: CheckpointStore,
        backfill: Backfill,
        heads: HeadStream,
        { protocols, oracles, detector }: ChimeraConfig,
      ): StateEngine => {
        const limits = { decideBelowWad: WAD, watchBelowWad: detector.watchBelowHealthFactorWad };
        const markets = protocols.map(
          (protocol) => new TrackedMarket(chain, reader, guard, protocol, limits),
        );
        const settings = {
          nativeUsdFeed: oracles.nativeUsdFeed,
          fromBlocks: new Map(protocols.map(({ name, fromBlock }) => [name, fromBlock])),
        };
        return new StateEngine(chain, markets, store, backfill, settings, heads);
      },
    },
  ],
  exports: [StateEngine, Reconciler],
})
export class StateModule implements BeforeApplicationShutdown {
  constructor(private readonly checkpoints: CheckpointStore) {}

  /** What Postgres does not have yet is written before it closes: the next start goes on from there. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.checkpoints.flush();
  }
}
