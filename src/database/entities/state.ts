import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import type { Address, Hash } from '../../domain/hex.js';
import type { Json } from '../../domain/json.js';
import { COUNT, JSON_TEXT } from '../columns.js';

/** Of which block the positions of a protocol are, and how far its history has been searched for borrowers. */
@Entity('checkpoints')
export class CheckpointRow {
  @PrimaryColumn({ type: 'text' })
  readonly protocol!: string;

  /** Null before the first checkpoint, as is its hash. */
  @Column({ ...COUNT, name: 'block_number', nullable: true })
  readonly blockNumber!: number | null;

  @Column({ type: 'text', name: 'block_hash', nullable: true })
  readonly blockHash!: Hash | null;

  /** Null before the search has begun, as is its goal. */
  @Column({ ...COUNT, name: 'history_scanned_to', nullable: true })
  readonly historyScannedTo!: number | null;

  @Column({ ...COUNT, name: 'history_goal', nullable: true })
  readonly historyGoal!: number | null;

  @Column({ type: 'timestamptz', name: 'updated_at' })
  readonly updatedAt!: Date;
}

/** An account that has borrowed. */
@Entity('positions')
export class KnownPosition {
  @PrimaryColumn({ type: 'text' })
  readonly protocol!: string;

  @PrimaryColumn({ type: 'text' })
  readonly account!: Address;

  /** As of the protocol's checkpoint, in a form of the protocol's own; null where it has not been read yet. */
  @Column({ type: 'jsonb', nullable: true })
  readonly state!: Json;
}

/** A position that the chain saw otherwise than we did, at one block. */
@Entity('divergences')
export class DivergenceRow {
  @PrimaryGeneratedColumn({ type: 'bigint' })
  readonly id!: string;

  @Column({ type: 'text' })
  readonly protocol!: string;

  @Column({ type: 'text' })
  readonly account!: Address;

  @Column({ ...COUNT, name: 'block_number' })
  readonly blockNumber!: number;

  @Column({ type: 'text', name: 'block_hash' })
  readonly blockHash!: Hash;

  /** Both sides, amounts as decimal text. */
  @Column(JSON_TEXT)
  readonly detail!: Readonly<Record<string, string>>;

  @Column({ type: 'timestamptz', insert: false })
  readonly at!: Date;
}
