import { Injectable } from '@nestjs/common';
import type { Address } from '../../domain/hex.js';
import { safeInteger } from '../columns.js';
import { Database } from '../database.js';

/** The wallet that a lease is about. */
export interface LeaseKey {
  readonly chainId: number;
  readonly wallet: Address;
}

export type LeaseAttempt =
  | { readonly kind: 'acquired'; readonly epoch: number }
  /** Another process has it; undefined while that process is just taking it. */
  | { readonly kind: 'held'; readonly by: LeaseHolder | undefined };

export interface LeaseHolder {
  readonly holder: string;
  readonly epoch: number;
}

/**
 * A lease that has run out, or that this same process took before, changes hands. Each time the epoch grows.
 */
const ACQUIRE = `
WITH acquired AS (
  INSERT INTO leases AS l (chain_id, wallet, epoch, holder, acquired_at, renewed_at, expires_at)
  VALUES ($1::bigint, $2::text, 1, $3::text, now(), now(), now() + $4::bigint * interval '1 ms')
  ON CONFLICT (chain_id, wallet) DO UPDATE
    SET epoch = l.epoch + 1, holder = excluded.holder, acquired_at = excluded.acquired_at,
        renewed_at = excluded.renewed_at, expires_at = excluded.expires_at
    WHERE l.expires_at <= now() OR l.holder = excluded.holder
  RETURNING l.epoch, l.holder
)
SELECT epoch, holder, true AS ours FROM acquired
UNION ALL
SELECT epoch, holder, false FROM leases
  WHERE chain_id = $1::bigint AND wallet = $2::text AND NOT EXISTS (SELECT FROM acquired)`;

const RENEW = `
UPDATE leases SET renewed_at = now(), expires_at = now() + $4::bigint * interval '1 ms'
  WHERE chain_id = $1::bigint AND wallet = $2::text AND epoch = $3::bigint RETURNING epoch`;

const RELEASE = `
UPDATE leases SET expires_at = now() WHERE chain_id = $1::bigint AND wallet = $2::text AND epoch = $3::bigint`;

/**
 * Who may sign with a wallet. Times are counted by the clock of the database server alone. Each method is one
 * statement, so that it works through a pooler, and a process that stands still holds no lock. Every method
 * throws as {@link Database.query} does.
 */
@Injectable()
export class LeasesRepository {
  constructor(private readonly database: Database) {}

  /**
   * Takes the lease if no process has it. After a RetryError it may have been taken: try again.
   *
   * @param holder a name that no other process has.
   */
  async acquire({ chainId, wallet }: LeaseKey, holder: string, forMs: number): Promise<LeaseAttempt> {
    const [row] = await this.database.query(ACQUIRE, [chainId, wallet, holder, forMs]);
    if (!row) return { kind: 'held', by: undefined };
    const epoch = safeInteger(row.epoch);
    return row.ours === true
      ? { kind: 'acquired', epoch }
      : { kind: 'held', by: { holder: String(row.holder), epoch } };
  }

  /** @returns whether this epoch still has the lease. It then has it for this time, from now on. */
  async renew({ chainId, wallet }: LeaseKey, epoch: number, forMs: number): Promise<boolean> {
    const rows = await this.database.query(RENEW, [chainId, wallet, epoch, forMs]);
    return rows.length === 1;
  }

  /** The lease may be taken at once. It changes nothing when another epoch has it. */
  async release({ chainId, wallet }: LeaseKey, epoch: number): Promise<void> {
    await this.database.query(RELEASE, [chainId, wallet, epoch]);
  }
}
