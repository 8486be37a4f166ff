import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { Hash, Hex } from '../../domain/hex.js';
import { TEXT } from '../columns.js';

/**
 * - first: the transaction as it was planned.
 * - bump: the same call at higher fees.
 * - cancellation: nothing, to ourselves, so that the nonce is used.
 */
export type VersionKind = 'first' | 'bump' | 'cancellation';

/** One signed version of the transaction of a nonce, durable before it is handed over. */
@Entity('transaction_versions')
export class TransactionVersion {
  /** Ascending: the newest version of a transaction has the highest. */
  @PrimaryGeneratedColumn({ type: 'bigint' })
  readonly id!: string;

  @Column({ type: 'bigint', name: 'transaction_id' })
  readonly transactionId!: string;

  /** What it was signed for; the row of the transaction may belong to a later execution. */
  @Column({ type: 'bigint', name: 'execution_id', nullable: true })
  readonly executionId!: string | null;

  @Column({ type: 'text' })
  readonly hash!: Hash;

  /** The signed envelope, as eth_sendRawTransaction takes it. */
  @Column({ type: 'text' })
  readonly raw!: Hex;

  @Column({ type: 'text' })
  readonly kind!: VersionKind;

  /** Why it replaces the version before it; null for the first. */
  @Column({ ...TEXT, nullable: true })
  readonly reason!: string | null;

  @Column({ type: 'timestamptz', name: 'created_at', insert: false })
  readonly createdAt!: Date;
}
