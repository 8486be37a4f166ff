import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import type { Cause, Concern, Numbers, SafetyState } from '../../domain/safety.js';
import { COUNT, TEXT } from '../columns.js';

/**
 * The safety state of a chain: one row that survives restarts. The row of chain 0 is what a chain begins with
 * that has none yet.
 */
@Entity('safety_state')
export class SafetyStateRow {
  @PrimaryColumn({ ...COUNT, name: 'chain_id' })
  readonly chainId!: number;

  @Column({ type: 'text' })
  readonly state!: SafetyState;

  @Column(TEXT)
  readonly reason!: string;

  @Column(TEXT)
  readonly actor!: string;

  @Column({ type: 'text', nullable: true })
  readonly cause!: Cause | null;

  /** What was measured, by name. */
  @Column({ type: 'jsonb' })
  readonly numbers!: Numbers;

  @Column({ type: 'integer', name: 'consecutive_failures' })
  readonly consecutiveFailures!: number;

  /** All that is wrong, the oldest first. */
  @Column({ type: 'jsonb' })
  readonly concerns!: readonly Concern[];

  /** Outcomes before it do not count in the rates. */
  @Column({ type: 'timestamptz', name: 'rates_since' })
  readonly ratesSince!: Date;

  @Column({ type: 'timestamptz' })
  readonly since!: Date;

  /** Grows with every change. A writer that has read an older version is refused. */
  @Column(COUNT)
  readonly version!: number;
}

@Entity('state_transitions')
export class StateTransition {
  @PrimaryGeneratedColumn({ type: 'bigint' })
  readonly id!: string;

  /** 0: of every chain, from before chains were told apart where the database knew of several. */
  @Column({ ...COUNT, name: 'chain_id' })
  readonly chainId!: number;

  @Column({ type: 'text', name: 'from_state' })
  readonly from!: SafetyState;

  @Column({ type: 'text', name: 'to_state' })
  readonly to!: SafetyState;

  @Column(TEXT)
  readonly reason!: string;

  @Column(TEXT)
  readonly actor!: string;

  /** NULL: nothing is wrong any more, or the row is from before causes were stored. */
  @Column({ type: 'text', nullable: true })
  readonly cause!: Cause | null;

  /** What was measured, by name. */
  @Column({ type: 'jsonb' })
  readonly numbers!: Numbers;

  @Column({ type: 'timestamptz' })
  readonly at!: Date;
}

/** What an operator did through the API: the audit trail. */
@Entity('operator_actions')
export class OperatorAction {
  @PrimaryGeneratedColumn({ type: 'bigint' })
  readonly id!: string;

  /** As {@link StateTransition.chainId}. */
  @Column({ ...COUNT, name: 'chain_id' })
  readonly chainId!: number;

  /** The name of the API key. */
  @Column(TEXT)
  readonly actor!: string;

  @Column(TEXT)
  readonly role!: string;

  /** For instance "halt" or "resume". */
  @Column(TEXT)
  readonly action!: string;

  @Column(TEXT)
  readonly reason!: string;

  @Column({ type: 'timestamptz' })
  readonly at!: Date;

  /** The client's address. */
  @Column({ ...TEXT, nullable: true })
  readonly remote!: string | null;
}
