import type { ExecutionsRepository, LeaseKey } from '../database/index.js';
import type { Clock } from '../domain/clock.js';
import {
  RATED_EXECUTIONS,
  ratesOf,
  type ExecutionRates,
  type RatedExecution,
} from '../domain/execution-rates.js';
import type { SafetyController } from '../safety/index.js';

/**
 * So many are kept, more than a reorg can take back and {@link RATED_EXECUTIONS} beside: when the newest are
 * taken back, older ones count again, as they do after a restart.
 */
const KEPT_EXECUTIONS = 10 * RATED_EXECUTIONS;

type Rated = RatedExecution & { readonly executionId: string; readonly atMs: number };

/**
 * The last executions, and their rates. The safety controller hears of each change. The executions are those
 * of the rows, so that they outlive a restart. A resume by an operator begins anew.
 */
export class RateBook {
  private last: readonly Rated[] = [];

  constructor(
    private readonly executions: ExecutionsRepository,
    private readonly owner: LeaseKey,
    private readonly safety: SafetyController,
    private readonly clock: Clock,
    private readonly lostRaceWeightBps: number,
  ) {}

  /** Reads what earlier processes settled. May be called again. @throws RetryError */
  async load(): Promise<void> {
    const since = new Date(this.safety.status().ratesSinceMs);
    const rows = await this.executions.lastRated(this.owner, since, KEPT_EXECUTIONS);
    this.last = rows.map((row) => ({ ...row, outcome: ratedOutcome(row.outcome, row.rival) }));
    this.tell();
  }

  settled(execution: RatedExecution & { readonly executionId: string }): void {
    if (execution.outcome === 'refused') return;
    const others = this.last.filter(({ executionId }) => executionId !== execution.executionId);
    this.last = [...others, { ...execution, atMs: this.clock.wallMs() }].slice(-KEPT_EXECUTIONS);
    this.tell();
  }

  /** A reorg took the outcome back. */
  takenBack(executionId: string): void {
    this.last = this.last.filter((one) => one.executionId !== executionId);
    this.tell();
  }

  get rates(): ExecutionRates {
    const { ratesSinceMs } = this.safety.status();
    const counting = this.last.filter(({ atMs }) => atMs > ratesSinceMs).slice(-RATED_EXECUTIONS);
    return ratesOf(counting, { lostRaceWeightBps: this.lostRaceWeightBps });
  }

  /** Holds from here on. It is saved in the background. */
  private tell(): void {
    void this.safety.rated(this.rates);
  }
}

/** A stale outcome of which it is not known whether a rival was first counts as a lost race. */
export function ratedOutcome(outcome: RatedExecution['outcome'], rival: unknown): RatedExecution['outcome'] {
  return outcome === 'stale' && rival === 'unknown' ? 'lost' : outcome;
}
