import type { Bidder } from '../domain/bid.js';
import type { Block } from '../domain/block.js';
import type { Allowance } from '../domain/budget.js';
import type { PassTrace } from '../domain/pass-trace.js';
import type { Address } from '../domain/hex.js';
import type { TransactionCall } from '../domain/plan.js';
import type { Offers } from '../liquidity/lenders/offers.js';
import type { PoolsView } from '../liquidity/pool-book.js';

/** What the plans of one pass have in common. */
export interface PlanningContext {
  readonly block: Block;
  /** The earliest time of the block after it, seconds since the epoch. Absent: a second later. */
  readonly nextTimestamp?: number;
  /** The pools at that block. */
  readonly pools: PoolsView;
  /** What can be borrowed, as it was read last. */
  readonly lenders: Offers;
  /** USD with 8 decimals for one native token, by its feed. */
  readonly nativePriceUsd8: bigint;
  /** As many endpoints as must agree said that price: it counts also while the feed gives none. */
  readonly nativePriceConfirmed?: boolean;
  /** What the oracles of the markets say of the wrapped native token, USD8. */
  readonly marketNativePricesUsd8: readonly bigint[];
  /** The executor that will sign. The simulated calls come from this account. */
  readonly operator: Address;
  /** Calls already sent and not yet mined, in nonce order. They will execute before anything planned now. */
  readonly pending: readonly Pick<TransactionCall, 'to' | 'data' | 'gasLimit'>[];
  /** The bids of this pass, by the model of the configuration. */
  readonly bidOf: Bidder;
  /** What the plans may reserve together. */
  readonly allowance: Allowance;
  /**
   * Is told when the first drafts are made and when they are proved. It says when the pass has to end, and
   * when others have their turn. Without it there is no end.
   */
  readonly trace?: Pick<PassTrace, 'mark' | 'breathe' | 'isWorkedOut' | 'hasNewerHead'>;
}
