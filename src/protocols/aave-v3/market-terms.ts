import type { Address, Hash } from '../../domain/hex.js';
import { sourceRead } from '../../oracles/chainlink.js';
import type { Chain } from '../../rpc/chain/chain.js';
import { each, readAt } from '../../rpc/chain/read.js';
import type { AaveV3Reader } from './aave-v3.reader.js';
import type { AaveMarket } from './market.js';

export interface MarketSettings {
  readonly name: string;
  readonly addressesProvider: Address;
}

/** The market and the feeds behind its prices. */
export interface MarketTerms {
  readonly market: AaveMarket;
  /** By reserve asset. */
  readonly sources: ReadonlyMap<Address, Address>;
}

/** Everything but the positions, at a block. @throws RetryError when the chain cannot be read. */
export async function readTerms(
  chain: Chain,
  reader: AaveV3Reader,
  { name, addressesProvider }: MarketSettings,
  block: Hash,
): Promise<MarketTerms> {
  const market = await reader.market(name, addressesProvider, block);
  const assets = [...market.reserves.values()].map((reserve) => reserve.asset);
  const sources = await readAt(chain, each(assets.map((asset) => sourceRead(market.oracle, asset))), block);
  return {
    market,
    sources: new Map(
      assets.flatMap((asset, index) => {
        const source = sources[index];
        return source ? [[asset, source] as const] : [];
      }),
    ),
  };
}
