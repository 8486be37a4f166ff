import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import type { Spending } from '../domain/budget.js';
import type { RejectionReason } from '../domain/decision.js';
import type { Address } from '../domain/hex.js';
import { ExecutionService, type LeaseStatus, type OutcomeStatus, type Prospect } from '../execution/index.js';
import { MetricBook } from '../monitoring/metrics/metric-book.js';
import { totalsOf, type Totals } from '../monitoring/metrics/totals.js';
import type { Incomplete } from '../state/completeness.js';
import { DoubtedPositions, type SetAside } from '../state/doubted-positions.js';
import { StateEngine } from '../state/state-engine.js';
import { ChimeraBot, type BotPhase } from './chimera-bot.js';
import type { NativePriceAge } from './block-pass.js';
import { PassLoop } from './pass-loop.js';
import type { PassFailures } from './pass-watchdog.js';

/** What the operator sees of the loop. Counters start at 0 with the process. */
export interface BotStatus {
  readonly phase: BotPhase;
  readonly mode: 'dry-run' | 'live';
  /** The account that signs. */
  readonly operator: Address;
  /** Who signs with the wallet. */
  readonly lease: LeaseStatus;
  readonly head: { readonly number: number; readonly hash: string; readonly timestamp: number } | undefined;
  /** Milliseconds since the last pass ended; undefined before the first. */
  readonly sinceLastPassMs: number | undefined;
  /** Passes that failed since one succeeded. */
  readonly failures: PassFailures;
  readonly positions: number;
  /** Positions that are near the limit or below it, and a few others. */
  readonly watched: number;
  /** Markets whose borrowers are not all known yet. */
  readonly backfill: readonly {
    readonly market: string;
    readonly fromBlock: number;
    /** Every borrower up to this block has been found. */
    readonly atBlock: number;
    readonly toBlock: number;
    /** Borrowers that were found and not read yet. */
    readonly unread: number;
  }[];
  /** Markets of which it is not proven that every borrower is known. */
  readonly incomplete: readonly Incomplete[];
  /** Markets whose rules are not known: nothing of them is liquidated. */
  readonly refused: StateEngine['refused'];
  /** Of each protocol with many markets: which of them are served. */
  readonly coverage: StateEngine['coverage'];
  /** Positions about which our books and the chain differ. */
  readonly setAside: readonly SetAside[];
  readonly liquidatable: number;
  readonly inFlight: number;
  /** Heads that wait for the running pass. */
  readonly waitingHeads: number;
  /** What became of our transactions, and the pace that follows from it. */
  readonly outcomes: OutcomeStatus;
  /** Wei, as last read; undefined before the first read. */
  readonly operatorBalanceWei: bigint | undefined;
  /** The budgets of fees and losses, and what is used of them. */
  readonly spending: Spending;
  readonly counters: Totals;
  /** Of the last pass; undefined when it is missing. */
  readonly nativePrice: NativePriceAge | undefined;
  /** Positions with a health factor below 1 that the last pass did not liquidate, by reason. */
  readonly skipped: Readonly<Partial<Record<RejectionReason, number>>>;
}

/** Collects the status of the bot from its parts. */
@Injectable()
export class BotStatusReader {
  constructor(
    private readonly bot: ChimeraBot,
    private readonly loop: PassLoop,
    private readonly state: StateEngine,
    private readonly doubts: DoubtedPositions,
    private readonly execution: ExecutionService,
    private readonly book: MetricBook,
    private readonly config: ChimeraConfig,
  ) {}

  /** Whether a head is being worked on: then nothing else should take the time of the process. */
  get isInPass(): boolean {
    return this.loop.isInPass;
  }

  /** What a resume does with what is in flight; undefined when the chain could not be asked. */
  prospect(): Promise<Prospect | undefined> {
    return this.execution.prospect();
  }

  status(): BotStatus {
    const { phase } = this.bot;
    const { lastPass, sinceLastPassMs } = this.loop;
    const block = this.state.view?.block;
    return {
      phase,
      mode: this.config.execution.mode,
      operator: this.execution.operator,
      lease: this.execution.lease,
      head: block && { number: block.number, hash: block.hash, timestamp: block.timestamp },
      sinceLastPassMs: sinceLastPassMs === undefined ? undefined : Math.round(sinceLastPassMs),
      failures: this.loop.failures,
      positions: this.state.positionCount,
      watched: this.state.watchedCount,
      backfill: this.config.protocols.flatMap(({ name }) => {
        const progress = this.state.backfill.progressOf(name);
        return progress ? [{ market: name, ...progress }] : [];
      }),
      incomplete: this.state.incomplete,
      refused: this.state.refused,
      coverage: this.state.coverage,
      setAside: this.doubts.setAside,
      liquidatable: lastPass?.liquidatable ?? 0,
      inFlight: this.execution.inFlight().size,
      waitingHeads: this.loop.waitingHeads,
      outcomes: this.execution.outcomes,
      operatorBalanceWei: phase === 'starting' ? undefined : this.execution.operatorBalanceWei,
      spending: this.execution.spending(),
      counters: totalsOf(this.book),
      nativePrice: lastPass?.nativePrice,
      skipped: lastPass?.skipped ?? {},
    };
  }
}
