import { Injectable } from '@nestjs/common';
import { RetryError } from '../domain/errors.js';
import type { Database } from './database.js';
import type { LeaseKey } from './repositories/leases.js';

/** Another process has taken the lease of the wallet: the write was refused, and nothing was written. */
export class LeaseLost extends RetryError {}

/**
 * The lease under which this process writes. The statements that sign, hand over or settle check it by
 * themselves, so that a process that stood still for a while cannot write what it decided before.
 */
@Injectable()
export class Fence {
  #held: (LeaseKey & { readonly epoch: number }) | undefined;

  /** From now on writes are made under this epoch. */
  hold(key: LeaseKey, epoch: number): void {
    this.#held = { ...key, epoch };
  }

  /** From now on every write that is fenced is refused. */
  close(key: LeaseKey): void {
    this.hold(key, 0); // No lease has this epoch.
  }

  /** The values of {@link isHeld}; all NULL when no lease is needed, for example in a dry run. */
  get values(): readonly [chainId: number | null, wallet: string | null, epoch: number | null] {
    const { chainId = null, wallet = null, epoch = null } = this.#held ?? {};
    return [chainId, wallet, epoch];
  }

  /** Why a statement has changed no row. @throws LeaseLost when another epoch has the lease; RetryError */
  async explain(database: Database): Promise<void> {
    const [row] = await database.query(`SELECT ${isHeld('$1', '$2', '$3')} AS held`, this.values);
    if (row?.held !== true)
      throw new LeaseLost('another process has the lease of the wallet: nothing was written');
  }
}

/**
 * SQL that is true while the epoch has the lease, or when it is NULL. It keeps the lease as it is until the
 * statement is committed.
 */
export function isHeld(chainId: string, wallet: string, epoch: string): string {
  return `(${epoch}::bigint IS NULL OR EXISTS (
    SELECT FROM leases WHERE chain_id = ${chainId}::bigint AND wallet = ${wallet}::text AND epoch = ${epoch}::bigint FOR SHARE))`;
}
