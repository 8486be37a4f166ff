import {
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type FactoryProvider,
} from '@nestjs/common';
import { CacheModule } from '../cache/index.js';
import { DatabaseModule } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { Chain } from '../rpc/chain/chain.js';
import { HeadStream } from '../rpc/heads/head-stream.js';
import { RpcModule } from '../rpc/rpc.module.js';
import { Backfill } from './backfill.js';
import { CheckpointStore } from './checkpoint-store.js';
import { DoubtedPositions } from './doubted-positions.js';
import { StateEngine, type FollowedParts } from './state-engine.js';

const PARTS = 'state.followed-parts';

/** Makes the parts of the state, out of what these modules export. */
export type PartsFactory = Pick<DynamicModule, 'imports'> &
  Omit<FactoryProvider<FollowedParts>, 'provide'> & {
    /** The search for borrowers begins with the newest block. */
    readonly newestFirst?: boolean | undefined;
  };

/**
 * The state: everything that is followed, pinned to a block and kept exact by logs. It must never guess: what
 * it cannot read, it does not change, and where the chain disagrees it says so. It knows no protocol.
 */
@Module({})
export class StateModule implements BeforeApplicationShutdown {
  constructor(private readonly checkpoints: CheckpointStore) {}

  /** For the whole application: what the state consists of is known where the application is put together. */
  static of({ imports = [], newestFirst = false, ...factory }: PartsFactory): DynamicModule {
    return {
      module: StateModule,
      global: true,
      imports: [RpcModule, DatabaseModule, CacheModule, ...imports],
      providers: [
        CheckpointStore,
        Backfill,
        DoubtedPositions,
        { provide: PARTS, ...factory },
        {
          provide: StateEngine,
          inject: [Chain, PARTS, CheckpointStore, Backfill, Clock, HeadStream, DoubtedPositions],
          useFactory: (
            chain: Chain,
            parts: FollowedParts,
            checkpoints: CheckpointStore,
            backfill: Backfill,
            clock: Clock,
            delivered: HeadStream,
            doubts: DoubtedPositions,
          ): StateEngine => {
            if (newestFirst) backfill.newestFirst();
            return new StateEngine(chain, parts, checkpoints, backfill, chain.blockTime, {
              clock,
              doubts,
              delivered,
            });
          },
        },
      ],
      exports: [StateEngine, DoubtedPositions],
    };
  }

  /** What Postgres does not have yet is written before it closes: the next start goes on from there. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.checkpoints.flush();
  }
}
