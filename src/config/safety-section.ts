import { formatUnits } from '../domain/money.js';
import { Bps, Decimal, Integer, SECONDS, Usd } from './key-types.js';
import { AtMost } from './rules.js';

const showUsd8 = (value: number | bigint): string => formatUnits(BigInt(value), 8);
const showWei = (value: number | bigint): string => formatUnits(BigInt(value), 18);

/** What the bot may risk, and what it takes for a failure of the chain or of itself. */
export class SafetyConfig {
  /** Debt covered by one execution. USD with 8 decimals. */
  @AtMost('maxDailyVolumeUsd8', showUsd8)
  @Usd({ key: 'maxSingleExecutionUsd', default: '500', example: '500' })
  readonly maxSingleExecutionUsd8!: bigint;

  /** Debt covered in one UTC day. USD with 8 decimals. */
  @Usd({ key: 'maxDailyVolumeUsd', default: '2500', example: '2500' })
  readonly maxDailyVolumeUsd8!: bigint;

  @Integer({ min: 1, max: 1000, default: '3', example: 3 })
  readonly maxConsecutiveFailures!: number;

  /** With less than this in the operator wallet nothing is signed. Wei. */
  @Decimal({ key: 'minOperatorBalanceEth', decimals: 18, default: '0.1', example: '0.1' })
  readonly minOperatorBalanceWei!: bigint;

  /** Gas limit times max fee, and the fees beside gas, of one transaction. Wei. */
  @AtMost('maxDailyFeeWei', showWei)
  @Decimal({ key: 'maxFeePerTransactionEth', decimals: 18, default: '0.05', example: '0.05' })
  readonly maxFeePerTransactionWei!: bigint;

  /** What is paid in one UTC day, with the most that what is in flight may pay. Wei. */
  @Decimal({ key: 'maxDailyFeeEth', decimals: 18, default: '0.2', example: '0.2' })
  readonly maxDailyFeeWei!: bigint;

  /** What is lost in one UTC day, with what is in flight as if it reverted. USD with 8 decimals. */
  @Usd({ key: 'maxDailyLossUsd', default: '50', example: '50' })
  readonly maxDailyLossUsd8!: bigint;

  /** The share of the wallet that everything in flight may pay together. */
  @Bps({ default: '5000', example: 5000 })
  readonly maxWalletShareBps!: number;

  /** The longest time from one block to the next. A longer one halts. */
  @Integer({ ...SECONDS, default: '20', example: 20 })
  readonly maxTimestampJumpSeconds!: number;

  /** When the newest block is older, the bot is throttled. The default is seven blocks of Base. */
  @AtMost('haltHeadAgeSeconds')
  @Integer({ ...SECONDS, default: '15', example: 15 })
  readonly maxHeadAgeSeconds!: number;

  /** When the newest block is older, the bot halts. The default is thirty blocks of Base. */
  @Integer({ ...SECONDS, default: '60', example: 60 })
  readonly haltHeadAgeSeconds!: number;
}
