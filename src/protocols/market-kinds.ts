import type { ProtocolConfig } from '../config/index.js';
import type { FeedBook } from '../oracles/feed-book.js';
import type { PriceGuard } from '../oracles/price-guard.js';
import type { Chain } from '../rpc/chain/chain.js';
import { AaveV3Market } from './aave-v3/aave-v3-market.js';
import { AaveV3Reader } from './aave-v3/aave-v3.reader.js';
import type { LendingMarket } from './lending-market.js';

/** What every family of markets may build on. */
export interface MarketParts {
  readonly chain: Chain;
  readonly feeds: FeedBook;
  readonly guard: PriceGuard;
  /** Wad. Positions below the first may be liquidated; positions below the second are compared with the chain first. */
  readonly healthFactors: { readonly decideBelowWad: bigint; readonly watchBelowWad: bigint };
}

/** Makes the market of a configured protocol, by its `kind`: a new family adds its line here. */
const MARKET_KINDS: {
  readonly [Kind in ProtocolConfig['kind']]: (
    settings: Extract<ProtocolConfig, { kind: Kind }>,
    parts: MarketParts,
  ) => LendingMarket;
} = {
  'aave-v3': (settings, { chain, feeds, guard, healthFactors }) =>
    new AaveV3Market({ chain, reader: new AaveV3Reader(chain), feeds, guard }, settings, healthFactors),
};

export function marketOf(settings: ProtocolConfig, parts: MarketParts): LendingMarket {
  return MARKET_KINDS[settings.kind](settings, parts);
}
