import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import type { Address, Hash } from '../../domain/hex.js';
import { COUNT, JSON_TEXT } from '../columns.js';

/** Up to which block the borrowers of a protocol are known. */
@Entity('checkpoints')
export class CheckpointRow {
  @PrimaryColumn({ type: 'text' })
  readonly protocol!: string;

  @Column({ ...COUNT, name: 'block_number' })
  readonly blockNumber!: number;

  @Column({ type: 'text', name: 'block_hash' })
  readonly blockHash!: Hash;

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
