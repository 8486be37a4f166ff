import type { MarketFeeds } from '../domain/feed-kinds.js';
import type { StateView } from '../state/state-view.js';

/** Looks at the feeds behind the prices of all markets. */
export abstract class FeedSurvey {
  /**
   * What the feeds are, and the share of the debt behind each kind, for each market in the order of the
   * configuration. It reads the chain, and looks at every position: not for the pass of a block.
   *
   * @throws RetryError when the chain cannot be read.
   */
  abstract of(view: StateView): Promise<readonly MarketFeeds[]>;
}
