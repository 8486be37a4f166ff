import type { BidBook, BidOutcome, BidStatus } from '../bids/bid-book.js';
import type { ExecutionsRepository, LeaseKey } from '../database/index.js';
import type { Clock } from '../domain/clock.js';
import {
  counted,
  NO_OUTCOMES,
  summaryOf,
  type Counted,
  type OutcomeSummary,
  type OutcomeTotals,
} from '../domain/outcome-tally.js';
import type { ExecutionRates } from '../domain/execution-rates.js';
import { pacingAfter, rested, startPacing, type Pacing } from '../domain/pacing.js';
import { ratedOutcome, type RateBook } from './rate-book.js';

/** An outcome that was settled. */
export interface SettledOutcome extends Counted, BidOutcome {
  /** Any text that names the block of the outcome. */
  readonly block: string;
  /** What was expected when it was planned. USD with 8 decimals. */
  readonly simulatedUsd8: bigint;
}

/** The outcomes so far, and how carefully the bot goes on after them. */
export interface OutcomeStatus {
  readonly overall: OutcomeSummary;
  readonly last24h: OutcomeSummary;
  /** Of the last executions. */
  readonly rates: ExecutionRates;
  /** Transactions that may be in flight now. */
  readonly maxInFlight: number;
  /** The share of each bid that is offered now. */
  readonly bidShareBps: number;
  readonly bids: BidStatus;
}

const DAY_MS = 86_400_000;

/**
 * Counts the outcomes and applies the pacing rule to them. The counts are those of the rows, so they outlive
 * a restart. The pace starts anew with the process.
 */
export class OutcomeBook {
  private totals: OutcomeTotals = NO_OUTCOMES;
  /** Of the last 24 hours, by execution, the oldest first. */
  private recent = new Map<string, Counted & { readonly atMs: number }>();
  private pacing: Pacing;

  constructor(
    private readonly executions: ExecutionsRepository,
    private readonly owner: LeaseKey,
    private readonly clock: Clock,
    /** The key `execution.maxInFlight`. */
    private readonly most: number,
    private readonly rateBook: RateBook,
    readonly bids: BidBook,
  ) {
    this.pacing = startPacing(most, clock.monotonicMs());
  }

  /** Reads what earlier processes settled. May be called again. @throws RetryError */
  async load(): Promise<void> {
    const since = new Date(this.clock.wallMs() - DAY_MS);
    const [totals, recent] = await Promise.all([
      this.executions.outcomeTotals(this.owner),
      this.executions.outcomesSince(this.owner, since),
    ]);
    this.totals = { ...NO_OUTCOMES, ...totals };
    this.recent = new Map(recent.map(({ executionId, ...one }) => [executionId, one]));
    await this.rateBook.load();
    await this.bids.load(this.owner);
  }

  settled(settled: SettledOutcome): void {
    const { executionId, block, outcome, feesWei, profitUsd8, simulatedUsd8, rival } = settled;
    this.forget(executionId);
    const one = { outcome, feesWei, profitUsd8 };
    this.totals = counted(this.totals, one);
    this.recent.set(executionId, { ...one, atMs: this.clock.wallMs() });
    this.pacing = pacingAfter(this.pacing, outcome, block, this.most, this.clock.monotonicMs());
    const rated = { outcome: ratedOutcome(outcome, rival), simulatedUsd8, realisedUsd8: profitUsd8 };
    this.rateBook.settled({ executionId, ...rated });
    this.bids.settled(settled);
  }

  /** A reorg took the outcome back. The pace stays as it is, because a reorg is no win. */
  takenBack(executionId: string): void {
    this.forget(executionId);
    this.rateBook.takenBack(executionId);
    this.bids.takenBack(executionId);
  }

  private forget(executionId: string): void {
    const one = this.recent.get(executionId);
    if (!one) return;
    this.recent.delete(executionId);
    this.totals = counted(this.totals, one, -1);
  }

  /** What the outcomes so far allow. */
  get pace(): Pick<Pacing, 'maxInFlight' | 'bidShareBps'> {
    return rested(this.pacing, this.most, this.clock.monotonicMs());
  }

  get status(): OutcomeStatus {
    this.forgetOld();
    const last24h = [...this.recent.values()].reduce((totals, one) => counted(totals, one), NO_OUTCOMES);
    const { maxInFlight, bidShareBps } = this.pace;
    const { rates } = this.rateBook;
    const [overall, lastDay] = [summaryOf(this.totals), summaryOf(last24h)];
    return { overall, last24h: lastDay, rates, maxInFlight, bidShareBps, bids: this.bids.status };
  }

  private forgetOld(): void {
    const before = this.clock.wallMs() - DAY_MS;
    for (const [executionId, { atMs }] of this.recent) {
      if (atMs >= before) return;
      this.recent.delete(executionId);
    }
  }
}
