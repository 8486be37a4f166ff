import type { RejectionReason } from '../domain/decision.js';

/** `starting` until the first complete view, `stopping` from the first signal on. */
export type BotPhase = 'starting' | 'running' | 'stopping';

/** What the operator sees of the loop. Counters start at 0 with the process. */
export interface BotStatus {
  readonly phase: BotPhase;
  readonly mode: 'dry-run' | 'live';
  readonly head: { readonly number: number; readonly hash: string; readonly timestamp: number } | undefined;
  /** Milliseconds since the last pass ended; undefined before the first. */
  readonly sinceLastPassMs: number | undefined;
  readonly positions: number;
  /** Markets whose borrowers are not all known yet. */
  readonly backfill: readonly {
    readonly market: string;
    readonly fromBlock: number;
    /** Everybody who borrowed up to this block has been found. */
    readonly atBlock: number;
    readonly toBlock: number;
    /** Found, and not read yet. */
    readonly unread: number;
  }[];
  readonly liquidatable: number;
  readonly inFlight: number;
  /** Wei, at the last look; undefined before the first. */
  readonly operatorBalanceWei: bigint | undefined;
  readonly counters: {
    readonly passes: number;
    readonly planned: number;
    readonly sent: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly divergences: number;
    readonly passErrors: number;
  };
  /** Positions below 1 that are left alone at the last pass, by reason. */
  readonly skipped: Readonly<Partial<Record<RejectionReason, number>>>;
}
