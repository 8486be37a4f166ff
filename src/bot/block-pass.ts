import { Injectable } from '@nestjs/common';
import { DatabaseAway } from '../database/index.js';
import { OpportunityDetector, type Detecting } from '../detector/opportunity-detector.js';
import type { AtRisk } from '../domain/at-risk.js';
import type { Head } from '../domain/block.js';
import { rejected, type Rejection, type RejectionReason } from '../domain/decision.js';
import { errorFrom, RetryError, worstFirst } from '../domain/errors.js';
import type { PassTrace } from '../domain/pass-trace.js';
import { positionIdOf, positionKey } from '../domain/position-id.js';
import { needsNoLeave } from '../domain/schedule.js';
import { ExecutionService } from '../execution/index.js';
import { LENDERS } from '../liquidity/lenders/lender-book.js';
import { POOLS } from '../liquidity/pool-book.js';
import { withWrappers, WRAPPERS } from '../liquidity/wrappers/wrapper-book.js';
import { NativePriceWatch } from '../oracles/native-price-watch.js';
import { ExecutionPlanner } from '../planner/execution-planner.js';
import type { PlanningContext } from '../planner/planning-context.js';
import { SafetyController } from '../safety/index.js';
import { StateEngine } from '../state/state-engine.js';
import type { StateView } from '../state/state-view.js';
import { DecisionJournal } from './decision-journal.js';
import { PassProspects } from './pass-prospects.js';
import { Sending } from './sending.js';
import type { LeftPositions, SkippedPosition } from './skipped.js';

/** A pass that came to its end. */
export interface PassResult {
  readonly kind: 'done';
  readonly view: StateView;
  readonly liquidatable: number;
  readonly planned: number;
  /** Positions below 1 that were left alone, by reason. */
  readonly skipped: Readonly<Partial<Record<RejectionReason, number>>>;
  /** Undefined when it is missing. */
  readonly nativePrice: NativePriceAge | undefined;
}

const NOTHING_SENT = { planned: 0, errors: [], skipped: [] } as const;

/** The price of the native token at the block of a pass. */
export interface NativePriceAge {
  /** Since the time of its own round. */
  readonly ageSeconds: number;
  /** The feed gave none: it is the last good one. */
  readonly isKept: boolean;
}

interface Reached {
  readonly kind: 'reached';
  readonly view: StateView;
  /** Whether a plan can get its row. What is in flight is settled up to here then. */
  readonly mayRecord: boolean;
  /** Whether the wallet was looked at with this head. */
  readonly isSettled: boolean;
}

/** What went wrong, the worst first. What was sent before stays sent. */
export interface PassFailure {
  readonly kind: 'failed';
  readonly errors: readonly Error[];
}

/**
 * One pass at one head: state, detection, plans, sending. A plain method without timers. It leaves every rule
 * to the module that owns it.
 */
@Injectable()
export class BlockPass {
  /** The keys of the liquidatable positions of the last pass. */
  private below: ReadonlySet<string> = new Set();
  /** The pass before had something to plan for, or something opens next: the next head may plan. */
  private expectsPlans = true;
  /** What went wrong beside the passes. The next one tells it. */
  private readonly beside: Error[] = [];

  constructor(
    private readonly state: StateEngine,
    private readonly detector: OpportunityDetector,
    private readonly planner: ExecutionPlanner,
    private readonly safety: SafetyController,
    private readonly execution: ExecutionService,
    private readonly nativePrice: NativePriceWatch,
    private readonly journal: DecisionJournal,
  ) {}

  /**
   * Each list of plans is sent as soon as it is proved, while the next one is being proved on top of it. The
   * first error ends the planning. What was sent before stays in the books.
   *
   * @param trace begins with the head's arrival.
   */
  async run(head: Head, trace: PassTrace): Promise<PassResult | PassFailure> {
    this.journal.startPass();
    const reached = await this.reach(head, trace);
    if (reached.kind === 'failed') return reached;
    const { view, mayRecord, isSettled } = reached;
    const detecting = this.steered(this.detect(view));
    await this.settledFor(detecting.positions);
    const refusal = this.refusalOfAll(mayRecord);
    const prospects = new PassProspects(detecting, this.execution.inFlight(), refusal);
    const below = detecting.positions.filter(({ schedule }) => needsNoLeave(schedule));
    const liquidatable = below.length;
    const appeared = this.noteBelow(below);
    if (refusal) {
      prospects.leave(refusal);
      await this.openAll(prospects, trace);
    }
    trace.mark('detect');
    const { planned, errors, ...sending } = refusal
      ? NOTHING_SENT
      : await this.send(prospects, view, trace, isSettled ? undefined : head);
    this.expectsPlans = prospects.hasOpportunity;
    if (this.execution.hasLeft) void this.execution.settled();
    const { left } = prospects;
    const skipped = [...prospects.skipped, ...sending.skipped];
    await this.journal.reportSkipped(skipped, left, view.block.number, trace);
    if (errors.length > 0) return { kind: 'failed', errors };
    this.journal.reportPass({
      block: head.number,
      positions: this.state.positionCount,
      liquidatable,
      appeared,
      planned,
      tookMs: Math.round(trace.sinceHeadMs()),
    });
    this.journal.reportStages(trace.stages);
    if (!refusal) void this.prepare(view, trace);
    const { native, nativeKept } = this.nativePrice.at(view);
    const nativePrice = native && {
      isKept: nativeKept,
      ageSeconds: view.block.timestamp - native.updatedAt,
    };
    return { kind: 'done', view, liquidatable, planned, skipped: countReasons(skipped, left), nativePrice };
  }

  /**
   * @param unsettled the head, when the wallet was not looked at with it. Nothing is sent by an older look.
   *   So it is looked at as soon as there is something to plan for, beside the search and the proof.
   */
  private async send(
    prospects: PassProspects,
    view: StateView,
    trace: PassTrace,
    unsettled: Head | undefined,
  ): Promise<Pick<Sending, 'planned' | 'skipped' | 'errors'>> {
    const shared = this.contextOf(view);
    const sending = new Sending(this.execution, this.journal, trace);
    const now = (): PlanningContext => ({
      ...shared,
      pending: sending.pending,
      allowance: sending.allowance,
      trace,
    });
    const errors = this.beside.splice(0);
    let settling: Promise<Error | undefined> = Promise.resolve(undefined);
    if (unsettled)
      prospects.onOpportunity = () => {
        settling = errorOf(this.execution.settle(unsettled));
      };
    try {
      for await (const decisions of this.planner.plan(prospects, now)) {
        if (await settling) break;
        sending.begin(decisions);
        if (sending.errors.length > 0) break;
      }
    } catch (error) {
      errors.push(errorFrom(error));
    }
    await sending.ended();
    const failed = unlessAway(await settling);
    if (failed) errors.push(failed);
    const { planned, skipped, held } = sending;
    this.planner.refusals.noteHeld(held, view.block.number);
    return { planned, skipped, errors: worstFirst([...sending.errors, ...errors]) };
  }

  /** What all plans at one head have in common. */
  private contextOf(view: StateView): Omit<PlanningContext, 'pending' | 'allowance' | 'trace'> {
    const { native, nativeConfirmed } = this.nativePrice.at(view);
    return {
      block: view.block,
      nextTimestamp: view.nextTimestamp,
      pools: withWrappers(view.of(POOLS), view.of(WRAPPERS)),
      lenders: view.of(LENDERS),
      // Without it there is no opportunity: the detector refuses all of them.
      nativePriceUsd8: native?.answer ?? 0n,
      nativePriceConfirmed: nativeConfirmed,
      marketNativePricesUsd8: this.detector.marketNativePricesUsd8(view),
      operator: this.execution.operator,
      bidOf: this.execution.bidder(),
    };
  }

  /**
   * After a pass: plans and proves what the next head will open. Nothing waits for it, and it ends with the
   * next head.
   */
  private async prepare(view: StateView, trace: PassTrace): Promise<void> {
    const ahead = this.steered(this.detector.lookAhead(view, this.safety.headroomUsd8()));
    const prospects = new PassProspects(ahead, this.execution.inFlight(), undefined);
    if (prospects.all.length === 0) return;
    // A prepared call is sent without a question. So the wallet is looked at with its head, before it.
    this.expectsPlans = true;
    const context = {
      ...this.contextOf(view),
      nextTimestamp: view.laterTimestamp,
      pending: this.execution.pendingCalls(),
      allowance: this.execution.allowance(),
      trace: trace.beside(),
    };
    try {
      await this.planner.prepare(prospects, context);
    } catch (error) {
      // It is planned with its head then.
      if (!(error instanceof RetryError)) this.beside.push(errorFrom(error));
    }
  }

  /**
   * Brings the state to the head and settles what is in flight, side by side. Both come to their end whatever
   * becomes of the other: the state must not move on beside the next pass. While the database is away the
   * pass goes on: what was mined is settled when it is back, and until then nothing is signed. While nothing
   * is in flight and no plan is likely, the wallet is looked at once a second, because no plan waits for it.
   */
  private async reach(head: Head, trace: PassTrace): Promise<Reached | PassFailure> {
    const settlesNow = this.expectsPlans || this.execution.isLookDue;
    const [advanced, unsettled] = await Promise.all([
      this.state.advance(head),
      settlesNow ? errorOf(this.execution.follow(head)) : undefined,
    ]);
    const { view, takenBack, readAtMs, error } = advanced;
    trace.mark('logs', readAtMs);
    trace.mark('state');
    // The settlement that ran beside it may have counted a block that is gone. What such a block had settled
    // is in flight again before any plan is made, also when the head was not reached: no position is
    // liquidated twice.
    const unsettledAgain =
      takenBack.length > 0 ? await errorOf(this.execution.settle(head, takenBack)) : undefined;
    const errors = worstFirst([error, unlessAway(unsettled), unlessAway(unsettledAgain)]);
    if (errors.length > 0 || !view) return { kind: 'failed', errors };
    const mayRecord = !unsettled && !unsettledAgain && this.journal.canRecordPlans;
    return { kind: 'reached', view, mayRecord, isSettled: settlesNow || takenBack.length > 0 };
  }

  /**
   * What was mined and is not settled yet has a position and a place in flight: nothing waits for it, unless
   * one of these positions wants them.
   */
  private async settledFor(positions: readonly AtRisk[]): Promise<void> {
    if (positions.length === 0 || !this.execution.hasLeft) return;
    const inFlight = this.execution.inFlight();
    const isFull = positions.length > this.execution.allowance().slots;
    if (isFull || positions.some((one) => inFlight.has(positionKey(one)))) await this.execution.settled();
  }

  /** @returns how many were not below 1 in the pass before. */
  private noteBelow(positions: readonly AtRisk[]): number {
    const below = new Set(positions.map(positionKey));
    const appeared = [...below].filter((key) => !this.below.has(key)).length;
    this.below = below;
    return appeared;
  }

  /** Nothing is planned. As far as the time of the pass goes, each is told what else stands in its way. */
  private async openAll(prospects: PassProspects, trace: PassTrace): Promise<void> {
    for (const index of prospects.all.keys()) {
      if (trace.isWorkedOut) return;
      prospects.open(index);
      await trace.breathe();
    }
  }

  /**
   * A dry run plans again what it has counted as liquidated. What is left of the volume of the day does not
   * bound it: its part is counted.
   */
  private detect(view: StateView): Detecting {
    const detecting = this.detector.look(view, this.safety.headroomUsd8());
    this.execution.look(detecting.positions);
    const counted = this.execution.counted();
    if (counted.size === 0) return detecting;
    const again = this.detector.look(view, this.safety.steering.limits.maxSingleExecutionUsd8);
    const isCounted = (position: AtRisk): boolean => counted.has(positionKey(position));
    return {
      positions: [
        ...detecting.positions.filter((one) => !isCounted(one)),
        ...again.positions.filter(isCounted),
      ],
      inspect: (position) => (isCounted(position) ? again : detecting).inspect(position),
    };
  }

  /** What an operator has paused or denied is no opportunity. */
  private steered(detecting: Detecting): Detecting {
    return {
      positions: detecting.positions,
      inspect: (position) => {
        const refusal = this.safety.steering.refusalOf(position);
        if (!refusal) return detecting.inspect(position);
        const { protocol, healthFactorWad } = position;
        return { ...refusal, protocol, ...positionIdOf(position), healthFactorWad };
      },
    };
  }

  private refusalOfAll(mayRecord: boolean): Rejection | undefined {
    if (!mayRecord) return rejected(this.safety.isHalted ? 'halted' : 'database-away');
    if (!this.execution.leads) return rejected('standing-by');
    return this.safety.isHalted ? rejected('halted') : undefined;
  }
}

/** What a promise rejects with; undefined when it fulfils. */
async function errorOf(work: Promise<unknown>): Promise<Error | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return errorFrom(error);
  }
}

/** An absence of the database fails no pass. */
function unlessAway(error: Error | undefined): Error | undefined {
  return error instanceof DatabaseAway ? undefined : error;
}

function countReasons(
  skipped: readonly SkippedPosition[],
  left: LeftPositions,
): Partial<Record<RejectionReason, number>> {
  const counts: Partial<Record<RejectionReason, number>> = {};
  const count = ({ reason }: Rejection, more: number): void => {
    if (more > 0) counts[reason] = (counts[reason] ?? 0) + more;
  };
  for (const { rejection } of skipped) count(rejection, 1);
  count(left.rejection, left.positions.length);
  return counts;
}
