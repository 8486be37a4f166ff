import type { RejectionReason } from '../decision.js';
import type { StageTime } from '../pass-trace.js';

/** Start, passes and decisions of the loop, and its end. */
export type LoopEvent =
  | {
      readonly event: 'bot-started';
      readonly mode: 'dry-run' | 'live';
      readonly chainId: number;
      readonly block: number;
      readonly positions: number;
      readonly operator: string;
      readonly chimera: string;
    }
  | { readonly event: 'bot-stopping'; readonly inFlight: number }
  | {
      /** No part of the bot handled it. The bot halts, and the process ends with 1 (F40). */
      readonly event: 'unhandled-error';
      readonly message: string;
      readonly stack: string | undefined;
    }
  | { readonly event: 'api-listening'; readonly url: string }
  | {
      readonly event: 'pass';
      readonly block: number;
      readonly positions: number;
      readonly liquidatable: number;
      /** Of the liquidatable ones, those that were not in the pass before. */
      readonly appeared: number;
      readonly planned: number;
      /** Milliseconds from the head's arrival to the end of the pass. */
      readonly tookMs: number;
    }
  | {
      /** How long the stages of a pass took. It is measured, and not logged. */
      readonly event: 'stages-timed';
      readonly stages: readonly StageTime[];
    }
  | {
      /** A pass, or work beside it, ended with an error. */
      readonly event: 'pass-failed';
      /** Undefined when it was not about a block. */
      readonly block: number | undefined;
      readonly consequence: 'retry' | 'skip' | 'halt';
      readonly message: string;
    }
  | {
      readonly event: 'position-skipped';
      readonly protocol: string;
      readonly borrower: string;
      /** Which market of the contract, where it has several. */
      readonly marketId?: string;
      readonly block: number;
      readonly healthFactorWad: string | undefined;
      readonly reason: RejectionReason;
      readonly explanation: string;
      readonly detail: Readonly<Record<string, string>>;
    }
  | {
      /** How many positions wait for their turn, by reason, when they are too many to be named. */
      readonly event: 'positions-waiting';
      readonly block: number;
      readonly counts: Readonly<Partial<Record<RejectionReason, number>>>;
    }
  | {
      readonly event: 'plan-ready';
      readonly executionId: string;
      readonly protocol: string;
      readonly borrower: string;
      /** Which market of the contract, where it has several. */
      readonly marketId?: string;
      readonly block: number;
      /** The earlier block at which it was simulated, for a position that interest opens now. */
      readonly provedAt?: number;
      readonly healthFactorWad: string;
      readonly collateral: string;
      readonly debt: string;
      readonly sizing: string;
      readonly debtToCover: string;
      /** Of the debt token: by which its amount is shown in whole tokens. */
      readonly debtDecimals: number;
      readonly notionalUsd8: string;
      readonly grossProfitUsd8: string;
      readonly bidUsd8: string;
      readonly gasUsd8: string;
      readonly l1FeeUsd8: string;
      readonly operatorFeeUsd8: string;
      /** A part of the swap: it is not subtracted from the gross profit. */
      readonly poolFeeUsd8: string;
      /** The symbol of the token in which the profit is. */
      readonly profitToken: string;
      /** "flash-swap", "callback", or the name of the lender. */
      readonly funding: string;
      /** The profit is what is left after it: it is not subtracted again. */
      readonly lenderFeeUsd8: string;
      readonly netProfitUsd8: string;
      /** How many liquidations of the borrower the transaction makes. The tokens are those of the first. */
      readonly liquidations: number;
    }
  | {
      /** In the last minute the log left out so many lines of an event with this reason. All were counted. */
      readonly event: 'lines-left-out';
      readonly of: string;
      readonly reason: string | undefined;
      readonly lines: number;
    }
  | {
      /** Metrics did not reach CloudWatch. Emitted once, until an export arrives again. */
      readonly event: 'metrics-export-failed';
      readonly message: string;
    }
  | { readonly event: 'metrics-export-back' }
  | { readonly event: 'metrics'; readonly counters: Readonly<Record<string, number>> };
