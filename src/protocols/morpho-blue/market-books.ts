import type { Hash } from '../../domain/hex.js';
import type { UnservedReason } from '../../domain/market-coverage.js';
import type { BlueChange } from './events.js';
import type { FollowedMarket, Markets } from './followed-market.js';
import { isMarketChange, MarketDraft } from './market-changes.js';
import type { FoundMarkets } from './morpho-blue.reader.js';

/** What is needed to take a block's changes of markets back. */
export interface MarketsUndo {
  readonly before: Markets;
  /** Of the block, for markets that are adopted later. */
  readonly changes: readonly BlueChange[];
  /** Seconds since the epoch. */
  readonly timestamp: number;
}

/** The markets of one Morpho Blue, block by block. Logs keep their totals exact. */
export class MarketBooks {
  private byId: Markets = new Map();
  private readonly ignoredIds = new Map<Hash, UnservedReason>();
  /** Markets whose totals are not trusted: they are read with the next block. */
  private readonly doubted = new Set<Hash>();

  get markets(): Markets {
    return this.byId;
  }

  isIgnored(id: Hash): boolean {
    return this.ignoredIds.has(id);
  }

  /** Why each market that is not followed is not. */
  get ignored(): ReadonlyMap<Hash, UnservedReason> {
    return this.ignoredIds;
  }

  doubt(ids: Iterable<Hash>): void {
    for (const id of ids) if (this.byId.has(id)) this.doubted.add(id);
  }

  /** Of these markets, those that have to be read; and those that are not trusted. */
  unknownOf(ids: Iterable<Hash>): Hash[] {
    const unknown = [...ids].filter((id) => !this.byId.has(id) && !this.ignoredIds.has(id));
    return [...new Set([...unknown, ...this.doubted])];
  }

  /** @param found as they stand at the end of the block. */
  commit(
    changes: readonly BlueChange[],
    { markets: found, ignored }: FoundMarkets,
    timestamp: number,
  ): MarketsUndo {
    const before = this.byId;
    const asFound = new Map(found.map((market) => [market.id, market]));
    const drafts = new Map<Hash, MarketDraft<FollowedMarket>>();
    for (const change of changes) {
      if (!isMarketChange(change) || asFound.has(change.marketId)) continue;
      let draft = drafts.get(change.marketId);
      if (!draft) {
        const market = before.get(change.marketId);
        if (!market) continue;
        draft = new MarketDraft(market);
        drafts.set(market.id, draft);
      }
      draft.apply(change, timestamp);
    }
    if (drafts.size > 0 || asFound.size > 0) {
      const after = new Map(before);
      for (const [id, draft] of drafts) after.set(id, draft.result);
      for (const [id, market] of asFound) after.set(id, market);
      this.byId = after;
    }
    for (const id of asFound.keys()) this.doubted.delete(id);
    for (const [id, why] of ignored) this.ignoredIds.set(id, why);
    return { before, changes, timestamp };
  }

  /** A market that was read after the block: what it was before is not known. It is read again. */
  undo({ before }: MarketsUndo): void {
    const lost = [...this.byId].filter(([id]) => !before.has(id));
    this.byId = lost.length > 0 ? new Map([...before, ...lost]) : before;
    for (const [id] of lost) this.doubted.add(id);
  }

  /** Follows markets that were read at an earlier block, with what was applied since. */
  adopt({ markets, ignored }: FoundMarkets, later: readonly MarketsUndo[]): void {
    const fresh = markets.filter(({ id }) => !this.byId.has(id));
    const present = fresh.map((market) => {
      const draft = new MarketDraft(market);
      for (const { changes, timestamp } of later)
        for (const change of changes)
          if (change.marketId === market.id && isMarketChange(change)) draft.apply(change, timestamp);
      return [market.id, draft.result] as const;
    });
    if (present.length > 0) this.byId = new Map([...this.byId, ...present]);
    for (const [id, why] of ignored) this.ignoredIds.set(id, why);
  }

  /** Begins with these markets. */
  begin({ markets, ignored }: FoundMarkets): void {
    this.byId = new Map(markets.map((market) => [market.id, market]));
    this.doubted.clear();
    for (const [id, why] of ignored) this.ignoredIds.set(id, why);
  }
}
