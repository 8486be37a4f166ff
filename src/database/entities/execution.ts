import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { Address, Hash } from '../../domain/hex.js';
import type { Outcome } from '../../domain/outcome.js';
import { AMOUNT, COUNT, JSON_TEXT, TEXT, USD } from '../columns.js';

export type ExecutionMode = 'dry-run' | 'live';

/**
 * - planned: of an earlier version, which wrote plans before it signed them; nothing was signed for it.
 * - rejected: not acted on. The reason says why.
 * - dry-run: it would have been sent.
 * - authorised: its signed transaction is in the outbox.
 * - submitted: a node took the transaction.
 * - succeeded, reverted: what its receipt says.
 * - dropped: it will not be mined.
 * - cancelled: a cancellation was mined in its place.
 */
export const EXECUTION_STATUSES = [
  'planned',
  'rejected',
  'dry-run',
  'authorised',
  'submitted',
  'succeeded',
  'reverted',
  'dropped',
  'cancelled',
] as const;
export type ExecutionStatus = (typeof EXECUTION_STATUSES)[number];

/** A decision and its outcome. A value that a rejected plan never had is null. */
@Entity('executions')
export class Execution {
  /** Ascending; a decimal number as text. */
  @PrimaryGeneratedColumn({ type: 'bigint' })
  readonly id!: string;

  @Column({ ...COUNT, name: 'chain_id', nullable: true })
  readonly chainId!: number | null;

  /** The account that would sign. Null in rows from before wallets were stored. */
  @Column({ type: 'text', nullable: true })
  readonly wallet!: Address | null;

  @Column({ type: 'text' })
  readonly protocol!: string;

  @Column({ type: 'text' })
  readonly borrower!: Address;

  /** Which market of the contract, where it has several (Morpho Blue); else null. */
  @Column({ type: 'text', name: 'market_id', nullable: true })
  readonly marketId!: Hash | null;

  @Column({ ...COUNT, name: 'block_number' })
  readonly blockNumber!: number;

  @Column({ type: 'text', name: 'block_hash' })
  readonly blockHash!: Hash;

  @Column({ ...AMOUNT, name: 'health_factor' })
  readonly healthFactorWad!: bigint;

  @Column({ type: 'text', name: 'collateral_asset', nullable: true })
  readonly collateralAsset!: Address | null;

  @Column({ type: 'text', name: 'debt_asset', nullable: true })
  readonly debtAsset!: Address | null;

  /** Debt token units. */
  @Column({ ...AMOUNT, name: 'debt_to_cover', nullable: true })
  readonly debtToCover!: bigint | null;

  /** Collateral units. */
  @Column({ ...AMOUNT, name: 'expected_collateral', nullable: true })
  readonly expectedCollateral!: bigint | null;

  /** Before every cost. */
  @Column({ ...USD, name: 'simulated_profit_usd', nullable: true })
  readonly simulatedProfitUsd8!: bigint | null;

  @Column({ ...USD, name: 'gas_cost_usd', nullable: true })
  readonly gasCostUsd8!: bigint | null;

  @Column({ ...USD, name: 'l1_fee_usd', nullable: true })
  readonly l1FeeUsd8!: bigint | null;

  @Column({ ...USD, name: 'operator_fee_usd', nullable: true })
  readonly operatorFeeUsd8!: bigint | null;

  @Column({ ...USD, name: 'pool_fee_usd', nullable: true })
  readonly poolFeeUsd8!: bigint | null;

  @Column({ ...USD, name: 'bid_usd', nullable: true })
  readonly bidUsd8!: bigint | null;

  /** After every cost and the bid. */
  @Column({ ...USD, name: 'simulated_net_profit_usd', nullable: true })
  readonly simulatedNetProfitUsd8!: bigint | null;

  /** Value of the debt to cover. The limits count it. */
  @Column({ ...USD, name: 'notional_usd', nullable: true })
  readonly notionalUsd8!: bigint | null;

  @Column({ type: 'text' })
  readonly mode!: ExecutionMode;

  /** The UTC day, YYYY-MM-DD, to which a dry run booked it; null: it booked nothing. */
  @Column({ type: 'date', name: 'dry_run_day', nullable: true })
  readonly dryRunDay!: string | null;

  /** All inputs of the decision. Amounts are decimal text. */
  @Column(JSON_TEXT)
  readonly plan!: unknown;

  @Column({ type: 'timestamptz', name: 'created_at', insert: false })
  readonly createdAt!: Date;

  @Column({ type: 'text' })
  readonly status!: ExecutionStatus;

  @Column({ ...TEXT, nullable: true })
  readonly reason!: string | null;

  @Column({ type: 'text', name: 'tx_hash', nullable: true })
  readonly txHash!: Hash | null;

  /** Debt token units, by the receipt. */
  @Column({ ...AMOUNT, name: 'debt_covered', nullable: true })
  readonly debtCovered!: bigint | null;

  /** Collateral units, by the receipt. */
  @Column({ ...AMOUNT, name: 'collateral_seized', nullable: true })
  readonly collateralSeized!: bigint | null;

  /** Units of the token that the treasury received, by the receipt. */
  @Column({ ...AMOUNT, name: 'realised_profit', nullable: true })
  readonly realisedProfit!: bigint | null;

  /** After the fees of the receipt. Negative when only fees were paid. */
  @Column({ ...USD, name: 'realised_profit_usd', nullable: true })
  readonly realisedProfitUsd8!: bigint | null;

  @Column({ ...AMOUNT, name: 'gas_used', nullable: true })
  readonly gasUsed!: bigint | null;

  /** Microseconds from the arrival of the head until the transaction was handed to the node. */
  @Column({ type: 'integer', name: 'head_to_send_us', nullable: true })
  readonly headToSendUs!: number | null;

  /** What became of its transaction. Null before its end, and in rows from before outcomes were stored. */
  @Column({ type: 'text', nullable: true })
  readonly outcome!: Outcome | null;

  /** The rival and our tip. Amounts are decimal text. */
  @Column({ ...JSON_TEXT, name: 'outcome_details', nullable: true })
  readonly outcomeDetails!: unknown;

  /** Everything that its transaction paid: gas, L1 data, operator fee. Null when it was not mined. */
  @Column({ ...AMOUNT, name: 'fees_wei', nullable: true })
  readonly feesWei!: bigint | null;

  @Column({ type: 'timestamptz', name: 'settled_at', nullable: true })
  readonly settledAt!: Date | null;
}
