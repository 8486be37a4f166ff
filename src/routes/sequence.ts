import type { Address } from '../domain/hex.js';
import { BPS } from '../domain/money.js';
import type { Form } from './form.js';
import type { Router } from './router.js';
import type { Plan, Sized, Trade } from './trade.js';

/** A plan that was computed again keeps its turn while it is worth this much of the next one. */
const NEAR_BPS = 9_500n;

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
}

/** The plan of one position. */
export interface Taken<S extends Sized = Sized> {
  /** Places in what {@link inSequence} was given. */
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

/**
 * Plans that are made one after the other: each is computed on the pools as those before it leave them. The
 * most profitable is first; the order of two that are worth nearly the same is not sure. One that meets an
 * earlier one in a pool is resized or rerouted, and left out only when nothing of it pays any more.
 *
 * It is a generator, so that the caller stops when its time or gas is used up.
 *
 * @param positions the options of each, of which one is taken.
 */
export function* inSequence<S extends Sized>(
  router: Router,
  positions: readonly (readonly Option<S>[])[],
): Generator<Taken<S>, void, undefined> {
  const changedBy = new Map<Address, number>();
  let now = router;
  let taken = 0;
  const planned = (position: number): Candidate<S> | undefined => {
    let best: Candidate<S> | undefined;
    for (const [option, way] of (positions[position] ?? []).entries()) {
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
    positions[position]?.[option]?.fits?.(plan.size) === false;

  const waiting = positions.flatMap((_, position) => planned(position) ?? []).sort(byWorth);
  for (let first = waiting.shift(); first; first = waiting.shift()) {
    if (isStale(first)) {
      const again = planned(first.position);
      const next = waiting[0];
      if (!again) continue;
      if (next && next.worth * NEAR_BPS > again.worth * BPS) {
        insert(waiting, again);
        continue;
      }
      first = again;
    }
    taken += 1;
    for (const pool of first.plan.exit.changed.keys()) changedBy.set(pool, taken);
    now = now.after(first.plan.exit.changed);
    const { position, option, plan, worth } = first;
    yield { position, option, plan, worth };
  }
}

/** The most valuable first; of two that are worth the same, that which was given first. */
function byWorth(a: Taken, b: Taken): number {
  if (a.worth !== b.worth) return a.worth > b.worth ? -1 : 1;
  return a.position - b.position;
}

function insert<T extends Taken>(sorted: T[], one: T): void {
  const at = sorted.findIndex((other) => byWorth(one, other) < 0);
  sorted.splice(at < 0 ? sorted.length : at, 0, one);
}
