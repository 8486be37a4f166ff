import type { BotStatus } from '../bot/bot-status.js';
import type { DatabaseStatus } from '../bot/database-watch.js';
import type { Spending } from '../domain/budget.js';
import { formatUnits, max } from '../domain/money.js';
import type { SafetyLimits } from '../domain/authorisation.js';
import type { Concern, SafetyStatus } from '../domain/safety.js';
import type { TierStatus } from '../safety/index.js';
import type { StageShares } from '../monitoring/stage-times.js';
import type { EndpointStatus } from '../rpc/endpoints/rpc-pool.js';
import type { AlertsAnswer } from './alerts-answer.js';
import type { SteeringAnswer } from './steering-answer.js';
import type { MarketFeedsAnswer } from './feeds-answer.js';

/**
 * GET /api/v1/status. Money is exact decimal text in whole units, never a JSON number. The end of the name
 * gives the unit: `…Usd` "2500" or "12.34567891", `…Eth` "0.1". Durations are numbers and end in Ms or
 * Seconds. Instants are ISO 8601 in UTC. Values that are not known yet are null.
 */
export interface StatusAnswer {
  readonly network: { readonly name: string; readonly chainId: number };
  readonly mode: BotStatus['mode'];
  readonly lease: LeaseAnswer;
  readonly phase: BotStatus['phase'];
  readonly safety: SafetyAnswer;
  readonly head: HeadAnswer | null;
  readonly sinceLastPassMs: number | null;
  readonly passes: PassesAnswer;
  readonly database: DatabaseAnswer;
  readonly endpoints: readonly EndpointAnswer[];
  readonly positions: {
    /** Borrowers with debt. */
    readonly total: number;
    /** Near the health factor of 1, or below it: they are looked at in each pass. */
    readonly near: number;
    readonly liquidatable: number;
    readonly inFlight: number;
    /** Of the total: our books and the chain differ about them, so they are not liquidated. */
    readonly setAside: BotStatus['setAside'];
  };
  /** Markets whose borrowers are not all known yet. Empty when all are. */
  readonly backfill: BotStatus['backfill'];
  /**
   * Markets of which it is not proven that every borrower is known. `missing` has the debts that are known,
   * and what all accounts owe together, in whole units of the asset.
   */
  readonly incomplete: BotStatus['incomplete'];
  /** Markets whose rules are not known, each with its sentence. Nothing of them is liquidated. */
  readonly refused: BotStatus['refused'];
  /**
   * Of each protocol with many markets, for instance Morpho Blue: how many are served, how many are not, by
   * the reason, and the markets that have no price or no rate now, at most 50 of them. Where its
   * pre-liquidations are looked for: how many contracts are known, of how many served markets, and how many
   * positions one of them may take now.
   */
  readonly coverage: BotStatus['coverage'];
  /** Of each market; empty until they have been asked. */
  readonly feeds: readonly MarketFeedsAnswer[];
  /** Of all transactions that were signed, over restarts. */
  readonly outcomes: OutcomesAnswer;
  /** Since the process started. */
  readonly counters: BotStatus['counters'];
  /** How long the stages of the last passes took, and the way from a head to a transaction. */
  readonly stages: readonly StageTimeAnswer[];
  /** The price of the native token in the last pass; null when it is missing. */
  readonly nativePrice: NonNullable<BotStatus['nativePrice']> | null;
  /** Positions that the last pass could liquidate but did not, by reason. */
  readonly skipped: BotStatus['skipped'];
  readonly limits: LimitsAnswer;
  /** What operators have set: narrower limits, paused markets, denied borrowers. */
  readonly steering: SteeringAnswer;
  readonly tier: TierAnswer;
  readonly alerts: AlertsAnswer;
}

/** Which process signs with the wallet. */
export interface LeaseAnswer {
  /** What this process is. A `standby` reads and waits; `dry-run` needs no lease. */
  readonly role: BotStatus['lease']['role'];
  /** The process that has the lease: host, process id and a random part. Null when it is not known. */
  readonly holder: string | null;
  /** Grows with every process that takes the lease. */
  readonly epoch: number | null;
}

const DAY_MS = 86_400_000;

/** Also the answer of a halt and of a resume. */
export interface SafetyAnswer {
  readonly state: SafetyStatus['state'];
  readonly reason: string;
  /** The key that caused the state, or "chimera". */
  readonly actor: string;
  readonly since: string;
  /** What it is about; null while nothing is wrong. */
  readonly cause: SafetyStatus['cause'] | null;
  /** What was measured, by name. */
  readonly numbers: SafetyStatus['numbers'];
  readonly consecutiveFailures: number;
  /** All that is wrong, the oldest first. The state is the highest level among them. */
  readonly concerns: readonly ConcernAnswer[];
}

export interface ConcernAnswer {
  readonly cause: Concern['cause'];
  readonly level: Concern['level'];
  readonly reason: string;
  readonly actor: string;
  readonly since: string;
  readonly numbers: Concern['numbers'];
}

export interface HeadAnswer {
  readonly number: number;
  readonly hash: string;
  readonly timestamp: string;
  /** Our clock minus the block's time. Negative when the chain's clock is ahead. */
  readonly lagSeconds: number;
}

/** Passes that failed since one succeeded. */
export interface PassesAnswer {
  readonly failedInARow: number;
  /** Milliseconds since the first of them began. */
  readonly failingSinceMs: number | null;
  readonly lastError: string | null;
}

/** How the database fares, and what waits for it. */
export interface DatabaseAnswer {
  /** Null while it serves. */
  readonly awaySince: string | null;
  /** How long the last answer took, or how long the present one has been awaited. */
  readonly latencyMs: number;
  /** Rows that wait for it. */
  readonly waiting: number;
  /** Of these, those on the local disk: decisions of a dry run. */
  readonly inJournal: number;
  /** Changes of the safety state that wait for it. */
  readonly safetyChanges: number;
  /** Rows that were left out since the process started, because too many waited. */
  readonly dropped: number;
}

export function databaseAnswer(status: DatabaseStatus, nowMs: number): DatabaseAnswer {
  const { awayForMs, latencyMs, waiting, inJournal, safetyChanges, dropped } = status;
  const awaySince = awayForMs > 0 ? new Date(nowMs - awayForMs).toISOString() : null;
  return { awaySince, latencyMs, waiting, inJournal, safetyChanges, dropped };
}

/** Of a thousand markets without a price, the first tell enough. */
const MOST_FAULTY = 50;

export function coverageAnswer(coverage: BotStatus['coverage']): StatusAnswer['coverage'] {
  return coverage.map(({ market, served, unserved, faulty, preLiquidation }) => {
    const own = { market, served, unserved, faulty: faulty.slice(0, MOST_FAULTY) };
    return preLiquidation ? { ...own, preLiquidation } : own;
  });
}

/** The fields are listed one by one, so that new ones are not published unintentionally. */
export function leaseAnswer({ role, holder, epoch }: BotStatus['lease']): LeaseAnswer {
  return { role, holder: holder ?? null, epoch: epoch ?? null };
}

/** An endpoint is identified by its role only, because its address is a secret. */
export interface EndpointAnswer {
  readonly role: string;
  readonly healthy: boolean;
  readonly state: EndpointStatus['state'];
  readonly head: number | null;
  /** The latency of the last request that it served. */
  readonly latencyMs: number | null;
  readonly ok: number;
  readonly failed: number;
}

export interface LimitsAnswer {
  readonly maxSingleExecutionUsd: string;
  readonly maxDailyVolumeUsd: string;
  /** Debt that was covered, or that is in flight, in the present UTC day. */
  readonly dailyVolumeUsedUsd: string;
  readonly dailyVolumeLeftUsd: string;
  /** The next UTC midnight. */
  readonly dailyVolumeResetsAt: string;
  readonly maxConsecutiveFailures: number;
  readonly minOperatorBalanceEth: string;
  readonly maxFeePerTransactionEth: string;
  /** The highest fee of one transaction that the nodes take, once they refused a higher one. */
  readonly nodeFeeCapEth: string | null;
  /**
   * Used: by the receipts of the present UTC day. Reserved: the most that what is in flight may cost. Left:
   * the limit less both.
   */
  readonly maxDailyFeeEth: string;
  readonly dailyFeeUsedEth: string;
  readonly dailyFeeReservedEth: string;
  readonly dailyFeeLeftEth: string;
  readonly maxDailyLossUsd: string;
  readonly dailyLossUsedUsd: string;
  readonly dailyLossReservedUsd: string;
  readonly dailyLossLeftUsd: string;
  readonly maxWalletShareBps: number;
  /** What of the share of the wallet is not reserved. */
  readonly walletLeftEth: string;
}

/** Milliseconds, of the newest 512 times at most. */
export interface StageTimeAnswer {
  readonly stage: StageShares['stage'];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly sample: number;
}

/** The step of the limits. It goes up by the key `safety.tier`, never by itself. */
export interface TierAnswer {
  readonly present: number;
  /** The limits of the next one; null at the highest. */
  readonly next: { readonly maxSingleExecutionUsd: string; readonly maxDailyVolumeUsd: string } | null;
  /** What the last seven days should show before it goes up. */
  readonly criteria: TierStatus['criteria'];
}

export function tierAnswer({ tier, next, criteria }: TierStatus): TierAnswer {
  const limits = next && {
    maxSingleExecutionUsd: formatUnits(next.maxSingleExecutionUsd8, 8),
    maxDailyVolumeUsd: formatUnits(next.maxDailyVolumeUsd8, 8),
  };
  return { present: tier, next: limits ?? null, criteria };
}

/** Some outcomes: how many of each kind, and what was paid without winning. */
export interface OutcomeCountsAnswer {
  readonly won: number;
  /** To a rival, who was first. */
  readonly lost: number;
  /** The market came back, or the deadline passed. */
  readonly stale: number;
  /** By every node. */
  readonly refused: number;
  /** Only these count as failures. */
  readonly malfunction: number;
  /** won / (won + lost) in hundredths of a percent, rounded down; null before the first race. */
  readonly winRateBps: number | null;
  /** The fees of everything that was not won. */
  readonly lossesEth: string;
  readonly lossesUsd: string;
}

export interface OutcomesAnswer {
  readonly overall: OutcomeCountsAnswer;
  readonly last24h: OutcomeCountsAnswer;
  /** Of the last 100 executions since an operator resumed. */
  readonly rates: RatesAnswer;
  /** How many transactions may be in flight now, after the last outcomes. */
  readonly maxInFlight: number;
  /** The share of each bid that is offered now. */
  readonly bidShareBps: number;
}

/** Shares in hundredths of a percent, rounded down; null while there is nothing to count. */
export interface RatesAnswer {
  /** Executions that count. */
  readonly sample: number;
  /** Won of what was sent; a lost race has the weight `safety.lostRaceWeightBps`. */
  readonly inclusionBps: number | null;
  /** The same without lost races. */
  readonly ownInclusionBps: number | null;
  /** Realised of simulated profit, of those won. */
  readonly accuracyBps: number | null;
}

export function outcomesAnswer(outcomes: BotStatus['outcomes']): OutcomesAnswer {
  const { overall, last24h, maxInFlight, bidShareBps, rates } = outcomes;
  const { sample, inclusionBps = null, ownInclusionBps = null, accuracyBps = null } = rates;
  return {
    overall: outcomeCounts(overall),
    last24h: outcomeCounts(last24h),
    rates: { sample, inclusionBps, ownInclusionBps, accuracyBps },
    maxInFlight,
    bidShareBps,
  };
}

function outcomeCounts(summary: BotStatus['outcomes']['overall']): OutcomeCountsAnswer {
  const { counts, winRateBps, lossesWei, lossesUsd8 } = summary;
  return {
    ...counts,
    winRateBps: winRateBps ?? null,
    lossesEth: formatUnits(lossesWei, 18),
    lossesUsd: formatUnits(lossesUsd8, 8),
  };
}

export function safetyAnswer(status: SafetyStatus): SafetyAnswer {
  const { state, reason, actor, sinceMs, cause, numbers, consecutiveFailures, concerns } = status;
  return {
    ...{ state, reason, actor, since: iso(sinceMs), cause: cause ?? null, numbers, consecutiveFailures },
    concerns: concerns.map(({ sinceMs: raisedMs, ...concern }) => ({ ...concern, since: iso(raisedMs) })),
  };
}

export function headAnswer(head: BotStatus['head'], nowMs: number): HeadAnswer | null {
  if (!head) return null;
  const lagSeconds = Math.floor(nowMs / 1000) - head.timestamp;
  return { number: head.number, hash: head.hash, timestamp: iso(head.timestamp * 1000), lagSeconds };
}

export function passesAnswer({
  failedInARow,
  failingSinceMs,
  lastError,
}: BotStatus['failures']): PassesAnswer {
  return {
    failedInARow,
    failingSinceMs: failingSinceMs === undefined ? null : Math.round(failingSinceMs),
    lastError: lastError ?? null,
  };
}

/** The fields are listed one by one, so that new fields of the pool are not published unintentionally. */
export function endpointAnswer(status: EndpointStatus): EndpointAnswer {
  const { role, state, head, lastLatencyMs, ok, failed } = status;
  return {
    role,
    healthy: state === 'ok',
    state,
    head: head ?? null,
    latencyMs: lastLatencyMs === undefined ? null : Math.round(lastLatencyMs),
    ok,
    failed,
  };
}

export function limitsAnswer(
  limits: Omit<SafetyLimits, 'throttledInFlight' | 'throttledSkipBps'>,
  dailyVolumeUsd8: bigint,
  spending: Spending,
  nowMs: number,
): LimitsAnswer {
  return {
    maxSingleExecutionUsd: formatUnits(limits.maxSingleExecutionUsd8, 8),
    maxDailyVolumeUsd: formatUnits(limits.maxDailyVolumeUsd8, 8),
    dailyVolumeUsedUsd: formatUnits(dailyVolumeUsd8, 8),
    dailyVolumeLeftUsd: formatUnits(max(0n, limits.maxDailyVolumeUsd8 - dailyVolumeUsd8), 8),
    dailyVolumeResetsAt: iso((Math.floor(nowMs / DAY_MS) + 1) * DAY_MS),
    maxConsecutiveFailures: limits.maxConsecutiveFailures,
    minOperatorBalanceEth: formatUnits(limits.minOperatorBalanceWei, 18),
    ...spendingAnswer(spending),
  };
}

type SpendingAnswer = Omit<
  LimitsAnswer,
  | 'maxSingleExecutionUsd'
  | 'maxDailyVolumeUsd'
  | 'dailyVolumeUsedUsd'
  | 'dailyVolumeLeftUsd'
  | 'dailyVolumeResetsAt'
  | 'maxConsecutiveFailures'
  | 'minOperatorBalanceEth'
>;

function spendingAnswer({ limits, spent, reserved, left }: Spending): SpendingAnswer {
  const eth = (wei: bigint): string => formatUnits(wei, 18);
  const usd = (usd8: bigint): string => formatUnits(usd8, 8);
  return {
    maxFeePerTransactionEth: eth(limits.maxFeePerTransactionWei),
    nodeFeeCapEth: left.nodeCapWei === undefined ? null : eth(left.nodeCapWei),
    maxDailyFeeEth: eth(limits.maxDailyFeeWei),
    dailyFeeUsedEth: eth(spent.feeWei),
    dailyFeeReservedEth: eth(reserved.feeWei),
    dailyFeeLeftEth: eth(left.dayWei),
    maxDailyLossUsd: usd(limits.maxDailyLossUsd8),
    dailyLossUsedUsd: usd(spent.lossUsd8),
    dailyLossReservedUsd: usd(reserved.lossUsd8),
    dailyLossLeftUsd: usd(left.lossUsd8),
    maxWalletShareBps: limits.maxWalletShareBps,
    walletLeftEth: eth(left.walletWei),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** To the hundredth of a millisecond. */
export function stageTimeAnswer({ stage, p50Ms, p99Ms, sample }: StageShares): StageTimeAnswer {
  const rounded = (ms: number): number => Math.round(ms * 100) / 100;
  return { stage, p50Ms: rounded(p50Ms), p99Ms: rounded(p99Ms), sample };
}
