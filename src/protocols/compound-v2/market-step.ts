import type { Address } from '../../domain/hex.js';
import type { Feeds } from '../../oracles/feed-book.js';
import type { RestoreStep } from '../../state/followed.js';
import type { AccountsUndo } from '../account-book.js';
import type { AccountChange, MarketChanges } from './events.js';
import type { MarketTerms } from './market-terms.js';
import type { CompoundAccount } from './market.js';

/** One block or a range of blocks, read and ready to be applied. */
export interface MarketStep extends RestoreStep {
  /** Undefined when the block did not change them. */
  readonly terms: MarketTerms | undefined;
  readonly changes: MarketChanges;
  /**
   * Accounts as the chain has them at the end of the block, because our books did not have them or were
   * wrong.
   */
  readonly read: readonly CompoundAccount[];
  readonly contradicted: readonly Address[];
  /** Feeds of the market that were not followed before. */
  readonly foundFeeds: Feeds;
  /** Replaces all accounts that are followed. Undefined: the followed accounts stay. */
  readonly saved: Iterable<CompoundAccount> | undefined;
}

/** What is needed to take one block back. */
export interface MarketUndo {
  readonly terms: MarketTerms;
  readonly indexes: ReadonlyMap<number, bigint>;
  readonly accounts: AccountsUndo<CompoundAccount, AccountChange>;
}
