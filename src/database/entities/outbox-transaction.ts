import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { Address, Hash, Hex } from '../../domain/hex.js';
import { AMOUNT, COUNT, USD } from '../columns.js';

/**
 * - prepared: signed and durable. It may have been handed to a node.
 * - broadcast: a node has taken it.
 * - mined: it has a receipt.
 * - failed: every node refused it, and none has it.
 * - dropped: no node has it any more.
 *
 * The nonce of a row that failed or was dropped may serve another intent.
 */
export type OutboxStatus = 'prepared' | 'broadcast' | 'mined' | 'failed' | 'dropped';

/** A signed transaction, durable before it is broadcast. */
@Entity('transactions')
export class OutboxTransaction {
  @PrimaryGeneratedColumn({ type: 'bigint' })
  readonly id!: string;

  /** null for a transaction that liquidates nothing, such as one that fills a nonce. */
  @Column({ type: 'bigint', name: 'execution_id', nullable: true })
  readonly executionId!: string | null;

  @Column({ ...COUNT, name: 'chain_id' })
  readonly chainId!: number;

  @Column({ type: 'text' })
  readonly sender!: Address;

  @Column(COUNT)
  readonly nonce!: number;

  @Column({ type: 'text' })
  readonly hash!: Hash;

  /** The signed envelope, as eth_sendRawTransaction takes it. */
  @Column({ type: 'text' })
  readonly raw!: Hex;

  /** The door by which it leaves: a name of execution.paths. Null: from before doors had names. */
  @Column({ type: 'text', nullable: true })
  readonly door!: string | null;

  @Column({ type: 'text' })
  readonly status!: OutboxStatus;

  /** Where it was mined. */
  @Column({ ...COUNT, name: 'block_number', nullable: true })
  readonly blockNumber!: number | null;

  @Column({ type: 'text', name: 'block_hash', nullable: true })
  readonly blockHash!: Hash | null;

  /** The UTC day, YYYY-MM-DD, whose volume counts its notional; null when none does. */
  @Column({ type: 'date', name: 'booked_day', nullable: true })
  readonly bookedDay!: string | null;

  /** The most that it may pay, in wei, until it is settled. Null: a row from before budgets. */
  @Column({ ...AMOUNT, name: 'reserved_fee_wei', nullable: true })
  readonly reservedFeeWei!: bigint | null;

  /** The most that it may lose, if it reverts. Null: a row from before budgets. */
  @Column({ ...USD, name: 'reserved_loss_usd', nullable: true })
  readonly reservedLossUsd8!: bigint | null;

  /** The UTC day, YYYY-MM-DD, to which the next two are booked. The three are null until it is mined. */
  @Column({ type: 'date', name: 'spent_day', nullable: true })
  readonly spentDay!: string | null;

  /** What it paid, by its receipt. */
  @Column({ ...AMOUNT, name: 'spent_fee_wei', nullable: true })
  readonly spentFeeWei!: bigint | null;

  /** What it lost, by its receipt. */
  @Column({ ...USD, name: 'spent_loss_usd', nullable: true })
  readonly spentLossUsd8!: bigint | null;

  @Column({ type: 'timestamptz', name: 'created_at' })
  readonly createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at' })
  readonly updatedAt!: Date;
}
