import { steeredAway, type Setting } from '../../src/domain/steering.js';
import { inLists } from '../decisions.js';
import { anAllowance } from '../builders/allowance.js';
import { aPositionAtRisk } from '../builders/at-risk.js';
import { aBlock, aHead, blockHash } from '../builders/blocks.js';
import { opportunityOf } from '../builders/opportunities.js';
import { aPlan } from '../builders/plan.js';
import { SAFETY_LIMITS } from '../builders/safety.js';
import { RecordedEvents } from '../fakes/recorded-events.js';
import { standIn } from '../fakes/stand-in.js';
import { TestClock } from '../fakes/test-clock.js';
import type { ChimeraConfig } from '../../src/config/index.js';
import { type NewExecution } from '../../src/database/index.js';
import type { Detecting, Detection, OpportunityDetector } from '../../src/detector/opportunity-detector.js';
import { rejected, type PlanDecision } from '../../src/domain/decision.js';
import type { Address, Hash } from '../../src/domain/hex.js';
import { PassTrace } from '../../src/domain/pass-trace.js';
import type { TransactionCall } from '../../src/domain/plan.js';
import type { ExecutionService, Submission } from '../../src/execution/index.js';
import { LENDERS } from '../../src/liquidity/lenders/lender-book.js';
import { NO_OFFERS } from '../../src/liquidity/lenders/offers.js';
import { POOLS } from '../../src/liquidity/pool-book.js';
import { WRAPPERS } from '../../src/liquidity/wrappers/wrapper-book.js';
import type { NativePriceWatch } from '../../src/oracles/native-price-watch.js';
import type { PlanningContext } from '../../src/planner/planning-context.js';
import type { PastRefusals } from '../../src/planner/past-refusals.js';
import type { ExecutionPlanner } from '../../src/planner/execution-planner.js';
import type { SafetyController } from '../../src/safety/index.js';
import type { Advance } from '../../src/state/advance.js';
import type { StateEngine } from '../../src/state/state-engine.js';
import { StateView } from '../../src/state/state-view.js';
import { BlockPass, type PassFailure, type PassResult } from '../../src/bot/block-pass.js';
import { DecisionJournal } from '../../src/bot/decision-journal.js';
import type { WriteQueue } from '../../src/bot/write-queue.js';

const NATIVE = {
  ...{ native: { answer: 1n, updatedAt: aBlock(11).timestamp - 40 }, nativeJumped: false },
  ...{ nativeKept: false, nativeConfirmed: true },
};
const VIEW = new StateView(
  aBlock(11),
  new Map<string, unknown>([
    [POOLS.name, { pools: new Map(), isWhole: true }],
    [LENDERS.name, NO_OFFERS],
    [WRAPPERS.name, []],
  ]),
);
export const REACHED: Advance = { view: VIEW, takenBack: [], error: undefined };
const borrower = (byte: string): Address => `0x${byte.repeat(20)}`;
export const A = borrower('a1');
export const B = borrower('b2');
export const C = borrower('c3');

export const sent = (): Submission => ({
  ...{ kind: 'submitted', executionId: '1', hash: blockHash(1) },
  ...{ nonce: 0, accepted: true },
});

/** A pass over fakes of its ports: each test says what they answer. */
export class PassWorld {
  readonly events = new RecordedEvents();
  readonly rows: NewExecution[] = [];
  readonly settles: (readonly Hash[])[] = [];
  /** Of each call. */
  readonly submitted: Address[][] = [];
  planned = 0;
  /** Whose plans the planner was told to be held back, of each pass. */
  readonly held: Address[][] = [];
  /** So many positions the planner looks at, at most. */
  opens = Infinity;
  halted = false;
  /** What operators have set. */
  settings: readonly Setting[] = [];
  /** Keys of positions. */
  inFlight = new Set<string>();
  detections: Detection[] = [];
  /** What interest opens after the next block. */
  ahead: Detection[] = [];
  /** Whose plans were prepared. */
  readonly prepared: Address[] = [];
  prepare: () => Promise<void> = () => Promise.resolve();
  decisions: PlanDecision[] = [];
  /** Instead of the decisions in one list. */
  lists: ((now: () => PlanningContext) => ReturnType<ExecutionPlanner['plan']>) | undefined;
  pending: () => readonly TransactionCall[] = () => [];
  slots: () => number = () => 100;
  /** Nothing that is handed over has an answer before. */
  answered: Promise<void> = Promise.resolve();
  advance: () => Promise<Advance> = () => Promise.resolve(REACHED);
  settle: (takenBack: readonly Hash[]) => Promise<void> = () => Promise.resolve();
  /** Whether transactions are left to be settled. */
  hasLeft = false;
  /** How many calls had a plan sent when what was left was settled. */
  readonly settledAfter: number[] = [];
  settleLeft: () => Promise<void> = () => Promise.resolve();
  leads = true;
  /** Whether the wallet has to be looked at, with or without a plan. */
  isLookDue = true;
  databaseIsAway = false;
  submitFails: Error | undefined;
  submit: (of: Address) => Submission = sent;
  /** The borrowers of each look of a dry run. */
  readonly looked: Address[][] = [];
  counted: ReadonlySet<string> = new Set();
  /** By which each look was bounded. USD with 8 decimals. */
  readonly limits: bigint[] = [];
  private readonly pass: BlockPass;

  constructor(mode: 'live' | 'dry-run' = 'live') {
    const leads = (): boolean => this.leads;
    const isLookDue = (): boolean => this.isLookDue;
    const hasLeft = (): boolean => this.hasLeft;
    const config = { network: { chainId: 8453 }, execution: { mode } } as ChimeraConfig;
    const isAway = (): boolean => this.databaseIsAway;
    const writes = standIn<WriteQueue>('writes', {
      get isAway() {
        return isAway();
      },
      add: (...added) => {
        for (const one of added) if (one.kind === 'execution') this.rows.push(one.row);
      },
      keep: (rows) => {
        this.rows.push(...rows);
        return Promise.resolve(rows.map((_, index) => ({ id: `row ${index}`, isWritten: !isAway() })));
      },
    });
    this.pass = new BlockPass(
      standIn<StateEngine>('state', { positionCount: 9, advance: () => this.advance() }),
      standIn<OpportunityDetector>('detector', {
        look: (_: unknown, mostUsd8: bigint) => {
          this.limits.push(mostUsd8);
          return lookAt(this.detections);
        },
        lookAhead: () => lookAt(this.ahead),
        marketNativePricesUsd8: () => [],
      }),
      standIn<ExecutionPlanner>('planner', {
        refusals: standIn<PastRefusals>('refusals', {
          noteHeld: (plans) => {
            this.held.push(plans.map((plan) => plan.borrower));
          },
        }),
        prepare: (prospects) => {
          this.prepared.push(...prospects.all.map((one) => one.borrower));
          return this.prepare();
        },
        plan: (prospects, now) => {
          const looked = prospects.all.slice(0, this.opens);
          const opened = looked.flatMap((_, index) => prospects.open(index) ?? []);
          prospects.leave(rejected('comes-later'));
          this.planned += opened.length;
          return this.lists?.(now) ?? inLists([this.decisions]);
        },
      }),
      safetyOf(this),
      standIn<ExecutionService>('execution', {
        operator: borrower('0e'),
        get leads() {
          return leads();
        },
        get isLookDue() {
          return isLookDue();
        },
        pendingCalls: () => this.pending(),
        bidder: () => () => undefined,
        allowance: () => anAllowance({ slots: this.slots() }),
        inFlight: () => this.inFlight,
        look: (positions) => {
          this.looked.push(positions.map((one) => one.borrower));
        },
        counted: () => this.counted,
        follow: () => {
          this.settles.push([]);
          return this.settle([]);
        },
        get hasLeft() {
          return hasLeft();
        },
        settled: () => {
          this.settledAfter.push(this.submitted.length);
          this.hasLeft = false;
          return this.settleLeft();
        },
        settle: (_: unknown, takenBack?: readonly Hash[]) => {
          this.settles.push(takenBack ?? []);
          return this.settle(takenBack ?? []);
        },
        submit: (plans) => {
          const borrowers = plans.map((plan) => plan.borrower);
          this.submitted.push(borrowers);
          if (this.submitFails) return Promise.reject(this.submitFails);
          return this.answered.then(() => borrowers.map((one) => this.submit(one)));
        },
      }),
      standIn<NativePriceWatch>('native-price', { at: () => NATIVE }),
      new DecisionJournal(writes, this.events, config),
    );
  }

  run(): Promise<PassResult | PassFailure> {
    return this.pass.run(aHead(11), new PassTrace(new TestClock(), 0));
  }

  /** The planner has a plan for each of these. */
  plans(...borrowers: readonly Address[]): void {
    this.detections = borrowers.map((one) => ({ kind: 'opportunity', opportunity: opportunityFor(one) }));
    this.decisions = borrowers.map((one) => ({ kind: 'planned', plan: aPlan({ borrower: one }) }));
  }
}

function safetyOf(world: PassWorld): SafetyController {
  return standIn<SafetyController>('safety', {
    headroomUsd8: () => 1n,
    steering: standIn<SafetyController['steering']>('steering', {
      refusalOf: (one) => steeredAway(one, world.settings),
      limits: { ...SAFETY_LIMITS, maxSingleExecutionUsd8: 7n },
    }),
    get isHalted() {
      return world.halted;
    },
  });
}

export const opportunityFor = (one: Address): ReturnType<typeof opportunityOf> =>
  opportunityOf(undefined, undefined, one);

function lookAt(detections: readonly Detection[]): Detecting {
  const positions = detections.map((detection) =>
    aPositionAtRisk(detection.kind === 'opportunity' ? detection.opportunity : detection),
  );
  return {
    positions,
    inspect: (position) => {
      const found = detections[positions.indexOf(position)];
      if (!found) throw new Error('a position of this look was expected');
      return found;
    },
  };
}
