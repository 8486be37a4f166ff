import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Address } from '../../domain/hex.js';
import { COUNT, TEXT } from '../columns.js';

/** Which process may sign with a wallet, and until when. All times are of the database server. */
@Entity('leases')
export class LeaseRow {
  @PrimaryColumn({ ...COUNT, name: 'chain_id' })
  readonly chainId!: number;

  @PrimaryColumn({ type: 'text' })
  readonly wallet!: Address;

  /** Grows with every process that takes the lease. */
  @Column(COUNT)
  readonly epoch!: number;

  /** The process, by a name that no other process has. */
  @Column(TEXT)
  readonly holder!: string;

  @Column({ type: 'timestamptz', name: 'acquired_at' })
  readonly acquiredAt!: Date;

  @Column({ type: 'timestamptz', name: 'renewed_at' })
  readonly renewedAt!: Date;

  /** From then on another process may take it. */
  @Column({ type: 'timestamptz', name: 'expires_at' })
  readonly expiresAt!: Date;
}
