/** The answers of the API. test/dashboard-answers.spec.ts writes this file from docs/openapi.json. */
/* eslint-disable max-lines -- it is as long as the answers */

export type AlertsPage = { readonly alerts: readonly AlertAnswer[] };

export type ExecutionDetail = {
  readonly explanation: readonly ExplanationAnswer[];
  readonly plan: unknown;
  readonly id: string;
  readonly createdAt: string;
  readonly mode: 'dry-run' | 'live';
  readonly status:
    | 'authorised'
    | 'cancelled'
    | 'dropped'
    | 'dry-run'
    | 'planned'
    | 'rejected'
    | 'reverted'
    | 'submitted'
    | 'succeeded';
  readonly chainId: number | null;
  readonly reason: string | null;
  readonly protocol: string;
  readonly borrower: string;
  readonly marketId: string | null;
  readonly block: { readonly number: number; readonly hash: string };
  readonly healthFactor: string;
  readonly collateralAsset: string | null;
  readonly collateralSymbol: string | null;
  readonly debtAsset: string | null;
  readonly debtSymbol: string | null;
  readonly liquidations: number | null;
  readonly debtToCover: string | null;
  readonly debtToCoverTokens: string | null;
  readonly expectedCollateral: string | null;
  readonly expectedCollateralTokens: string | null;
  readonly notionalUsd: string | null;
  readonly simulatedProfitUsd: string | null;
  readonly gasCostUsd: string | null;
  readonly l1FeeUsd: string | null;
  readonly operatorFeeUsd: string | null;
  readonly poolFeeUsd: string | null;
  readonly bidUsd: string | null;
  readonly simulatedNetProfitUsd: string | null;
  readonly outcome: {
    readonly kind: 'lost' | 'malfunction' | 'refused' | 'stale' | 'won' | null;
    readonly details: unknown;
    readonly txHash: string | null;
    readonly debtCovered: string | null;
    readonly debtCoveredTokens: string | null;
    readonly collateralSeized: string | null;
    readonly collateralSeizedTokens: string | null;
    readonly profitAsset: string | null;
    readonly profitSymbol: string | null;
    readonly realisedProfit: string | null;
    readonly realisedProfitTokens: string | null;
    readonly realisedProfitUsd: string | null;
    readonly gasUsed: string | null;
    readonly feesWei: string | null;
    readonly headToSendUs: number | null;
    readonly settledAt: string | null;
  };
};

export type ExecutionsPage = {
  readonly executions: readonly ExecutionAnswer[];
  readonly next: string | null;
};

export type PositionsPage = {
  readonly block: { readonly number: number; readonly hash: string; readonly timestamp: string };
  readonly total: number;
  readonly positions: readonly PositionAnswer[];
  readonly next: string | null;
};

export type PositionsPlotAnswer = {
  readonly block: { readonly number: number; readonly hash: string; readonly timestamp: string };
  readonly total: number;
  readonly protocols: readonly string[];
  readonly points: readonly (readonly (string | number)[])[];
};

export type ProfitAnswer = {
  readonly from: string;
  readonly to: string;
  readonly points: readonly ProfitPointAnswer[];
  readonly simulatedUsd: string;
  readonly realisedUsd: string;
  readonly lostFeesUsd: string;
  readonly decisions: {
    readonly simulated: number;
    readonly left: number;
    readonly dryRun: number;
    readonly signed: number;
  };
  readonly outcomes: {
    readonly won: number;
    readonly lost: number;
    readonly stale: number;
    readonly refused: number;
    readonly malfunction: number;
  };
  readonly leftBecause: readonly CountedAnswer[];
  readonly rivals: readonly CountedAnswer[];
  readonly headToSend: {
    readonly p50Us: number | null;
    readonly p99Us: number | null;
    readonly sample: number;
  };
};

export type StatusAnswer = {
  readonly network: { readonly name: string; readonly chainId: number };
  readonly mode: 'dry-run' | 'live';
  readonly lease: LeaseAnswer;
  readonly phase: 'running' | 'starting' | 'stopping';
  readonly safety: SafetyAnswer;
  readonly head: HeadAnswer | null;
  readonly sinceLastPassMs: number | null;
  readonly passes: PassesAnswer;
  readonly database: DatabaseAnswer;
  readonly endpoints: readonly EndpointAnswer[];
  readonly positions: {
    readonly total: number;
    readonly near: number;
    readonly liquidatable: number;
    readonly inFlight: number;
    readonly setAside: readonly {
      readonly market: string;
      readonly account: string;
      readonly sinceBlock: number;
    }[];
  };
  readonly backfill: readonly {
    readonly market: string;
    readonly fromBlock: number;
    readonly atBlock: number;
    readonly toBlock: number;
    readonly unread: number;
  }[];
  readonly incomplete: readonly {
    readonly market: string;
    readonly missing: readonly {
      readonly asset: string;
      readonly symbol: string;
      readonly known: string;
      readonly total: string;
      readonly lacks: boolean;
    }[];
  }[];
  readonly refused: readonly { readonly market: string; readonly reason: string }[];
  readonly coverage: readonly {
    readonly served: number;
    readonly unserved: Readonly<Record<string, number>>;
    readonly faulty: readonly {
      readonly marketId: string;
      readonly pair: string;
      readonly reason:
        | 'collateral-worthless'
        | 'denied'
        | 'loan-token-not-chosen'
        | 'loan-token-without-price'
        | 'no-debt'
        | 'not-chosen'
        | 'not-created'
        | 'oracle-nonsense'
        | 'oracle-not-by-feeds'
        | 'oracle-out-of-gas'
        | 'oracle-reverts'
        | 'oracle-silent'
        | 'oracle-zero'
        | 'rate-unknown'
        | 'token-unreadable'
        | 'too-small';
    }[];
    readonly preLiquidation?: {
      readonly contracts: number;
      readonly markets: number;
      readonly positions: number;
      readonly searching: boolean;
      readonly problem?: string;
    };
    readonly market: string;
  }[];
  readonly feeds: readonly MarketFeedsAnswer[];
  readonly outcomes: OutcomesAnswer;
  readonly counters: {
    readonly passes: number;
    readonly planned: number;
    readonly succeeded: number;
    readonly sent: number;
    readonly failed: number;
    readonly divergences: number;
    readonly passErrors: number;
  };
  readonly stages: readonly StageTimeAnswer[];
  readonly nativePrice: { readonly ageSeconds: number; readonly isKept: boolean };
  readonly skipped: Readonly<Record<string, number>>;
  readonly limits: LimitsAnswer;
  readonly steering: SteeringAnswer;
  readonly tier: TierAnswer;
  readonly alerts: AlertsAnswer;
};

export type WorkingLimitsAnswer = { readonly limits: readonly WorkingLimitAnswer[] };

export type AlertAnswer = {
  readonly id: string;
  readonly rule: string;
  readonly severity: string;
  readonly title: string;
  readonly text: string;
  readonly since: string;
  readonly repeats: number;
  readonly told: boolean;
  readonly acknowledgedBy: string | null;
  readonly acknowledgedAt: string | null;
};

export type ExplanationAnswer = { readonly subject: string; readonly text: string };

export type ExecutionAnswer = {
  readonly id: string;
  readonly createdAt: string;
  readonly mode: 'dry-run' | 'live';
  readonly status:
    | 'authorised'
    | 'cancelled'
    | 'dropped'
    | 'dry-run'
    | 'planned'
    | 'rejected'
    | 'reverted'
    | 'submitted'
    | 'succeeded';
  readonly chainId: number | null;
  readonly reason: string | null;
  readonly protocol: string;
  readonly borrower: string;
  readonly marketId: string | null;
  readonly block: { readonly number: number; readonly hash: string };
  readonly healthFactor: string;
  readonly collateralAsset: string | null;
  readonly collateralSymbol: string | null;
  readonly debtAsset: string | null;
  readonly debtSymbol: string | null;
  readonly liquidations: number | null;
  readonly debtToCover: string | null;
  readonly debtToCoverTokens: string | null;
  readonly expectedCollateral: string | null;
  readonly expectedCollateralTokens: string | null;
  readonly notionalUsd: string | null;
  readonly simulatedProfitUsd: string | null;
  readonly gasCostUsd: string | null;
  readonly l1FeeUsd: string | null;
  readonly operatorFeeUsd: string | null;
  readonly poolFeeUsd: string | null;
  readonly bidUsd: string | null;
  readonly simulatedNetProfitUsd: string | null;
  readonly outcome: {
    readonly kind: 'lost' | 'malfunction' | 'refused' | 'stale' | 'won' | null;
    readonly details: unknown;
    readonly txHash: string | null;
    readonly debtCovered: string | null;
    readonly debtCoveredTokens: string | null;
    readonly collateralSeized: string | null;
    readonly collateralSeizedTokens: string | null;
    readonly profitAsset: string | null;
    readonly profitSymbol: string | null;
    readonly realisedProfit: string | null;
    readonly realisedProfitTokens: string | null;
    readonly realisedProfitUsd: string | null;
    readonly gasUsed: string | null;
    readonly feesWei: string | null;
    readonly headToSendUs: number | null;
    readonly settledAt: string | null;
  };
};

export type PositionAnswer = {
  readonly protocol: string;
  readonly market: string;
  readonly marketId: string | null;
  readonly borrower: string;
  readonly healthFactor: string;
  readonly collateralUsd: string;
  readonly debtUsd: string;
  readonly collaterals: readonly HoldingAnswer[];
  readonly debts: readonly HoldingAnswer[];
};

export type ProfitPointAnswer = {
  readonly at: string;
  readonly simulatedUsd: string;
  readonly realisedUsd: string;
  readonly lostFeesUsd: string;
};

export type CountedAnswer = { readonly what: string; readonly count: number };

export type LeaseAnswer = {
  readonly role: 'dry-run' | 'leader' | 'standby' | 'taking-over';
  readonly holder: string | null;
  readonly epoch: number | null;
};

export type SafetyAnswer = {
  readonly state: 'HALTED' | 'NORMAL' | 'THROTTLED';
  readonly reason: string;
  readonly actor: string;
  readonly since: string;
  readonly cause?:
    | 'accuracy'
    | 'books'
    | 'bug'
    | 'chain'
    | 'contract'
    | 'database'
    | 'failures'
    | 'inclusion'
    | 'operator'
    | 'passes'
    | 'rpc'
    | 'signer'
    | null;
  readonly numbers: Readonly<Record<string, string | number>>;
  readonly consecutiveFailures: number;
  readonly concerns: readonly ConcernAnswer[];
};

export type HeadAnswer = {
  readonly number: number;
  readonly hash: string;
  readonly timestamp: string;
  readonly lagSeconds: number;
};

export type PassesAnswer = {
  readonly failedInARow: number;
  readonly failingSinceMs: number | null;
  readonly lastError: string | null;
};

export type DatabaseAnswer = {
  readonly awaySince: string | null;
  readonly latencyMs: number;
  readonly waiting: number;
  readonly inJournal: number;
  readonly safetyChanges: number;
  readonly dropped: number;
};

export type EndpointAnswer = {
  readonly role: string;
  readonly healthy: boolean;
  readonly state: 'circuit-open' | 'not-believed' | 'ok' | 'out-of-sync' | 'paused' | 'wrong-chain';
  readonly head: number | null;
  readonly latencyMs: number | null;
  readonly ok: number;
  readonly failed: number;
};

export type MarketFeedsAnswer = {
  readonly market: string;
  readonly block: number;
  readonly debtUsd: string;
  readonly kinds: {
    readonly svr: { readonly feeds: number; readonly debtShareBps: number };
    readonly 'oev-wrapper': { readonly feeds: number; readonly debtShareBps: number };
    readonly unknown: { readonly feeds: number; readonly debtShareBps: number };
    readonly public: { readonly feeds: number; readonly debtShareBps: number };
  };
  readonly feeds: readonly FeedAnswer[];
  readonly more: number;
};

export type OutcomesAnswer = {
  readonly overall: OutcomeCountsAnswer;
  readonly last24h: OutcomeCountsAnswer;
  readonly rates: RatesAnswer;
  readonly maxInFlight: number;
  readonly bidShareBps: number;
};

export type StageTimeAnswer = {
  readonly stage:
    'detect' | 'head-to-send' | 'logs' | 'mined' | 'plan' | 'prove' | 'record' | 'send' | 'state';
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly sample: number;
};

export type LimitsAnswer = {
  readonly maxSingleExecutionUsd: string;
  readonly maxDailyVolumeUsd: string;
  readonly dailyVolumeUsedUsd: string;
  readonly dailyVolumeLeftUsd: string;
  readonly dailyVolumeResetsAt: string;
  readonly maxConsecutiveFailures: number;
  readonly minOperatorBalanceEth: string;
  readonly maxFeePerTransactionEth: string;
  readonly nodeFeeCapEth: string | null;
  readonly maxDailyFeeEth: string;
  readonly dailyFeeUsedEth: string;
  readonly dailyFeeReservedEth: string;
  readonly dailyFeeLeftEth: string;
  readonly maxDailyLossUsd: string;
  readonly dailyLossUsedUsd: string;
  readonly dailyLossReservedUsd: string;
  readonly dailyLossLeftUsd: string;
  readonly maxWalletShareBps: number;
  readonly walletLeftEth: string;
};

export type SteeringAnswer = {
  readonly limits: readonly NarrowedAnswer[];
  readonly paused: readonly PausedAnswer[];
  readonly denied: readonly DeniedAnswer[];
};

export type TierAnswer = {
  readonly present: number;
  readonly next: { readonly maxSingleExecutionUsd: string; readonly maxDailyVolumeUsd: string };
  readonly criteria: readonly {
    readonly what: string;
    readonly needed: string;
    readonly seen: string;
    readonly met: boolean;
  }[];
};

export type AlertsAnswer = {
  readonly active: number;
  readonly channels: readonly ChannelAnswer[];
  readonly notStoredBecause: string | null;
};

export type WorkingLimitAnswer = {
  readonly name: string;
  readonly valueUsd: string;
  readonly configuredUsd: string;
  readonly setBy: NarrowedAnswer | null;
};

export type HoldingAnswer = {
  readonly asset: string;
  readonly symbol: string;
  readonly amount: string;
  readonly amountTokens: string;
  readonly valueUsd: string;
};

export type ConcernAnswer = {
  readonly cause:
    | 'accuracy'
    | 'books'
    | 'bug'
    | 'chain'
    | 'contract'
    | 'database'
    | 'failures'
    | 'inclusion'
    | 'operator'
    | 'passes'
    | 'rpc'
    | 'signer';
  readonly level: 'HALTED' | 'THROTTLED';
  readonly reason: string;
  readonly actor: string;
  readonly since: string;
  readonly numbers: Readonly<Record<string, string | number>>;
};

export type FeedAnswer = {
  readonly of: string;
  readonly address: string | null;
  readonly kind: 'oev-wrapper' | 'public' | 'svr' | 'unknown';
  readonly type: string | null;
  readonly debtShareBps: number;
};

export type OutcomeCountsAnswer = {
  readonly won: number;
  readonly lost: number;
  readonly stale: number;
  readonly refused: number;
  readonly malfunction: number;
  readonly winRateBps: number | null;
  readonly lossesEth: string;
  readonly lossesUsd: string;
};

export type RatesAnswer = {
  readonly sample: number;
  readonly inclusionBps: number | null;
  readonly ownInclusionBps: number | null;
  readonly accuracyBps: number | null;
};

export type NarrowedAnswer = {
  readonly limit: string;
  readonly valueUsd: string;
  readonly reason: string;
  readonly actor: string;
  readonly since: string;
};

export type PausedAnswer = {
  readonly protocol: string;
  readonly reason: string;
  readonly actor: string;
  readonly since: string;
};

export type DeniedAnswer = {
  readonly borrower: string;
  readonly reason: string;
  readonly actor: string;
  readonly since: string;
};

export type ChannelAnswer = {
  readonly name: string;
  readonly kind: string;
  readonly pending: number;
  readonly sent: number;
  readonly givenUp: number;
  readonly failedInARow: number;
  readonly lastError: string | null;
  readonly lastSentAt: string | null;
  readonly lastLatencyMs: number | null;
};
