import type { KnownPoolsRepository } from '../database/index.js';
import type { ConfiguredVenue, KnownPool } from './pool-reader.js';
import type { SavedPools } from './pool-search.js';

/** The known pools in the database. Those of a factory that is not configured any more are passed over. */
export class StoredPools implements SavedPools {
  constructor(
    private readonly rows: KnownPoolsRepository,
    private readonly chainId: number,
    private readonly venues: readonly ConfiguredVenue[],
  ) {}

  async load(): Promise<readonly KnownPool[]> {
    const rows = await this.rows.load(this.chainId);
    return rows.flatMap(({ factory, ...pool }) => {
      const venue = this.venues.find((one) => one.factory === factory);
      return venue ? [{ ...pool, venue }] : [];
    });
  }

  save(pools: readonly KnownPool[]): Promise<void> {
    const rows = pools.map(({ address, venue: { factory }, tokens, parameter }) => ({
      address,
      factory,
      tokens,
      parameter,
    }));
    return this.rows.replace(this.chainId, rows);
  }
}
