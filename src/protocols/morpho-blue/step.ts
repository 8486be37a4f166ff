import type { Feeds } from '../../oracles/feed-book.js';
import type { RestoreStep } from '../../state/followed.js';
import type { AccountsUndo } from '../account-book.js';
import type { PositionChange } from './account-changes.js';
import type { BlueChange } from './events.js';
import type { BlueAccount } from './market.js';
import type { MarketsUndo } from './market-books.js';
import type { FoundMarkets, Wanted } from './morpho-blue.reader.js';
import type { PreLiquidationUndo } from './pre-liquidation-book.js';
import type { PreLiquidationChange } from './pre-liquidation-events.js';

/** What a block or a range changes: read and decoded, and not yet applied. */
export interface BlueStep extends RestoreStep {
  readonly changes: readonly BlueChange[];
  /** Those of `changes` that are of positions. */
  readonly positions: readonly PositionChange[];
  readonly preChanges: readonly PreLiquidationChange[];
  readonly found: FoundMarkets;
  readonly read: readonly BlueAccount[];
  readonly wanted: Wanted;
  readonly foundFeeds: Feeds;
  /** Replaces all accounts that are followed. Undefined: the followed accounts stay. */
  readonly saved: readonly BlueAccount[] | undefined;
}

/** What is needed to take a block back. */
export interface BlueUndo {
  readonly markets: MarketsUndo;
  readonly accounts: AccountsUndo<BlueAccount, PositionChange>;
  readonly pre: PreLiquidationUndo;
}

/** Accounts that were read for {@link MorphoBlueMarket.adopt}. */
export interface ReadAccounts {
  readonly accounts: readonly BlueAccount[];
  readonly wanted: Wanted;
  readonly found: FoundMarkets;
}
