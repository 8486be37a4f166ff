import type { Address, Hash } from '../domain/hex.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { Read } from '../rpc/chain/read.js';

/** USD8; undefined while the oracle has no price. */
export type TokenPriceRead = Read<bigint | undefined>;

/**
 * Finds how the oracle of a market tells the prices of these tokens; a token of which it has no price at that
 * block is absent. Only markets whose oracle is governed have this: anybody may make a market of Morpho
 * Blue, with an oracle of his own.
 *
 * @throws RetryError when the chain cannot be read.
 */
export type TokenPriceSource = (
  chain: Chain,
  tokens: readonly Address[],
  block: Hash,
) => Promise<ReadonlyMap<Address, TokenPriceRead>>;

/**
 * What tokens are worth by the oracles of the configured markets. Of several the first one counts, in the
 * order of the configuration.
 */
export class TokenPrices {
  private readonly found = new Map<Address, TokenPriceRead | undefined>();

  constructor(
    private readonly chain: Chain,
    private readonly sources: readonly TokenPriceSource[],
  ) {}

  /** Looks once for these tokens. @throws RetryError */
  async look(tokens: Iterable<Address>, block: Hash): Promise<void> {
    let missing = [...new Set(tokens)].filter((token) => !this.found.has(token));
    const found = new Map<Address, TokenPriceRead>();
    for (const source of this.sources) {
      if (missing.length === 0) break;
      for (const [token, read] of await source(this.chain, missing, block)) found.set(token, read);
      missing = missing.filter((token) => !found.has(token));
    }
    for (const [token, read] of found) this.found.set(token, read);
    for (const token of missing) this.found.set(token, undefined);
  }

  /** How the price of a token is read; undefined where no market has one, or nobody has looked. */
  readOf(token: Address): TokenPriceRead | undefined {
    return this.found.get(token);
  }
}
