import { Injectable } from '@nestjs/common';
import { JSON_TEXT } from '../columns.js';
import { Database } from '../database.js';
import { DivergenceRow } from '../entities/state.js';

export type NewDivergence = Pick<
  DivergenceRow,
  'chainId' | 'protocol' | 'account' | 'blockNumber' | 'blockHash' | 'detail'
>;

const INSERT = `
WITH recent AS (
  SELECT protocol, account FROM divergences WHERE chain_id = $6::bigint AND at > now() - interval '1 minute'
)
INSERT INTO divergences (protocol, account, block_number, block_hash, detail, chain_id)
SELECT $1::text, $2::text, $3::bigint, $4::text, $5::jsonb, $6::bigint
WHERE (SELECT count(*) FROM recent) < 100
  AND NOT EXISTS (SELECT FROM recent WHERE protocol = $1::text AND account = $2::text)`;

/**
 * The statement of a row, with its values. A position that stays wrong has one row a minute, and all
 * positions of a chain together have 100.
 */
export function divergenceStatement({
  protocol,
  account,
  blockNumber,
  blockHash,
  detail,
  chainId,
}: NewDivergence): [sql: string, values: unknown[]] {
  const values = [protocol, account, blockNumber, blockHash];
  return [INSERT, [...values, JSON.stringify(JSON_TEXT.transformer.to(detail)), chainId]];
}

/** Positions whose values differed from the chain's. Every method throws as {@link Database.query} does. */
@Injectable()
export class DivergencesRepository {
  constructor(private readonly database: Database) {}

  /** Newest first. */
  latest(limit: number): Promise<DivergenceRow[]> {
    return this.database.with(DivergenceRow, (rows) => rows.find({ order: { id: 'DESC' }, take: limit }));
  }
}
