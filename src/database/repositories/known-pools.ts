import { Injectable } from '@nestjs/common';
import { toAddress, type Address } from '../../domain/hex.js';
import { safeInteger } from '../columns.js';
import { Database } from '../database.js';

/** A pool that was followed. What it holds is not saved: it is read again. */
export interface KnownPoolRow {
  readonly address: Address;
  readonly factory: Address;
  /** In the order of the contract. */
  readonly tokens: readonly [Address, Address];
  readonly parameter: number;
}

/** Which pools were followed last. Every method throws as {@link Database.query} does. */
@Injectable()
export class KnownPoolsRepository {
  constructor(private readonly database: Database) {}

  async load(chainId: number): Promise<KnownPoolRow[]> {
    const rows = await this.database.query(
      'SELECT address, factory, token0, token1, parameter FROM known_pools WHERE chain_id = $1 ORDER BY address',
      [chainId],
    );
    return rows.map(({ address, factory, token0, token1, parameter }) => ({
      address: toAddress(String(address)),
      factory: toAddress(String(factory)),
      tokens: [toAddress(String(token0)), toAddress(String(token1))],
      parameter: safeInteger(parameter),
    }));
  }

  /** In place of those that were saved before. */
  async replace(chainId: number, pools: readonly KnownPoolRow[]): Promise<void> {
    await this.database.query(
      `WITH gone AS (DELETE FROM known_pools WHERE chain_id = $1 AND address <> ALL ($2::text[]))
       INSERT INTO known_pools (chain_id, address, factory, token0, token1, parameter)
       SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[])
       ON CONFLICT (chain_id, address) DO UPDATE
         SET factory = excluded.factory, token0 = excluded.token0, token1 = excluded.token1,
             parameter = excluded.parameter`,
      [
        chainId,
        pools.map(({ address }) => address),
        pools.map(({ factory }) => factory),
        pools.map(({ tokens }) => tokens[0]),
        pools.map(({ tokens }) => tokens[1]),
        pools.map(({ parameter }) => parameter),
      ],
    );
  }
}
