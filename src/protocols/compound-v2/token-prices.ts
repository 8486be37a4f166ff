import type { Address } from '../../domain/hex.js';
import { HaltError } from '../../domain/errors.js';
import { each, readAt } from '../../rpc/chain/read.js';
import type { TokenPriceRead, TokenPriceSource } from '../token-prices.js';
import { CompoundV2Reader } from './compound-v2.reader.js';
import { priceUsd8Of, type MToken } from './market.js';
import type { MarketSettings } from './market-terms.js';
import { priceRead } from './reads.js';

/** PriceOracle.getUnderlyingPrice of the listed markets. */
export function tokenPricesOf({ name, comptroller }: MarketSettings): TokenPriceSource {
  return async (chain, tokens, block) => {
    try {
      const market = await new CompoundV2Reader(chain).market(name, comptroller, block);
      const mTokens = [...market.mTokens.values()].filter(
        ({ asset, listed }) => listed && tokens.includes(asset),
      );
      const reads = mTokens.map((one) => tokenPriceRead(market.oracle, one));
      const prices = await readAt(chain, each(reads), block);
      return new Map(
        mTokens.flatMap(({ asset }, index) => {
          const read = reads[index];
          return read && prices[index] !== undefined ? [[asset, read] as const] : [];
        }),
      );
    } catch (error) {
      // A market that the bot cannot serve tells no prices either; its own start says what is wrong.
      if (error instanceof HaltError) return new Map();
      throw error;
    }
  };
}

function tokenPriceRead(oracle: Address, { address, decimals }: MToken): TokenPriceRead {
  const { calls, decode } = priceRead(oracle, address);
  return {
    calls,
    decode: (results) => {
      const price = decode(results);
      const usd8 = price === undefined ? 0n : priceUsd8Of(price, decimals);
      return usd8 > 0n ? usd8 : undefined;
    },
  };
}
