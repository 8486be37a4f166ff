import type { RejectionReason } from '../domain/decision.js';
import type { SafetyState } from '../domain/safety.js';

/**
 * Everything the bot says about its decisions, one log line each. Amounts are decimal text of the smallest unit, USD is
 * text with 8 decimals of precision (`…Usd8`), health factors are wad text: nothing is rounded on its way to a reader.
 */
export type BotEvent =
  | {
      readonly event: 'bot-started';
      readonly mode: 'dry-run' | 'live';
      readonly chainId: number;
      readonly block: number;
      readonly positions: number;
      readonly operator: string;
      readonly chimera: string;
    }
  | {
      /** How far a backfill has come; on a terminal a line drawn in place says it instead. */
      readonly event: 'backfill';
      readonly market: string;
      readonly fromBlock: number;
      readonly atBlock: number;
      readonly toBlock: number;
      readonly borrowers: number;
      readonly blocksPerSecond: number | undefined;
      readonly etaSeconds: number | undefined;
    }
  | {
      readonly event: 'backfill-finished';
      readonly market: string;
      readonly borrowers: number;
      readonly tookMs: number;
    }
  | {
      readonly event: 'pass';
      readonly block: number;
      readonly positions: number;
      readonly liquidatable: number;
      readonly planned: number;
      /** Milliseconds from the head's arrival to the end of the pass. */
      readonly tookMs: number;
    }
  | {
      readonly event: 'position-skipped';
      readonly protocol: string;
      readonly borrower: string;
      readonly block: number;
      readonly healthFactorWad: string | undefined;
      readonly reason: RejectionReason;
      readonly explanation: string;
      readonly detail: Readonly<Record<string, string>>;
    }
  | {
      readonly event: 'plan-ready';
      readonly executionId: string;
      readonly protocol: string;
      readonly borrower: string;
      readonly block: number;
      readonly healthFactorWad: string;
      readonly collateral: string;
      readonly debt: string;
      readonly sizing: string;
      readonly debtToCover: string;
      readonly notionalUsd8: string;
      readonly grossProfitUsd8: string;
      readonly bidUsd8: string;
      readonly netProfitUsd8: string;
    }
  | {
      readonly event: 'dry-run';
      readonly executionId: string;
      readonly borrower: string;
      readonly block: number;
    }
  | {
      readonly event: 'transaction-sent';
      readonly executionId: string;
      readonly borrower: string;
      readonly hash: string;
      readonly nonce: number;
      readonly headToSendUs: number;
    }
  | {
      readonly event: 'execution-settled';
      readonly executionId: string;
      readonly borrower: string;
      readonly hash: string;
      readonly outcome: 'succeeded' | 'reverted' | 'dropped';
      readonly reason: string | undefined;
      readonly block: number | undefined;
      readonly realisedProfitUsd8: string | undefined;
      readonly simulatedNetProfitUsd8: string;
    }
  | {
      /** A reorg took back the block of a settlement: it is in flight again, and will be settled again. */
      readonly event: 'execution-reopened';
      readonly executionId: string;
      readonly borrower: string;
      readonly hash: string;
      /** What it was until now, with the realised profit that no longer counts. */
      readonly was: 'succeeded' | 'reverted';
      readonly realisedProfitUsd8: string | undefined;
      /** The block that is gone. */
      readonly block: number;
    }
  | {
      readonly event: 'safety-changed';
      readonly from: SafetyState;
      readonly to: SafetyState;
      readonly reason: string;
      readonly actor: string;
    }
  | {
      /** The blocks do not come as they should. The state may have changed before and stay as it is: this is said once. */
      readonly event: 'sequencer-anomaly';
      readonly kind: 'timestamp-backwards' | 'timestamp-jump' | 'stale-head';
      readonly severity: 'throttle' | 'halt';
      readonly message: string;
    }
  | {
      /** The heads are fresh again. A halt stays until an operator resumes. */
      readonly event: 'sequencer-well';
      readonly block: number;
    }
  | {
      readonly event: 'divergence';
      readonly protocol: string;
      readonly account: string;
      readonly block: number;
      readonly detail: Readonly<Record<string, string>>;
    }
  | {
      /** A feed did not say what the oracle answers now. */
      readonly event: 'price-differs';
      readonly protocol: string;
      readonly asset: string;
      readonly block: number;
      readonly oursUsd8: string;
      readonly chainUsd8: string;
    }
  | {
      readonly event: 'pass-failed';
      readonly block: number;
      readonly consequence: 'retry' | 'skip' | 'halt';
      readonly message: string;
    }
  | { readonly event: 'api-listening'; readonly url: string }
  | { readonly event: 'metrics'; readonly counters: Readonly<Record<string, number>> }
  | { readonly event: 'bot-stopping'; readonly inFlight: number };

/** How loud each event is. A pass is worth a line only when there was something to liquidate. */
export function levelOf(event: BotEvent): 'debug' | 'info' | 'warn' | 'error' {
  switch (event.event) {
    case 'pass':
      return event.liquidatable > 0 ? 'info' : 'debug';
    case 'pass-failed':
      return event.consequence === 'halt' ? 'error' : 'warn';
    case 'sequencer-anomaly':
      return event.severity === 'halt' ? 'error' : 'warn';
    case 'divergence':
      return 'error';
    case 'price-differs':
    case 'execution-reopened':
      return 'warn';
    case 'safety-changed':
      return event.to === 'NORMAL' ? 'info' : 'warn';
    case 'execution-settled':
      return event.outcome === 'succeeded' ? 'info' : 'warn';
    default:
      return 'info';
  }
}
