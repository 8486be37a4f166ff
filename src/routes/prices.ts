import { MOST_HOPS, type Search } from './path.js';
import type { PoolGraph } from './pool-graph.js';

/** The prices of small amounts in one state of the pools: what no larger amount can be better than. */
export class Prices {
  private readonly known = new Map<number, readonly Float64Array[]>();

  constructor(private readonly graph: PoolGraph) {}

  /**
   * By number of hops and token: the best price between the token and the far side, that is the debt for a
   * sale, and the collateral for a flash swap. Debt for collateral; 0 where there is no way. Ways back over
   * the same token are not left out: they only make a bound less tight.
   */
  of({ kind, collateral, debt }: Pick<Search, 'kind' | 'collateral' | 'debt'>): readonly Float64Array[] {
    const target = kind === 'sale' ? debt : collateral;
    const key = kind === 'sale' ? 2 * target : 2 * target + 1;
    const known = this.known.get(key);
    if (known) return known;
    const { graph } = this;
    const none = new Float64Array(graph.tokens);
    none[target] = 1;
    const byHops = [none];
    for (let hop = 1; hop <= MOST_HOPS; hop += 1) {
      const before = byHops[hop - 1] ?? none;
      const prices = before.slice();
      for (let token = 0; token < graph.tokens; token += 1) {
        const ahead = before[token] ?? 0;
        if (ahead === 0) continue;
        for (const link of graph.from(token)) {
          if (kind === 'flash-swap' && !graph.lends(link.pool)) continue;
          // Seen from the far side: what is sold there is bought here.
          const price = graph.price(kind === 'sale' ? link.buys : link.sells) * ahead;
          if (price > (prices[link.other] ?? 0)) prices[link.other] = price;
        }
      }
      byHops.push(prices);
    }
    this.known.set(key, byHops);
    return byHops;
  }
}
