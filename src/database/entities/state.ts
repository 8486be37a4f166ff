import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import type { Address, Hash } from '../../domain/hex.js';
import type { Json } from '../../domain/json.js';
import { COUNT, JSON_TEXT } from '../columns.js';

/**
 * The block of the stored positions of a protocol, and how far its history has been searched for borrowers.
 */
@Entity('checkpoints')
export class CheckpointRow {
  @PrimaryColumn({ ...COUNT, name: 'chain_id' })
  readonly chainId!: number;

  @PrimaryColumn({ type: 'text' })
  readonly protocol!: string;

  /** Null before the first checkpoint, like its hash. */
  @Column({ ...COUNT, name: 'block_number', nullable: true })
  readonly blockNumber!: number | null;

  @Column({ type: 'text', name: 'block_hash', nullable: true })
  readonly blockHash!: Hash | null;

  /** Null before the search has begun, like its goal. */
  @Column({ ...COUNT, name: 'history_scanned_to', nullable: true })
  readonly historyScannedTo!: number | null;

  @Column({ ...COUNT, name: 'history_goal', nullable: true })
  readonly historyGoal!: number | null;

  /** As {@link History.from}. */
  @Column({ ...COUNT, name: 'history_from', nullable: true })
  readonly historyFrom!: number | null;

  @Column({ type: 'timestamptz', name: 'updated_at' })
  readonly updatedAt!: Date;
}

/** An account that has borrowed. */
@Entity('positions')
export class KnownPosition {
  @PrimaryColumn({ ...COUNT, name: 'chain_id' })
  readonly chainId!: number;

  @PrimaryColumn({ type: 'text' })
  readonly protocol!: string;

  @PrimaryColumn({ type: 'text' })
  readonly account!: Address;

  /**
   * Its state at the block of the checkpoint, in a form of the protocol's own. Null while it has not been
   * read.
   */
  @Column({ type: 'jsonb', nullable: true })
  readonly state!: Json;
}

/** A position whose values differed from the chain's at one block. */
@Entity('divergences')
export class DivergenceRow {
  @PrimaryGeneratedColumn({ type: 'bigint' })
  readonly id!: string;

  /** 0: from before chains were told apart, where the database knew of several. */
  @Column({ ...COUNT, name: 'chain_id' })
  readonly chainId!: number;

  @Column({ type: 'text' })
  readonly protocol!: string;

  @Column({ type: 'text' })
  readonly account!: Address;

  @Column({ ...COUNT, name: 'block_number' })
  readonly blockNumber!: number;

  @Column({ type: 'text', name: 'block_hash' })
  readonly blockHash!: Hash;

  /** Our values and the chain's. Amounts are decimal text. */
  @Column(JSON_TEXT)
  readonly detail!: Readonly<Record<string, string>>;

  @Column({ type: 'timestamptz', insert: false })
  readonly at!: Date;
}
