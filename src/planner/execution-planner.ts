import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import type { PlanDecision } from '../domain/decision.js';
import { errorFrom } from '../domain/errors.js';
import { Events } from '../domain/events/events.js';
import type { Opportunity } from '../domain/opportunity.js';
import { positionKey } from '../domain/position-id.js';
import { Chain } from '../rpc/chain/chain.js';
import { ChainFees } from '../rpc/fees/chain-fees.js';
import { DraftQueue } from './draft-queue.js';
import { draftOf } from './drafts.js';
import { PastRefusals } from './past-refusals.js';
import type { PlanningContext } from './planning-context.js';
import { PreparedCalls } from './prepared-calls.js';
import { later } from './proof-refusals.js';
import type { Openable, Prospects } from './prospects.js';
import { LONGEST_LIST, Prover, type Chunk } from './prover.js';
import { quotesInTurns } from './quotes.js';
import type { Proved } from './standing-calls.js';

/**
 * Of more than one list, the most valuable must be away within their block, and do not wait for the others.
 */
const FIRST_LIST = 20;
/**
 * Opportunities to plans. The best amounts and routes are computed from the pools at the block of the
 * context. One simulation at that block proves all calls in the order in which they will be sent, so that
 * two plans that use the same pool are proved together.
 */
@Injectable()
export class ExecutionPlanner {
  readonly refusals = new PastRefusals();
  private readonly prover: Prover;
  private readonly prepared = new PreparedCalls();

  constructor(
    chain: Chain,
    fees: ChainFees,
    events: Events,
    private readonly config: ChimeraConfig,
  ) {
    this.prover = new Prover(chain, fees, events, config);
  }

  /**
   * One decision per opportunity, in lists, the most valuable first. The prospects that are not opened are
   * left with a reason. The plans of a list were proved
   * together, in their order, on top of what was pending then: they must be sent in this order. The next
   * drafts are made while the nodes simulate, and the next list is proved while the one before it is being
   * sent. When the time of the pass, the gas of a block or the places in flight are used up, the rest comes
   * later.
   *
   * @param now asked again for each list: the plans of the lists before it are pending then.
   * @throws RetryError when no endpoint could be asked. The lists before it stay true.
   */
  async *plan(
    prospects: Prospects,
    now: () => PlanningContext,
  ): AsyncGenerator<readonly PlanDecision[], void, undefined> {
    const { trace, block } = now();
    this.prepared.reach(block);
    if (prospects.all.length === 0) return;
    const { ready, others } = this.takePrepared(prospects, now());
    if (ready.length > 0) {
      trace?.mark('plan');
      yield ready;
      if (others.all.length === 0) {
        prospects.leave(later());
        return;
      }
    }
    const queue = this.queue(others, now());
    const { allowance } = now();
    // A second list is proved behind all calls of the first, so the last one leaves later than in one list.
    const first = others.all.length <= LONGEST_LIST ? LONGEST_LIST : FIRST_LIST;
    await queue.fill(Math.min(first, allowance.slots));
    trace?.mark('plan');
    let rest = later();
    for (let most = first; ; most = LONGEST_LIST) {
      const context = now();
      const chunk = this.prover.take(queue, context, most);
      if ('reason' in chunk) {
        rest = chunk;
        break;
      }
      const proof = await this.proveAndFill(chunk, context, queue);
      queue.putBack(proof.again);
      this.refusals.note(proof.decisions, block.number);
      if (proof.decisions.length > 0) yield proof.decisions;
      // What was just proved is signed and written before anything else.
      await nextTurn();
      if (trace?.isWorkedOut || trace?.hasNewerHead) break;
      await queue.fill(1);
    }
    this.refusals.note(queue.refused, block.number);
    const left = queue.left.map((opportunity) => ({ ...rest, opportunity }));
    prospects.leave(rest);
    if (left.length + queue.refused.length > 0) yield [...left, ...queue.refused];
  }

  /**
   * Plans for positions that open soon, and proves them as of that time, `context.nextTimestamp`. A pass of a
   * later block sends them without a search and without a question, as long as what they stand on is as it
   * was. What cannot be planned, or changes, is planned when it is open.
   *
   * @throws RetryError when no endpoint could be asked.
   */
  async prepare(prospects: Openable, context: PlanningContext): Promise<void> {
    const queue = this.draftsOf(this.prepared.missing(prospects, context), [], context);
    while (this.prepared.isAt(context.block) && !context.trace?.hasNewerHead) {
      await queue.fill(LONGEST_LIST);
      const chunk = this.prover.take(queue, context, LONGEST_LIST);
      if ('reason' in chunk) return;
      const { calls, again } = await this.prover.prove(chunk, context);
      this.prepared.keep([...calls.values()], context);
      queue.putBack(again);
    }
  }

  /** Of the prospects those with a prepared call that still stands; the others are to be planned. */
  private takePrepared(
    prospects: Prospects,
    context: PlanningContext,
  ): { readonly ready: readonly PlanDecision[]; readonly others: Prospects } {
    const noting = this.refusals.noting(prospects, context.block.number);
    const opened = new Map<number, Opportunity | undefined>();
    for (const [index, prospect] of prospects.all.entries())
      if (this.prepared.has(prospect)) opened.set(index, noting.open(index));
    if (opened.size === 0) return { ready: [], others: prospects };
    const calls = this.prepared.standing(
      [...opened.values()].flatMap((one) => one ?? []),
      context,
    );
    const looked = this.prover.look(calls.slice(0, context.allowance.slots), context);
    const ready = [...looked.calls].map(([plan, [{ draft }]]) => {
      const provedAt = draft.opportunity.block.number;
      return { kind: 'planned' as const, plan: { ...plan, provedAt } };
    });
    const isReady = new Set(ready.map(({ plan }) => positionKey(plan)));
    const open = [...prospects.all.keys()].filter((index) => {
      const prospect = prospects.all[index];
      const isRefused = opened.has(index) && !opened.get(index);
      return prospect && !isRefused && !isReady.has(positionKey(prospect));
    });
    const others: Prospects = {
      all: open.flatMap((index) => prospects.all[index] ?? []),
      open: (at) => opened.get(open[at] ?? -1) ?? prospects.open(open[at] ?? -1),
      leave: (rest) => prospects.leave(rest),
    };
    return { ready, others };
  }

  private queue(prospects: Prospects, context: PlanningContext): DraftQueue {
    const ranks = this.refusals.ranksOf(prospects.all);
    return this.draftsOf(this.refusals.noting(prospects, context.block.number), ranks, context);
  }

  private draftsOf(prospects: Openable, ranks: readonly number[], context: PlanningContext): DraftQueue {
    const { minProfitUsd8 } = this.config.planner;
    return new DraftQueue(
      prospects,
      (all) => quotesInTurns(context, all, ranks),
      (opportunity, quote) => draftOf(opportunity, quote, context, minProfitUsd8),
      context.trace,
    );
  }

  /** Makes the next drafts while the nodes simulate. What was proved does not wait for them. */
  private async proveAndFill(chunk: Chunk, context: PlanningContext, queue: DraftQueue): Promise<Proved> {
    let isProved = false;
    const proving = this.prover.prove(chunk, context).finally(() => {
      isProved = true;
    });
    // The questions are on their way first.
    const filling = nextTurn().then(() => queue.fill(chunk.room, () => isProved));
    const [proof, filled] = await Promise.allSettled([proving, filling]);
    if (proof.status === 'rejected') throw errorFrom(proof.reason);
    if (filled.status === 'rejected') throw errorFrom(filled.reason);
    return proof.value;
  }
}
