import { Module, type OnApplicationShutdown } from '@nestjs/common';

import { ChimeraConfig } from '../config/index.js';
import type { Head } from '../domain/block.js';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';
import { chainDescription } from '../domain/chain-description.js';
import { Chain } from './chain/chain.js';
import { ChainFees } from './fees/chain-fees.js';
import { chainFeesOf } from './fees/fee-models.js';
import { HeadLinks } from './heads/head-links.js';
import { HeadStream } from './heads/head-stream.js';
import { AssumedContract } from './endpoints/assumed-contract.js';
import { RpcPool } from './endpoints/rpc-pool.js';
import { hypersyncClient } from './history/hypersync-client.js';
import { HypersyncHistory } from './history/hypersync-history.js';

/**
 * The only way to the chain. `endpoints/` holds the endpoints with their health and failover (RpcPool),
 * `chain/` the typed and checked calls (Chain), `heads/` the new blocks and their logs (HeadStream), and
 * `history/` old logs from elsewhere. heads/ builds on chain/, and chain/ on endpoints/, never the other way.
 *
 * It must never show the URL of an endpoint or a part of it, use an answer before it was checked, send a
 * transaction a second time by itself, or report a submission as a success. It decides nothing about
 * positions or money.
 */
@Module({
  providers: [
    {
      provide: RpcPool,
      inject: [ChimeraConfig, Clock, Events, { token: AssumedContract, optional: true }],
      useFactory: (
        { network, rpc }: ChimeraConfig,
        clock: Clock,
        events: Events,
        assumed?: AssumedContract,
      ): RpcPool =>
        new RpcPool(
          {
            chainId: network.chainId,
            primary: rpc.primary,
            backup: rpc.backup,
            archive: rpc.archive,
            onRequest: (request) => events.emit({ event: 'rpc-request', ...request }),
          },
          clock,
          assumed,
        ),
    },
    {
      provide: Chain,
      inject: [RpcPool, ChimeraConfig, Events, Clock],
      useFactory: async (
        pool: RpcPool,
        { network, rpc }: ChimeraConfig,
        events: Events,
        clock: Clock,
      ): Promise<Chain> => {
        if (!rpc.hypersync) return new Chain(pool);
        const client = await hypersyncClient(rpc.hypersync);
        return new Chain(pool, new HypersyncHistory(client, network.chainId, events, clock));
      },
    },
    {
      provide: ChainFees,
      inject: [ChimeraConfig],
      useFactory: ({ network }: ChimeraConfig): ChainFees =>
        chainFeesOf(chainDescription(network.chainId).feeModel),
    },
    {
      provide: HeadStream,
      inject: [ChimeraConfig, RpcPool, Chain, Clock, Events],
      useFactory: (
        { network, rpc }: ChimeraConfig,
        pool: RpcPool,
        chain: Chain,
        clock: Clock,
        events: Events,
      ): HeadStream => {
        const webSockets = [
          { role: 'primary', url: rpc.primary.ws },
          { role: 'backup', url: rpc.backup?.ws },
        ] as const;
        const sources = webSockets.flatMap(({ role, url }) => (url ? [{ role, url }] : []));
        const sawHead = (head: Head): void => {
          pool.sawHead(head.number);
          chain.blockTime.saw(head);
        };
        return new HeadStream(
          {
            chainId: network.chainId,
            sources,
            sawHead,
            headers: pool.headers,
            links: new HeadLinks(chain, clock),
            doubted: () => pool.doubted(),
          },
          () => chain.getBlock('latest'),
          clock,
          events,
        );
      },
    },
  ],
  exports: [RpcPool, Chain, ChainFees, HeadStream],
})
export class RpcModule implements OnApplicationShutdown {
  constructor(
    private readonly pool: RpcPool,
    private readonly heads: HeadStream,
  ) {}

  onApplicationShutdown(): void {
    this.heads.stop();
    this.pool.close();
  }
}
