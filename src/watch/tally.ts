import type { BotEvent, EventNamed } from '../domain/events/events.js';

/** A position that would have been liquidated. */
export interface Planned {
  readonly protocol: string;
  readonly borrower: string;
  readonly marketId: string | undefined;
  /** Of the first plan. */
  readonly block: number;
  /** Of the last plan: USD with 8 decimals. */
  netProfitUsd8: bigint;
  notionalUsd8: bigint;
  plans: number;
  /** The account that liquidated it instead; undefined: none is known. */
  rival: Taken | undefined;
}

/** A liquidation by another account, after our plan. */
export interface Taken {
  readonly sender: string;
  readonly hash: string;
  readonly block: number;
}

/** What a run has seen: the figures of the table and of the summary. */
export class Tally {
  readonly planned = new Map<string, Planned>();
  lastPass: EventNamed<'pass'> | undefined;
  /** Positions that were below 1 in any pass, each pass counted by itself. */
  appeared = 0;
  passes = 0;
  failedPasses = 0;
  lastFailure: string | undefined;
  halted: string | undefined;
  /** Why positions below 1 were left, by reason: each position once at a time. */
  readonly skipped = new Map<string, number>();
  apiUrl: string | undefined;
  /** Milliseconds from the command to the first plan. */
  firstPlanMs: number | undefined;
  /** By market: how far the search for borrowers is; undefined when it has ended. */
  readonly search = new Map<string, EventNamed<'backfill'> | 'finished'>();

  constructor(
    private readonly startedAtMs: number,
    private readonly nowMs: () => number,
  ) {}

  hear(event: BotEvent): void {
    switch (event.event) {
      case 'pass':
        this.lastPass = event;
        this.passes += 1;
        this.appeared += event.appeared;
        return;
      case 'pass-failed':
        this.failedPasses += 1;
        this.lastFailure = event.message;
        return;
      case 'plan-ready':
        this.#planned(event);
        return;
      case 'position-skipped':
        this.skipped.set(event.reason, (this.skipped.get(event.reason) ?? 0) + 1);
        return;
      case 'safety-changed':
        this.halted = event.to === 'HALTED' ? event.reason : undefined;
        return;
      case 'backfill':
        this.search.set(event.market, event);
        return;
      case 'backfill-finished':
        this.search.set(event.market, 'finished');
        return;
      case 'api-listening':
        this.apiUrl = event.url;
        return;
      default:
    }
  }

  /** Of each position the profit of its last plan. USD with 8 decimals. */
  get netProfitUsd8(): bigint {
    return [...this.planned.values()].reduce((sum, { netProfitUsd8 }) => sum + netProfitUsd8, 0n);
  }

  get notionalUsd8(): bigint {
    return [...this.planned.values()].reduce((sum, { notionalUsd8 }) => sum + notionalUsd8, 0n);
  }

  get taken(): Planned[] {
    return [...this.planned.values()].filter(({ rival }) => rival !== undefined);
  }

  /** The search for borrowers of every market has ended. */
  searched(markets: readonly string[]): boolean {
    return markets.every((market) => this.search.get(market) === 'finished');
  }

  #planned(event: EventNamed<'plan-ready'>): void {
    const { protocol, borrower, marketId, block } = event;
    this.firstPlanMs ??= Math.round(this.nowMs() - this.startedAtMs);
    const key = [protocol, borrower, marketId ?? ''].join(' ');
    const known = this.planned.get(key);
    const amounts = {
      netProfitUsd8: BigInt(event.netProfitUsd8),
      notionalUsd8: BigInt(event.notionalUsd8),
    };
    // A position that was taken by another one and fell again is another chance.
    if (known && !known.rival) Object.assign(known, amounts, { plans: known.plans + 1 });
    else
      this.planned.set(known ? `${key} ${block}` : key, {
        ...{ protocol, borrower, marketId, block, plans: 1, rival: undefined },
        ...amounts,
      });
  }
}
