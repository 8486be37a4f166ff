import type { Clock } from '../domain/clock.js';
import type { Events } from '../domain/events/events.js';
import type { MissingDebt } from './followed.js';

/** The pauses before the history is searched once more. Milliseconds, doubled each time. */
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;

/** A market of which it is not proven that every borrower is known. */
export interface Incomplete {
  readonly market: string;
  /** Where the debts that are known are not all debts; empty before the first comparison. */
  readonly missing: readonly MissingDebt[];
}

interface Standing {
  missing: readonly MissingDebt[] | undefined;
  complete: boolean;
  /** The block at which a complete market first differed. */
  doubtedAt: number | undefined;
  reported: boolean | undefined;
  searches: number;
  nextSearchAtMs: number;
}

/**
 * Whether every borrower of each market is known (F45). The proof: the debts of all known accounts add up to
 * what the debt tokens say that all accounts owe together. A node that answers [] for logs that it has pruned
 * shows by this, and so does a `fromBlock` that is too high.
 */
export class Completeness {
  private readonly markets = new Map<string, Standing>();

  /** @param distrust is told when the source of old logs, if there is one beside the nodes, left some out. */
  constructor(
    private readonly events: Events,
    private readonly clock: Clock,
    private readonly distrust: (reason: string) => void,
  ) {}

  /** The markets of which it is not proven that they are complete. */
  incomplete(markets: readonly string[]): Incomplete[] {
    return markets.flatMap((market) => {
      const standing = this.markets.get(market);
      return standing?.complete ? [] : [{ market, missing: standing?.missing ?? [] }];
    });
  }

  /**
   * Takes what a comparison of all debts found.
   *
   * @param searching whether the history is being searched: then debts may be missing, and nothing is said.
   */
  judge(market: string, missing: readonly MissingDebt[], block: number, searching: boolean): void {
    const standing = this.of(market);
    if (standing.complete && missing.length > 0) {
      // One odd answer proves nothing: a later block has to say the same.
      standing.doubtedAt ??= block;
      if (standing.doubtedAt === block) return;
    }
    standing.doubtedAt = undefined;
    standing.missing = missing;
    standing.complete = missing.length === 0;
    if (standing.complete) standing.searches = 0;
    if ((searching && !standing.complete) || standing.reported === standing.complete) return;
    standing.reported = standing.complete;
    if (standing.complete) this.events.emit({ event: 'positions-complete', market, block });
    else this.events.emit({ event: 'positions-incomplete', market, block, missing });
  }

  /**
   * Whether the history of a market has to be searched again now: debts are missing, and the pause since the
   * last search is over. The first search again begins at once, the later ones after 1 minute, 2, 4 … 60. For
   * the first one the configured block may have been too high. The later ones ask nodes alone.
   */
  takeSearch(market: string): boolean {
    const standing = this.of(market);
    const lacks = standing.missing?.some(({ lacks }) => lacks) === true;
    if (standing.complete || !lacks || this.clock.monotonicMs() < standing.nextSearchAtMs) return false;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** standing.searches, LONGEST_PAUSE_MS);
    standing.nextSearchAtMs = this.clock.monotonicMs() + pauseMs;
    standing.searches += 1;
    if (standing.searches > 1) this.distrust(`debts of ${market} are missing after it was searched again`);
    return true;
  }

  private of(market: string): Standing {
    let standing = this.markets.get(market);
    if (!standing) {
      standing = {
        missing: undefined,
        complete: false,
        doubtedAt: undefined,
        reported: undefined,
        searches: 0,
        nextSearchAtMs: Number.NEGATIVE_INFINITY,
      };
      this.markets.set(market, standing);
    }
    return standing;
  }
}
