import type { ProtocolConfig } from '../config/index.js';
import {
  PastLiquidations,
  type LiquidationSearch,
  type PastLiquidation,
} from '../domain/past-liquidations.js';
import type { Chain } from '../rpc/chain/chain.js';
import { liquidationsOf } from './market-kinds.js';

/** Looks for liquidations in the logs of the configured markets, each by its own family. */
export class MarketLiquidations extends PastLiquidations {
  constructor(
    private readonly chain: Chain,
    private readonly protocols: readonly ProtocolConfig[],
  ) {
    super();
  }

  /** Finds none of a protocol that the configuration does not have any more. */
  async find(search: LiquidationSearch): Promise<readonly PastLiquidation[]> {
    const protocol = this.protocols.find(({ name }) => name === search.protocol);
    return protocol ? liquidationsOf(protocol.kind, this.chain, search) : [];
  }
}
