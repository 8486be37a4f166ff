import type { Router } from '../src/routes/router.js';
import { inTurns, type Option, type Taken } from '../src/routes/sequence.js';
import type { Sized } from '../src/routes/trade.js';

/** The plans that are taken, of positions that may be worth anything. */
export function* inSequence<S extends Sized>(
  router: Router,
  positions: readonly (readonly Option<S>[])[],
): Generator<Taken<S>, void, undefined> {
  const unbounded = { bound: Infinity, rank: 0 };
  const turns = inTurns(
    router,
    (index) => positions[index],
    positions.map(() => unbounded),
  );
  for (const turn of turns) if (turn.kind === 'taken') yield turn;
}
