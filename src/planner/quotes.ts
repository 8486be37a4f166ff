import { rejected, type Rejection } from '../domain/decision.js';
import { profitAssetOf, type Funding } from '../domain/funding.js';
import { valueUsd8 } from '../domain/money.js';
import type { LiquidationCandidate, LiquidationPair, Opportunity } from '../domain/opportunity.js';
import type { Route } from '../domain/route.js';
import type { FormKind } from '../routes/form.js';
import { Router } from '../routes/router.js';
import { inTurns, type Taken } from '../routes/sequence.js';
import { worthIn } from './bounds.js';
import { optionsOf, type PairOption, type QuotingContext } from './pair-options.js';
import { Payables } from './payables.js';
import type { Openable } from './prospects.js';
import { StepSearch, type ChosenStep, type StepSequence } from './step-search.js';

/** A candidate with the money that would fund it, and the route that would sell its collateral. */
export interface QuotedStep {
  readonly candidate: LiquidationCandidate;
  /** Its pair, as the steps before it leave the position. */
  readonly pair: LiquidationPair;
  readonly funding: Funding;
  readonly route: Route;
  /** Of a sale: what each part sells of the collateral that is left for it. See {@link Exit.sharesBps}. */
  readonly sharesBps: readonly bigint[];
  /** Units of the profit token; positive. */
  readonly profit: bigint;
  readonly grossUsd8: bigint;
}

/** The liquidations of one borrower in one transaction. Mostly it is one. */
export interface Quote extends QuotedStep {
  /** Those after it, each on the position and the pools as those before it leave them. */
  readonly further?: readonly QuotedStep[];
  /** The best liquidation by itself, for which there are further ones. */
  readonly alone?: QuotedStep;
}

export function stepsOf(quote: Quote): readonly QuotedStep[] {
  return [quote, ...(quote.further ?? [])];
}

/** Of all steps. */
export function grossUsd8Of(quote: Quote): bigint {
  return stepsOf(quote).reduce((sum, { grossUsd8 }) => sum + grossUsd8, 0n);
}

export type QuoteDecision = { readonly kind: 'quoted'; readonly quote: Quote } | Rejection;

/** What came of one turn: the decision about an opportunity, or none yet. */
export type QuoteTurn = { readonly opportunity: Opportunity; readonly decision: QuoteDecision } | undefined;

/**
 * The most profitable collateral, debt, amount, funding and route of each opportunity, by the pools, lenders
 * and markets at one block and before costs. Nothing is asked.
 *
 * The most profitable opportunity comes first, because its plan is sent first. The others find the pools, and
 * what the markets can pay out, as it leaves them. A prospect is opened when it may be worth more than all
 * that were: it becomes an opportunity, unless it is refused then. Each turn takes less than some
 * milliseconds: the caller may stop, or give others their turn.
 *
 * @param ranks of the prospects: those of a higher rank come after all of a lower one.
 */
export function* quotesInTurns(
  context: QuotingContext,
  prospects: Openable,
  ranks: readonly number[] = [],
): Generator<QuoteTurn, void, undefined> {
  const { pools, isWhole } = context.pools;
  const router = Router.of(pools.values());
  const payables = new Payables();
  const opened = new Map<number, Opened>();
  const open = (index: number): readonly PairOption[] | undefined => {
    const opportunity = prospects.open(index);
    if (!opportunity) return undefined;
    payables.add(opportunity);
    const options = optionsOf(opportunity, payables, context);
    opened.set(index, { opportunity, options });
    return options;
  };
  const worthOf = worthIn(router);
  const priorities = prospects.all.map((one, index) => ({
    bound: one.worthAtMost(worthOf),
    rank: ranks[index] ?? 0,
  }));
  const extend = (before: Router, taken: Taken<LiquidationCandidate>): StepSequence | undefined => {
    const { opportunity, options } = opened.get(taken.position) ?? {};
    const option = options?.[taken.option];
    if (!opportunity || !option) return undefined;
    const state = { pairs: opportunity.pairs, payables, router: before };
    const single = { option, plan: taken.plan, worth: taken.worth };
    return new StepSearch(opportunity, context).better(state, single);
  };
  for (const turn of inTurns(router, open, priorities, extend)) {
    if (turn.kind === 'computed') {
      yield undefined;
      continue;
    }
    const known = opened.get(turn.position);
    if (!known) continue;
    const { opportunity, options } = known;
    const chosen = turn.kind === 'taken' ? options[turn.option] : undefined;
    if (turn.kind === 'nothing' || !chosen) {
      yield { opportunity, decision: refusalOf(opportunity, options, router, payables, isWhole) };
      continue;
    }
    const { plan, worth, extension } = turn;
    const steps = extension?.steps ?? [{ option: chosen, plan, worth }];
    for (const {
      option,
      plan: { size },
    } of steps)
      payables.take({ ...option.payment, candidate: size });
    const alone = extension && { alone: quotedStep({ option: chosen, plan, worth }) };
    yield { opportunity, decision: { kind: 'quoted', quote: { ...quoteOf(steps), ...alone } } };
  }
}

interface Opened {
  readonly opportunity: Opportunity;
  readonly options: readonly PairOption[];
}

function quoteOf([first, ...rest]: readonly ChosenStep[]): Quote {
  if (!first) throw new Error('a sequence has at least one step');
  if (rest.length === 0) return quotedStep(first);
  return { ...quotedStep(first), further: rest.map(quotedStep) };
}

function quotedStep({ option: { funding, payment }, plan }: ChosenStep): QuotedStep {
  const { size: candidate, profit, exit } = plan;
  const grossUsd8 = valueUsd8(profit, profitAssetOf(funding, candidate));
  const { route, sharesBps } = exit;
  return { candidate, pair: payment.pair, funding, route, sharesBps, profit, grossUsd8 };
}

function refusalOf(
  { pairs }: Opportunity,
  options: readonly PairOption[],
  router: Router,
  payables: Payables,
  isWhole: boolean,
): Rejection {
  const reaches = ({ collateral, debt }: Pair, kind: FormKind): boolean =>
    collateral === debt ? kind === 'sale' : router.reaches(collateral, debt, kind);
  const reached = options.filter(({ trade, form }) => reaches(trade, form.kind));
  if (reached.length === 0) {
    const lacksLoan = pairs.some(({ candidates: [first] }) => first && reaches(pairOf(first), 'sale'));
    if (lacksLoan) return rejected('no-lender');
    return rejected(isWhole ? 'no-route' : 'pools-not-read');
  }
  const unpayable = reached.find(({ trade }) => trade.most === 0n);
  if (unpayable)
    return unpayable.trade.isPayable ? rejected('no-lender') : payables.refusalOf(unpayable.payment);
  return rejected('route-too-shallow', {
    pairs: String(new Set(reached.map(({ payment }) => payment)).size),
  });
}

type Pair = Pick<PairOption['trade'], 'collateral' | 'debt'>;

function pairOf({ collateral, debt }: LiquidationCandidate): Pair {
  return { collateral: collateral.address, debt: debt.address };
}
