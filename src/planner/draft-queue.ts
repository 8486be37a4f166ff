import type { PlanDecision, Rejection } from '../domain/decision.js';
import type { Opportunity } from '../domain/opportunity.js';
import type { PassTrace } from '../domain/pass-trace.js';
import type { Draft } from './drafts.js';
import type { Openable } from './prospects.js';
import type { Quote, QuoteTurn } from './quotes.js';

/** So many positions are looked at when the time is over before there is any draft. */
const TURNS_OVERTIME = 50;

/** The drafts of one pass, the most valuable first. Each is made when it is wanted. */
export class DraftQueue {
  /** Opportunities of which no draft was made, with the reason. */
  readonly refused: PlanDecision[] = [];
  private readonly ready: Draft[] = [];
  /** Opened, and not decided yet. */
  private readonly undecided = new Set<Opportunity>();
  private readonly turns: Iterator<QuoteTurn, void, undefined>;

  /** @param turnsOf the turns of these prospects: each is opened in one of them. */
  constructor(
    prospects: Openable,
    turnsOf: (prospects: Openable) => Iterator<QuoteTurn, void, undefined>,
    private readonly draftOf: (opportunity: Opportunity, quote: Quote) => Draft | Rejection,
    private readonly trace: Pick<PassTrace, 'breathe' | 'isWorkedOut'> | undefined,
  ) {
    this.turns = turnsOf({
      all: prospects.all,
      open: (index) => {
        const opportunity = prospects.open(index);
        if (opportunity) this.undecided.add(opportunity);
        return opportunity;
      },
    });
  }

  /**
   * Makes drafts until so many are ready, there are no more, or the time of the pass is over.
   *
   * @param isEnough asked before each.
   */
  async fill(count: number, isEnough: () => boolean = () => false): Promise<void> {
    for (let turns = 0; this.ready.length < count && !isEnough(); turns += 1) {
      if (this.trace?.isWorkedOut && (this.ready.length > 0 || turns >= TURNS_OVERTIME)) return;
      const { done, value } = this.turns.next();
      if (done) return;
      if (value) this.decided(value);
      await this.trace?.breathe();
    }
  }

  /**
   * Takes the first drafts that are ready, as long as they fit.
   *
   * @param fits asked of each, in their order.
   */
  take(fits: (draft: Draft) => boolean): readonly Draft[] {
    const beyond = this.ready.findIndex((draft) => !fits(draft));
    return this.ready.splice(0, beyond < 0 ? this.ready.length : beyond);
  }

  /** They are the next again. */
  putBack(drafts: readonly Draft[]): void {
    this.ready.unshift(...drafts);
  }

  /** What was opened, and was neither taken nor refused. */
  get left(): readonly Opportunity[] {
    return [...this.ready.map(({ opportunity }) => opportunity), ...this.undecided];
  }

  private decided({ opportunity, decision }: NonNullable<QuoteTurn>): void {
    if (!this.undecided.delete(opportunity)) return;
    const draft = decision.kind === 'quoted' ? this.draftOf(opportunity, decision.quote) : decision;
    if ('kind' in draft) this.refused.push({ ...draft, opportunity });
    else this.ready.push(draft);
  }
}
