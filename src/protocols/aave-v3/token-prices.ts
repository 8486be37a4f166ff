import { addressAt, addressWord, uintAt, type Address } from '../../domain/hex.js';
import { each, readAt, type Read } from '../../rpc/chain/read.js';
import type { TokenPriceRead, TokenPriceSource } from '../token-prices.js';
import { SELECTORS } from './reads.js';

/** AaveOracle.getAssetPrice, USD8. An asset without a source has the price 0, or reverts. */
export function tokenPricesOf(addressesProvider: Address): TokenPriceSource {
  return async (chain, tokens, block) => {
    const oracle = await readAt(chain, oracleRead(addressesProvider), block);
    if (!oracle) return new Map();
    const reads = tokens.map((token) => priceRead(oracle, token));
    const prices = await readAt(chain, each(reads), block);
    return new Map(
      tokens.flatMap((token, index) => {
        const read = reads[index];
        return read && prices[index] !== undefined ? [[token, read] as const] : [];
      }),
    );
  };
}

function oracleRead(addressesProvider: Address): Read<Address | undefined> {
  return {
    calls: [{ to: addressesProvider, data: SELECTORS.getPriceOracle }],
    decode: ([result]) =>
      result?.success && result.data.length === 66 ? addressAt(result.data, 0) : undefined,
  };
}

function priceRead(oracle: Address, asset: Address): TokenPriceRead {
  return {
    calls: [{ to: oracle, data: `${SELECTORS.getAssetPrice}${addressWord(asset)}` }],
    decode: ([result]) => {
      if (!result?.success || result.data.length !== 66) return undefined;
      const price = uintAt(result.data, 0);
      return price > 0n ? price : undefined;
    },
  };
}
