import { Injectable } from '@nestjs/common';
import type { Address, Hash } from '../../domain/hex.js';
import { Database } from '../database.js';
import { CheckpointRow, KnownPosition } from '../entities/state.js';

/** The block up to which the borrowers of a protocol are known. */
export interface Checkpoint {
  readonly number: number;
  readonly hash: Hash;
}

export interface KnownBorrowers {
  readonly borrowers: readonly Address[];
  /** undefined before the first backfill. */
  readonly checkpoint: Checkpoint | undefined;
}

/** Known borrowers, so that a restart need not read the history again. Every method throws as {@link Database.query} does. */
@Injectable()
export class CheckpointsRepository {
  constructor(private readonly database: Database) {}

  /** @param protocol its configured name. */
  async load(protocol: string): Promise<KnownBorrowers> {
    // The checkpoint first: borrowers that are saved between the two reads are then only known too early.
    const row = await this.database.with(CheckpointRow, (rows) => rows.findOneBy({ protocol }));
    const positions = await this.database.with(KnownPosition, (rows) => rows.findBy({ protocol }));
    return {
      borrowers: positions.map(({ account }) => account),
      checkpoint: row ? { number: row.blockNumber, hash: row.blockHash } : undefined,
    };
  }

  /** Borrowers and checkpoint in one database transaction; borrowers that are known already are no error. */
  async save(
    protocol: string,
    newBorrowers: readonly Address[],
    { number, hash }: Checkpoint,
  ): Promise<void> {
    await this.database.query(
      `WITH known AS (
         INSERT INTO positions (protocol, account) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING
       )
       INSERT INTO checkpoints (protocol, block_number, block_hash) VALUES ($1, $3, $4)
       ON CONFLICT (protocol) DO UPDATE
         SET block_number = excluded.block_number, block_hash = excluded.block_hash, updated_at = now()`,
      [protocol, newBorrowers, number, hash],
    );
  }
}
