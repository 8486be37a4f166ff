import type { Concern, SafetyState } from '../domain/safety.js';

/** What the rules look at, once a second. Plain values: a rule asks nobody. */
export interface Watched {
  readonly phase: 'starting' | 'running' | 'stopping';
  /** How long this phase has lasted. Milliseconds. */
  readonly phaseForMs: number;
  readonly safety: {
    readonly state: SafetyState;
    readonly reason: string;
    /** The key that caused the state, or "chimera". */
    readonly actor: string;
    readonly consecutiveFailures: number;
    /** What stands, by its cause. */
    readonly concerns: readonly Pick<Concern, 'cause' | 'level' | 'reason'>[];
    /** The key `safety.resumeAfterSeconds`. */
    readonly resumesAfterSeconds: number;
  };
  readonly rates: {
    /** undefined while too few executions count. */
    readonly inclusionBps: number | undefined;
    readonly accuracyBps: number | undefined;
    /** How many executions count in the inclusion, and how many wins in the accuracy. */
    readonly sample: number;
    readonly won: number;
    /** Below these the bot halts, and is throttled: hundredths of a percent. */
    readonly haltInclusionBps: number;
    readonly throttleInclusionBps: number;
    readonly haltAccuracyBps: number;
    readonly throttleAccuracyBps: number;
  };
  /** undefined before the balance was read. Wei. */
  readonly walletWei: bigint | undefined;
  readonly minWalletWei: bigint;
  /** Undefined while the database serves. Milliseconds. */
  readonly databaseAwayMs: number | undefined;
  readonly volume: { readonly usedUsd8: bigint; readonly limitUsd8: bigint };
  readonly loss: { readonly usedUsd8: bigint; readonly limitUsd8: bigint };
  readonly passes: {
    readonly failedInARow: number;
    /** Milliseconds; undefined while none has failed. */
    readonly failingSinceMs: number | undefined;
    /** Milliseconds; undefined while none runs. */
    readonly runningSinceMs: number | undefined;
    readonly lastError: string | undefined;
  };
  readonly endpoints: readonly {
    readonly role: string;
    /** `ok`, or why it is not used. */
    readonly state: string;
    /** It is asked second, because it fails often or is slow. */
    readonly struggling: boolean;
  }[];
  readonly setAside: readonly {
    readonly market: string;
    readonly account: string;
    readonly sinceBlock: number;
  }[];
  /** Markets of which it is not proven that every borrower is known. */
  readonly incomplete: readonly string[];
  /** Markets whose rules are not known, each with its sentence. */
  readonly refused: readonly { readonly market: string; readonly reason: string }[];
  readonly lease: {
    readonly role: 'dry-run' | 'leader' | 'taking-over' | 'standby';
    readonly holder: string | undefined;
  };
  /** Positions that the last pass left because the chain counts transactions that the bot does not know. */
  readonly nonceInQuestion: number;
}
