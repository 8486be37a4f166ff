import { Module, type BeforeApplicationShutdown } from '@nestjs/common';
import { CacheModule } from '../cache/index.js';
import { ChimeraConfig } from '../config/index.js';
import { DatabaseModule } from '../database/index.js';
import { OraclesModule } from '../oracles/oracles.module.js';
import { PriceGuard } from '../oracles/price-guard.js';
import { AaveV3Reader } from '../protocols/aave-v3/aave-v3.reader.js';
import { ProtocolsModule } from '../protocols/protocols.module.js';
import { Chain } from '../rpc/chain.js';
import { RpcModule } from '../rpc/rpc.module.js';
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
    Reconciler,
    {
      provide: StateEngine,
      inject: [Chain, AaveV3Reader, PriceGuard, CheckpointStore, ChimeraConfig],
      useFactory: (
        chain: Chain,
        reader: AaveV3Reader,
        guard: PriceGuard,
        store: CheckpointStore,
        { protocols, oracles, detector }: ChimeraConfig,
      ): StateEngine =>
        new StateEngine(
          chain,
          protocols.map(
            (protocol) =>
              new TrackedMarket(chain, reader, guard, protocol, detector.watchBelowHealthFactorWad),
          ),
          store,
          {
            nativeUsdFeed: oracles.nativeUsdFeed,
            fromBlocks: new Map(protocols.map(({ name, fromBlock }) => [name, fromBlock])),
          },
        ),
    },
  ],
  exports: [StateEngine, Reconciler],
})
export class StateModule implements BeforeApplicationShutdown {
  constructor(private readonly checkpoints: CheckpointStore) {}

  /** What is being written is finished before the database closes. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.checkpoints.settled();
  }
}
