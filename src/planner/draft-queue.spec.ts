import { describe, expect, it } from 'vitest';
import { numberedAddress, opportunityOf } from '../../testing/builders/opportunities.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { prospectsOf } from '../../testing/prospects.js';
import { rejected } from '../domain/decision.js';
import type { Opportunity } from '../domain/opportunity.js';
import { PassTrace } from '../domain/pass-trace.js';
import { DraftQueue } from './draft-queue.js';
import type { Draft } from './drafts.js';
import type { Openable } from './prospects.js';
import type { Quote, QuoteTurn } from './quotes.js';

const MANY = Array.from({ length: 500 }, (_, index) =>
  opportunityOf(undefined, undefined, numberedAddress(index + 256)),
);
/** How long one turn takes. */
const TURN_MS = 1;

class World {
  readonly clock = new TestClock();
  turns = 0;
  /** Turns of the event loop that others had. */
  breaths = 0;
  readonly queue: DraftQueue;

  constructor(budgetMs: number, isRefused: (index: number) => boolean = () => false) {
    this.clock.nextTurn = () => {
      this.breaths += 1;
      return Promise.resolve();
    };
    const trace = new PassTrace(this.clock, 0, undefined, budgetMs);
    this.queue = new DraftQueue(
      prospectsOf(MANY),
      (prospects) => this.quotes(prospects, isRefused),
      (opportunity: Opportunity) => standIn<Draft>('draft', { opportunity }),
      trace,
    );
  }

  private *quotes(
    prospects: Openable,
    isRefused: (index: number) => boolean,
  ): Generator<QuoteTurn, void, undefined> {
    for (const index of prospects.all.keys()) {
      const opportunity = prospects.open(index)!;
      this.clock.advance(TURN_MS);
      this.turns += 1;
      const quoted = { kind: 'quoted', quote: standIn<Quote>('quote', {}) } as const;
      yield { opportunity, decision: isRefused(index) ? rejected('no-route') : quoted };
    }
  }
}

const all = (): boolean => true;

describe('the drafts of a pass', () => {
  it('are made as they are wanted', async () => {
    const { queue, ...world } = new World(1_000);
    await queue.fill(20);
    expect(queue.take(all).map(({ opportunity }) => opportunity)).toEqual(MANY.slice(0, 20));
    expect(world.turns).toBeLessThanOrEqual(20);
    expect(queue.left).toEqual([]);
  });

  it('end when the time of the pass is over; none is forgotten', async () => {
    const { queue } = new World(30);
    await queue.fill(100);
    const made = queue.take(all);
    expect(made).toHaveLength(30);
    await queue.fill(100);
    const opened = MANY.slice(0, 30 + queue.left.length);
    expect(new Set([...made.map(({ opportunity }) => opportunity), ...queue.left])).toEqual(new Set(opened));
  });

  it('are looked for a little longer when the time is over and there is none yet', async () => {
    const world = new World(0, (index) => index < 10);
    await world.queue.fill(20);
    expect(world.queue.take(all)).toHaveLength(1);
    expect(world.queue.refused).toHaveLength(10);
    const hopeless = new World(0, () => true);
    await hopeless.queue.fill(20);
    expect(hopeless.turns).toBe(50);
  });

  it('leave others their turn every few milliseconds', async () => {
    const world = new World(1_000);
    await world.queue.fill(400);
    expect(world.breaths).toBe(400 / 8);
  });

  it('that were put back are the next again', async () => {
    const { queue } = new World(1_000);
    await queue.fill(3);
    const [first, second] = queue.take(all);
    queue.putBack([second!]);
    expect(queue.take(all)).toEqual([second]);
    expect(queue.left).not.toContain(first!.opportunity);
  });

  it('stop being made when something more urgent is there', async () => {
    const { queue } = new World(1_000);
    let asked = 0;
    await queue.fill(100, () => ++asked > 7);
    expect(queue.take(all)).toHaveLength(7);
  });
});
