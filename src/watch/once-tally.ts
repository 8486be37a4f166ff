import type { BotEvent } from '../domain/events/events.js';
import { many, signedUsd, usd } from '../monitoring/told/figures.js';
import { Tally } from './tally.js';

/**
 * - nothing: no position is below 1.
 * - left: some are, and none was planned.
 * - done: what was planned was liquidated, or would have been in a dry run.
 * - failed: it was sent, and not all of it liquidated.
 */
export type OnceResult = 'nothing' | 'left' | 'done' | 'failed';

/** The result of one look, for programs. USD with 8 decimals as text. */
export interface OnceSummary {
  readonly result: OnceResult;
  readonly mode: 'dry-run' | 'live';
  readonly block: number | null;
  readonly positions: number;
  readonly liquidatable: number;
  readonly planned: number;
  readonly netProfitUsd8: string;
  readonly notionalUsd8: string;
  /** Live: plans that were signed, and those of them that liquidated. */
  readonly sent: number;
  readonly won: number;
  /** Positions below 1 that the last pass left, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** What one look has seen. */
export class OnceTally {
  private readonly tally = new Tally(0, () => 0);
  private readonly signed = new Set<string>();
  private readonly won = new Set<string>();
  private hasPools = false;
  /** Passes since everything was known. The first of them may have begun before. */
  private passes = 0;

  constructor(
    private readonly mode: 'dry-run' | 'live',
    private readonly markets: readonly string[],
  ) {}

  /** A pass has looked at every position, with all pools. */
  get isComplete(): boolean {
    return this.passes >= 2;
  }

  get lastFailure(): string | undefined {
    return this.tally.lastFailure;
  }

  hear(event: BotEvent): void {
    this.tally.hear(event);
    switch (event.event) {
      case 'pools-read':
        this.hasPools = true;
        return;
      case 'pools-found':
        if (event.followed === 0) this.hasPools = true;
        return;
      case 'market-refused':
        this.tally.search.set(event.market, 'finished');
        return;
      case 'pass':
        if (this.hasPools && this.tally.searched(this.markets)) this.passes += 1;
        return;
      case 'plan-ready':
        if (this.mode === 'live') this.signed.add(event.executionId);
        return;
      case 'execution-settled':
        if (event.outcome === 'won') this.won.add(event.executionId);
        return;
      case 'execution-reopened':
        this.won.delete(event.executionId);
        return;
      default:
    }
  }

  get result(): OnceResult {
    if (this.signed.size > this.won.size) return 'failed';
    if (this.tally.planned.size > 0) return 'done';
    return (this.tally.lastPass?.liquidatable ?? 0) > 0 ? 'left' : 'nothing';
  }

  /** @param skipped of the last pass. */
  summary(skipped: OnceSummary['skipped']): OnceSummary {
    const { lastPass, planned, netProfitUsd8, notionalUsd8 } = this.tally;
    return {
      result: this.result,
      mode: this.mode,
      block: lastPass?.block ?? null,
      positions: lastPass?.positions ?? 0,
      liquidatable: lastPass?.liquidatable ?? 0,
      planned: planned.size,
      netProfitUsd8: String(netProfitUsd8),
      notionalUsd8: String(notionalUsd8),
      sent: this.signed.size,
      won: this.won.size,
      skipped,
    };
  }

  /** The same for people. */
  sentences(skipped: OnceSummary['skipped']): string[] {
    const { mode, block, positions, liquidatable, planned, netProfitUsd8, notionalUsd8, ...more } =
      this.summary(skipped);
    const worth = `${usd(notionalUsd8)} of debt, for ${signedUsd(netProfitUsd8)} after all costs, by simulation`;
    const done =
      mode === 'live'
        ? `It sent ${many(more.sent, 'transaction')}, and ${more.won} liquidated: ${worth}.`
        : `It would have liquidated ${many(planned, 'position')}: ${worth}.`;
    return [
      `Block ${String(block)}: ${many(positions, 'position')} with debt, ${liquidatable} below a health factor of 1.`,
      ...(planned === 0 ? [] : [done]),
      ...Object.entries(skipped).map(([reason, count]) => `Left alone (${reason}): ${count}.`),
    ];
  }
}
