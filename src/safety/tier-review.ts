import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { ExecutionsRepository, SafetyRepository } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { ratesOf } from '../domain/execution-rates.js';
import {
  LIMIT_TIERS,
  RECORD_DAYS,
  tierCriteria,
  type Criterion,
  type LimitTier,
  type Record7d,
} from '../domain/limit-tiers.js';

const REFRESH_MS = 60_000;
const DAY_MS = 86_400_000;

/** Where the limits stand, and what speaks for the next tier. */
export interface TierStatus {
  /** From 1. */
  readonly tier: number;
  /** The limits of the next tier; undefined at the highest. */
  readonly next: LimitTier | undefined;
  /** Empty until the record of the last days was read, and at the highest tier. */
  readonly criteria: readonly Criterion[];
}

/**
 * Compares the record of the last seven days with the criteria of the next tier, once a minute. It only
 * shows: an operator goes up by `safety.tier`.
 */
@Injectable()
export class TierReview implements OnApplicationBootstrap, OnModuleDestroy {
  private record: Record7d | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly executions: ExecutionsRepository,
    private readonly transitions: SafetyRepository,
    private readonly clock: Clock,
    private readonly config: ChimeraConfig,
  ) {}

  onApplicationBootstrap(): void {
    void this.refresh();
    this.timer = setInterval(() => void this.refresh(), REFRESH_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  get status(): TierStatus {
    const { tier } = this.config.safety;
    const next = LIMIT_TIERS[tier];
    return { tier, next, criteria: next && this.record ? tierCriteria(this.record) : [] };
  }

  /** Without the database the last record stays. Never throws. */
  async refresh(): Promise<void> {
    const since = new Date(this.clock.wallMs() - RECORD_DAYS * DAY_MS);
    try {
      const [rated, halts] = await Promise.all([
        this.executions.ratedSince(this.config.network.chainId, since),
        this.transitions.haltsSince(since),
      ]);
      const { won, inclusionBps, accuracyBps } = ratesOf(rated, this.config.safety);
      const profitUsd8 = rated.reduce((sum, { realisedUsd8 }) => sum + realisedUsd8, 0n);
      this.record = { settled: rated.length, won, inclusionBps, accuracyBps, halts, profitUsd8 };
    } catch {
      // The database tells itself that it is away.
    }
  }
}
