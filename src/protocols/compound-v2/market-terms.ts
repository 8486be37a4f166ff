import { HaltError } from '../../domain/errors.js';
import type { Address, Hash } from '../../domain/hex.js';
import { wrappedFeedRead } from '../../oracles/oev-wrapper.js';
import { each, readAt } from '../../rpc/chain/read.js';
import type { Chain } from '../../rpc/chain/chain.js';
import type { CompoundV2Reader } from './compound-v2.reader.js';
import { feedRead } from './feed-reads.js';
import { priceUsd8Of, type CompoundMarket } from './market.js';
import { isComptrollerRead, priceRead } from './reads.js';

export interface MarketSettings {
  readonly name: string;
  readonly comptroller: Address;
}

/** The market and the feeds behind its prices, each by the id of the mToken. */
export interface MarketTerms {
  readonly market: CompoundMarket;
  /** What the oracle asks. Absent where it does not tell. */
  readonly feeds: ReadonlyMap<number, Address>;
  /** The feed inside, for a feed that is a wrapper and withholds fresh prices. */
  readonly wrapped: ReadonlyMap<number, Address>;
}

export interface MarketAtStart {
  readonly problems: readonly string[];
  /** USD8. */
  readonly priceUsd8: bigint | undefined;
}

interface Sources {
  readonly chain: Chain;
  readonly reader: CompoundV2Reader;
}

/** Everything but the positions, at a block. @throws RetryError when the chain cannot be read. */
export async function readTerms(
  { chain, reader }: Sources,
  { name, comptroller }: MarketSettings,
  block: Hash,
): Promise<MarketTerms> {
  const market = await reader.market(name, comptroller, block);
  const mTokens = [...market.mTokens.values()];
  const found = await readAt(
    chain,
    each(mTokens.map(({ symbol }) => feedRead(market.oracle, symbol))),
    block,
  );
  const feeds = mTokens.flatMap(({ id }, index) => {
    const feed = found[index];
    return feed ? [[id, feed] as const] : [];
  });
  const inside = await readAt(chain, each(feeds.map(([, feed]) => wrappedFeedRead(feed))), block);
  return {
    market,
    feeds: new Map(feeds),
    wrapped: new Map(
      feeds.flatMap(([id], index) => {
        const feed = inside[index];
        return feed ? [[id, feed] as const] : [];
      }),
    ),
  };
}

/** What is wrong with the market, and what its oracle says of an asset. @throws RetryError */
export async function examineMarket(
  { chain, reader }: Sources,
  { name, comptroller }: MarketSettings,
  block: Hash,
  asset: Address,
): Promise<MarketAtStart> {
  const wrong = (problem: string): MarketAtStart => ({
    problems: [`protocols (${name}): ${problem}`],
    priceUsd8: undefined,
  });
  if (!(await readAt(chain, isComptrollerRead(comptroller), block)))
    return wrong(`${comptroller} does not say that it is a Comptroller (isComptroller)`);
  try {
    const market = await reader.market(name, comptroller, block);
    const mTokens = [...market.mTokens.values()];
    if (mTokens.length === 0) return wrong(`the Comptroller ${comptroller} has no markets`);
    const prices = await readAt(
      chain,
      each(mTokens.map(({ address }) => priceRead(market.oracle, address))),
      block,
    );
    // A market that counts for nothing may have no price: nobody borrows on it.
    const unpriced = mTokens.filter(
      ({ collateralFactorWad, listed }, index) =>
        listed && collateralFactorWad > 0n && prices[index] === undefined,
    );
    const index = mTokens.findIndex((mToken) => mToken.asset === asset);
    const [price, priced] = [prices[index], mTokens[index]];
    return {
      problems: unpriced.map(
        ({ symbol, address }) =>
          `protocols (${name}): the oracle ${market.oracle} has no price for ${symbol} (market ${address})`,
      ),
      priceUsd8: price === undefined || !priced ? undefined : priceUsd8Of(price, priced.decimals),
    };
  } catch (error) {
    if (!(error instanceof HaltError)) throw error;
    return wrong(error.message);
  }
}
