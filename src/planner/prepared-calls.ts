import { isDeepStrictEqual } from 'node:util';
import type { Block } from '../domain/block.js';
import type { Address } from '../domain/hex.js';
import type { LiquidationPair, Opportunity } from '../domain/opportunity.js';
import { PLAN_LIFETIME_SECONDS } from '../domain/plan.js';
import { positionKey, type PositionId } from '../domain/position-id.js';
import { poolsOf } from '../domain/route.js';
import type { Pool } from '../liquidity/pool.js';
import { Payables } from './payables.js';
import type { PlanningContext } from './planning-context.js';
import type { Openable } from './prospects.js';
import { stepsOf, type QuotedStep } from './quotes.js';
import type { MeasuredCall } from './standing-calls.js';

/** A call must be accepted for so long after the block with which it leaves. */
const LEAST_LIFE_SECONDS = PLAN_LIFETIME_SECONDS / 2;

/** A call that was proved before its position opens, and what it stands on. */
interface Prepared {
  readonly call: MeasuredCall;
  readonly opportunity: Opportunity;
  /** Of its route. A pool never changes: another state is another object. */
  readonly pools: ReadonlyMap<Address, Pool | undefined>;
  /** The calldata of what would execute before it. */
  readonly pending: ReadonlySet<string>;
  /** The positions of the calls that were proved before it, in the same question. */
  readonly before: readonly string[];
}

type Context = Pick<PlanningContext, 'block' | 'pools' | 'lenders' | 'pending'>;

/**
 * Calls that were proved for positions that interest opens in one of the next blocks. Such a call stands at a
 * later block when the position will be there what it was foreseen to be, when no pool of its route and no
 * offer of a lender has changed, and when nothing executes before it that did not in its proof.
 */
export class PreparedCalls {
  private readonly calls = new Map<string, Prepared>();
  private last: Pick<Block, 'hash'> | undefined;

  /** Every block on the way is to be told: on another branch nothing stands. */
  reach(block: Pick<Block, 'hash' | 'parentHash'>): void {
    if (block.hash !== this.last?.hash && block.parentHash !== this.last?.hash) this.calls.clear();
    this.last = block;
  }

  /** Whether no later block was told. */
  isAt({ hash }: Pick<Block, 'hash'>): boolean {
    return hash === this.last?.hash;
  }

  has(position: PositionId): boolean {
    return this.calls.has(positionKey(position));
  }

  /** @param calls in the order in which they were proved together. If the chain went on they are dropped. */
  keep(calls: readonly MeasuredCall[], { block, pools, pending }: Context): void {
    if (!this.isAt(block)) return;
    const before: string[] = [];
    for (const call of calls) {
      const { opportunity, quote } = call[0].draft;
      const key = positionKey(opportunity);
      const route = stepsOf(quote).flatMap((step) => poolsOf(step.route));
      this.calls.set(key, {
        ...{ call, opportunity, before: [...before] },
        pools: new Map(route.map((address) => [address, pools.pools.get(address)])),
        pending: new Set(pending.map(({ data }) => data)),
      });
      before.push(key);
    }
  }

  /**
   * The calls for these positions that stand, in the order in which they were proved. They are forgotten:
   * they leave now, or are made anew.
   */
  standing(opportunities: readonly Opportunity[], context: Context): readonly MeasuredCall[] {
    const taken = new Set<string>();
    const found = opportunities.flatMap((opportunity) => {
      const prepared = this.calls.get(positionKey(opportunity));
      return prepared ? { prepared, opportunity } : [];
    });
    found.sort((one, other) => one.prepared.before.length - other.prepared.before.length);
    const payables = new Payables();
    return found.flatMap(({ prepared, opportunity }) => {
      const key = positionKey(opportunity);
      this.calls.delete(key);
      // What was to execute before it is not there: it was proved on top of that.
      if (!prepared.before.every((one) => taken.has(one))) return [];
      if (!isAsForeseen(prepared, opportunity, context, payables)) return [];
      taken.add(key);
      return [prepared.call];
    });
  }

  /** Those that have no call which still stands. What is not among them any more is forgotten. */
  missing(prospects: Openable, context: Context): Openable {
    const opened = new Map<number, Opportunity | undefined>();
    const keys = new Set(prospects.all.map(positionKey));
    for (const key of this.calls.keys()) if (!keys.has(key)) this.calls.delete(key);
    const open = [...prospects.all.keys()].filter((index) => {
      const prepared = prospects.all[index] && this.calls.get(positionKey(prospects.all[index]));
      if (!prepared) return true;
      const opportunity = prospects.open(index);
      opened.set(index, opportunity);
      return !opportunity || !isAsForeseen(prepared, opportunity, context, new Payables());
    });
    return {
      all: open.flatMap((index) => prospects.all[index] ?? []),
      open: (at) => {
        const index = open[at] ?? -1;
        return opened.has(index) ? opened.get(index) : prospects.open(index);
      },
    };
  }
}

/**
 * What is pending now was pending in its proof. What was pending there and is not now was mined, which shows
 * in the pools and the position, or was dropped.
 *
 * @param payables what the calls before it leave; of a call that stands they leave less.
 */
function isAsForeseen(
  { call, opportunity: foreseen, pools, pending }: Prepared,
  opportunity: Opportunity,
  now: Context,
  payables: Payables,
): boolean {
  const { draft } = call[0];
  const { schedule, healthFactorWad } = opportunity;
  return (
    stepsOf(draft.quote).every((step) => isStillLent(step, opportunity, now)) &&
    draft.deadline - BigInt(now.block.timestamp) >= BigInt(LEAST_LIFE_SECONDS) &&
    now.pending.every(({ data }) => pending.has(data)) &&
    [...pools].every(([address, pool]) => now.pools.pools.get(address) === pool) &&
    isDeepStrictEqual(
      { schedule, healthFactorWad, pairs: termsOf(opportunity) },
      {
        schedule: foreseen.schedule,
        healthFactorWad: foreseen.healthFactorWad,
        pairs: termsOf(foreseen),
      },
    ) &&
    isPaidOut(call, opportunity, now, payables)
  );
}

/** What the market can pay out is left out: it is asked only where a position is at risk already. */
function termsOf({ pairs }: Opportunity): readonly Omit<LiquidationPair, 'payable'>[] {
  return pairs.map(({ terms, candidates }) => ({ terms, candidates }));
}

/**
 * Whether the market has what it seizes, beside the calls before it. What a pending call seizes is not known
 * here: then the market has to have as much as in the proof.
 */
function isPaidOut(
  [{ draft }]: MeasuredCall,
  opportunity: Opportunity,
  { pending }: Pick<Context, 'pending'>,
  payables: Payables,
): boolean {
  const asProved = isDeepStrictEqual(
    opportunity.pairs.map(({ payable }) => payable),
    draft.opportunity.pairs.map(({ payable }) => payable),
  );
  if (pending.length > 0 && !asProved) return false;
  payables.add(opportunity);
  const { market, marketId } = opportunity;
  return stepsOf(draft.quote).every(({ pair, candidate }) => {
    const payment = { market, ...(marketId !== undefined && { marketId }), pair, candidate };
    const fits = payables.fits(payment);
    payables.take(payment);
    return asProved || fits;
  });
}

/** Whether the lender still lends as much, at the same fee. Other money is with the pools and the market. */
function isStillLent(
  { funding, candidate }: QuotedStep,
  position: PositionId,
  { lenders }: Pick<Context, 'lenders'>,
): boolean {
  if (funding.kind !== 'loan') return true;
  return lenders
    .for(position, candidate.debt.address)
    .some(
      ({ lender, feeBps, most }) =>
        lender === funding.lender && feeBps === funding.feeBps && most >= candidate.debtToFund,
    );
}
