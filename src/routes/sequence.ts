import type { Address } from '../domain/hex.js';
import type { Pool } from '../liquidity/pool.js';
import type { Form } from './form.js';
import type { Router } from './router.js';
import type { Plan, Sized, Trade } from './trade.js';

/** A plan that was computed again keeps its turn while it is worth this much of the next one. */
const NEAR = 0.95;

/** One way to liquidate a position. */
export interface Option<S extends Sized = Sized> {
  readonly trade: Trade<S>;
  readonly form: Form;
  /** A profit of this option in a unit that all options share, for instance USD8. Monotone. */
  worth(netProfit: bigint): bigint;
  /**
   * Whether the amount can still be had after the plans that were taken: others may have used up what a
   * market can pay out. Where it cannot, the option is planned again, and `trade` must then know it.
   */
  fits?(size: S): boolean;
  /** What it is worth at most on these pools. It is not planned where an option before it is worth more. */
  atMost?(router: Router): bigint;
}

/** The plan of one position. */
export interface Taken<S extends Sized = Sized> {
  /** Places in what {@link inTurns} was given. */
  readonly position: number;
  readonly option: number;
  readonly plan: Plan<S>;
  /** Of the net profit. */
  readonly worth: bigint;
}

interface Candidate<S extends Sized> extends Taken<S> {
  /** How many plans had been taken when it was planned. */
  readonly plannedAfter: number;
}

/** In which order positions are looked at. */
export interface Priority {
  /**
   * What the plan of the position is worth at most, in the unit of {@link Option.worth}. What is worth less
   * than another one waits for it. A float: it orders, and decides nothing.
   */
  readonly bound: number;
  /** Positions of a higher rank come after all of a lower one. */
  readonly rank: number;
}

/** What is done for a position in place of its plan, which is a part of it or worth less. */
export interface Extension {
  /** The pools after it, by address. */
  readonly changed: ReadonlyMap<Address, Pool>;
}

/** One turn of {@link inTurns}: the plan that is taken now; what has no plan; or one was only computed. */
export type Turn<S extends Sized = Sized, E extends Extension = Extension> =
  | ({ readonly kind: 'taken'; readonly extension: E | undefined } & Taken<S>)
  | { readonly kind: 'nothing'; readonly position: number }
  | { readonly kind: 'computed' };

/**
 * Plans that are made one after the other: each is computed on the pools as those before it leave them. The
 * most profitable is first; the order of two that are worth nearly the same is not sure. One that meets an
 * earlier one in a pool is resized or rerouted, and left out only when nothing of it pays any more.
 *
 * A position is planned only when its bound is above what the best of the others is worth. So the most
 * valuable are there soon, however many there are. There is a turn after each plan that was computed: the
 * caller stops when its time or gas is used up, and gives others their turn.
 *
 * @param optionsOf the options of each, of which one is taken. Asked when the position is looked at first;
 *   undefined: it is out of question.
 * @param priorities of each position. A bound that is too low changes the order, and nothing else.
 * @param extend asked for each plan that is taken, with the pools before it.
 */
export function* inTurns<S extends Sized, E extends Extension = Extension>(
  router: Router,
  optionsOf: (position: number) => readonly Option<S>[] | undefined,
  priorities: readonly Priority[],
  extend: (before: Router, taken: Taken<S>) => E | undefined = () => undefined,
): Generator<Turn<S, E>, void, undefined> {
  const changedBy = new Map<Address, number>();
  const known = new Map<number, readonly Option<S>[]>();
  let now = router;
  let taken = 0;
  const planned = (position: number): Candidate<S> | undefined => {
    let best: Candidate<S> | undefined;
    for (const [option, way] of (known.get(position) ?? []).entries()) {
      if (best && way.atMost && way.atMost(now) <= best.worth) continue;
      const plan = now.best(way.trade, way.form);
      if (!plan || way.fits?.(plan.size) === false) continue;
      const worth = way.worth(plan.netProfit);
      const candidate = { position, option, plan, worth, plannedAfter: taken };
      if (!best || candidate.worth > best.worth) best = candidate;
    }
    return best;
  };
  const isStale = ({ position, option, plan, plannedAfter }: Candidate<S>): boolean =>
    [...plan.exit.changed.keys()].some((pool) => (changedBy.get(pool) ?? 0) > plannedAfter) ||
    known.get(position)?.[option]?.fits?.(plan.size) === false;

  for (const group of inRanks(priorities)) {
    /** Not planned yet, the highest bound last. */
    const unseen = group.reverse();
    const waiting: Candidate<S>[] = [];
    while (unseen.length > 0 || waiting.length > 0) {
      const next = unseen.at(-1);
      const best = waiting[0];
      if (next !== undefined && (!best || (priorities[next]?.bound ?? 0) >= Number(best.worth))) {
        unseen.pop();
        const options = optionsOf(next);
        if (!options) {
          yield { kind: 'computed' };
          continue;
        }
        known.set(next, options);
        const candidate = planned(next);
        if (candidate) insert(waiting, candidate);
        yield candidate ? { kind: 'computed' } : { kind: 'nothing', position: next };
        continue;
      }
      let first = waiting.shift();
      if (!first) break;
      if (isStale(first)) {
        const again = planned(first.position);
        if (!again) {
          yield { kind: 'nothing', position: first.position };
          continue;
        }
        const bound = next === undefined ? 0 : (priorities[next]?.bound ?? 0);
        const other = Math.max(Number(waiting[0]?.worth ?? 0n), bound);
        if (other * NEAR > Number(again.worth)) {
          insert(waiting, again);
          yield { kind: 'computed' };
          continue;
        }
        first = again;
      }
      taken += 1;
      const extension = extend(now, first);
      const { changed } = extension ?? first.plan.exit;
      for (const pool of changed.keys()) changedBy.set(pool, taken);
      now = now.after(changed);
      const { position, option, plan, worth } = first;
      yield { kind: 'taken', position, option, plan, worth, extension };
    }
  }
}

/** The positions of each rank, the lowest rank first; within one the highest bound first, then as given. */
function inRanks(priorities: readonly Priority[]): number[][] {
  const ranks = new Map<number, number[]>();
  for (const [position, { rank }] of priorities.entries()) {
    const group = ranks.get(rank);
    if (group) group.push(position);
    else ranks.set(rank, [position]);
  }
  const boundOf = (position: number): number => priorities[position]?.bound ?? 0;
  return [...ranks]
    .sort(([a], [b]) => a - b)
    .map(([, group]) => group.sort((a, b) => boundOf(b) - boundOf(a) || a - b));
}

function compare(a: bigint, b: bigint): number {
  return a === b ? 0 : a > b ? 1 : -1;
}

/** The most valuable first; of two that are worth the same, that which was given first. */
function byWorth(a: Taken, b: Taken): number {
  return compare(b.worth, a.worth) || a.position - b.position;
}

function insert<T extends Taken>(sorted: T[], one: T): void {
  const at = sorted.findIndex((other) => byWorth(one, other) < 0);
  sorted.splice(at < 0 ? sorted.length : at, 0, one);
}
