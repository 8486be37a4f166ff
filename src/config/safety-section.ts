import { RATED_EXECUTIONS } from '../domain/execution-rates.js';
import { LIMIT_TIERS, type LimitTier } from '../domain/limit-tiers.js';
import { formatUnits } from '../domain/money.js';
import { Bps, Decimal, Integer, SECONDS, Usd } from './key-types.js';
import type { Mapping } from './keys.js';
import { AtMost } from './rules.js';

const showUsd8 = (value: number | bigint): string => formatUnits(BigInt(value), 8);
const showWei = (value: number | bigint): string => formatUnits(BigInt(value), 18);

/** The default of a limit: that of the tier, or of the first one while the tier cannot be read. */
const ofTier =
  (limit: keyof LimitTier) =>
  ({ tier }: Mapping): string => {
    const [first] = LIMIT_TIERS;
    const chosen = (typeof tier === 'number' ? LIMIT_TIERS[tier - 1] : undefined) ?? first;
    return chosen === undefined ? '0' : showUsd8(chosen[limit]);
  };

/** What the bot may risk, and what it takes for a failure of the chain or of itself. */
export class SafetyConfig {
  /** The step of the two limits below, from 1 (500 and 2,500 USD) to 4 (5,000 and 25,000 USD). */
  @Integer({ min: 1, max: LIMIT_TIERS.length, default: '1', example: 1 })
  readonly tier!: number;

  /** Debt covered by one execution. USD with 8 decimals. */
  @AtMost('maxDailyVolumeUsd8', showUsd8)
  @Usd({ key: 'maxSingleExecutionUsd', default: ofTier('maxSingleExecutionUsd8'), example: '500' })
  readonly maxSingleExecutionUsd8!: bigint;

  /** Debt covered in one UTC day. USD with 8 decimals. */
  @Usd({ key: 'maxDailyVolumeUsd', default: ofTier('maxDailyVolumeUsd8'), example: '2500' })
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

  /** When the database is away for so long, the bot halts. While it is away, nothing is signed. */
  @Integer({ ...SECONDS, default: '300', example: 300 })
  readonly haltDatabaseAwaySeconds!: number;

  /**
   * After an outage of the chain or of all endpoints, the halt ends by itself when all was well for so long.
   * 0: only an operator ends it.
   */
  @Integer({ min: 0, max: 86_400, default: '120', example: 120 })
  readonly resumeAfterSeconds!: number;

  /** Passes that fail in a row, at least a second apart, for another reason than silent endpoints. */
  @Integer({ min: 1, max: 1000, default: '10', example: 10 })
  readonly maxPassErrors!: number;

  /** While THROTTLED: transactions in flight at a time. */
  @Integer({ min: 1, max: 1000, default: '1', example: 1 })
  readonly throttledInFlight!: number;

  /** While THROTTLED: the share of the positions that is left alone. */
  @Bps({ default: '5000', example: 5000 })
  readonly throttledSkipBps!: number;

  /** Rates of fewer executions change nothing. */
  @Integer({ min: 1, max: RATED_EXECUTIONS, default: '10', example: 10 })
  readonly minRateSample!: number;

  /** Of what was sent, what did as it should; below this it throttles. */
  @Bps({ default: '6000', example: 6000 })
  readonly throttleInclusionBps!: number;

  /** The same without lost races; below this it halts. */
  @AtMost('throttleInclusionBps')
  @Bps({ default: '5000', example: 5000 })
  readonly haltInclusionBps!: number;

  /** The weight of a lost race where the inclusion throttles. Everything else weighs 10000. */
  @Bps({ default: '2500', example: 2500 })
  readonly lostRaceWeightBps!: number;

  /** Of the profit that was simulated, what was realised by those won; below this it throttles. */
  @Bps({ default: '9000', example: 9000 })
  readonly throttleAccuracyBps!: number;

  /** The same; below this it halts. */
  @AtMost('throttleAccuracyBps')
  @Bps({ default: '8500', example: 8500 })
  readonly haltAccuracyBps!: number;
}
