import type { Events } from '../domain/events/events.js';
import type { Hash } from '../domain/hex.js';
import type { MarketCoverage } from '../domain/market-coverage.js';

/** So often a change of the numbers is told at most, seconds of block time: markets come and go all day. */
const LEAST_SECONDS = 600;

/** Tells which markets of a protocol are served: at start, and when that changed. */
export class CoverageReporter {
  /** Markets of which it was told that they have no price or no rate. */
  private readonly told = new Map<Hash, string>();
  private last: { readonly at: number; readonly numbers: string } | undefined;

  constructor(
    private readonly market: string,
    private readonly events: Events,
  ) {}

  /** @param block after which it is so; its time is in seconds since the epoch. */
  note(coverage: MarketCoverage, { number: block, timestamp }: { number: number; timestamp: number }): void {
    const { served, unserved, faulty } = coverage;
    const { market } = this;
    // Once for a market and a reason, so that a price that comes and goes does not fill the log.
    for (const { marketId, pair, reason } of faulty)
      if (this.told.get(marketId) !== reason) {
        this.told.set(marketId, reason);
        this.events.emit({ event: 'market-unpriced', market, marketId, pair, block, reason });
      }
    const numbers = JSON.stringify({ served, unserved });
    const mayTell = !this.last || timestamp - this.last.at >= LEAST_SECONDS;
    if (!mayTell || numbers === this.last?.numbers) return;
    this.last = { at: timestamp, numbers };
    this.events.emit({ event: 'markets-served', market, block, served, unserved });
  }
}
