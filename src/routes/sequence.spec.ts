import { describe, expect, it } from 'vitest';
import { standIn } from '../../testing/fakes/stand-in.js';
import { SeededRandom } from '../../devnet/random.js';
import { poolWorld, tradeOf } from '../../testing/builders/pool-worlds.js';
import { inSequence } from '../../testing/sequence.js';
import { Router } from './router.js';
import { inTurns, type Option, type Priority, type Turn } from './sequence.js';

const SEED = Number(process.env['ROUTES_SEED'] ?? 11);
const POSITIONS = 60;

/** Positions of a random world, and what each is worth when it is alone. */
function aWorld(): { router: Router; positions: Option[][]; worths: bigint[] } {
  const random = new SeededRandom(SEED);
  const { tokens, pools } = poolWorld(random, { tokens: 6, pools: 40, concentrated: 0.5, unlending: 0 });
  const router = Router.of(pools);
  const positions = Array.from({ length: POSITIONS }, (_, index): Option[] => {
    const collateral = tokens[index % tokens.length]!;
    const debt = tokens[(index + 1 + (index % 3)) % tokens.length]!;
    const { unitUsd } = collateral;
    return [
      {
        trade: tradeOf(random, collateral, debt, random.magnitude(500, 50_000)),
        form: { kind: 'flash-swap', hopCost: 0n },
        worth: (netProfit) => BigInt(Math.floor(Number(netProfit) * unitUsd * 1e8)),
      },
    ];
  });
  const worths = positions.map(([one]) => {
    const plan = router.best(one!.trade, one!.form);
    return plan ? one!.worth(plan.netProfit) : 0n;
  });
  return { router, positions, worths };
}

const priorities = (
  bounds: readonly (bigint | number)[],
  rank: (index: number) => number = () => 0,
): Priority[] => bounds.map((bound, index) => ({ bound: Number(bound), rank: rank(index) }));

const from =
  (positions: readonly (readonly Option[])[]) =>
  (index: number): readonly Option[] | undefined =>
    positions[index];

const takenOf = (turns: readonly Turn[]): number[] =>
  turns.flatMap((turn) => (turn.kind === 'taken' ? [turn.position] : []));

describe(`plans in turns, of ${POSITIONS} positions (ROUTES_SEED=${SEED})`, () => {
  const { router, positions, worths } = aWorld();
  const generous = worths.map((worth) => (worth * 11n) / 10n + 1n);

  it('with bounds they come in the order in which they come when all are planned first', () => {
    const worthsOf = (of: Iterable<{ worth: bigint }>): bigint[] => [...of].map(({ worth }) => worth);
    const eager = worthsOf(inSequence(router, positions));
    const lazy = [...inTurns(router, from(positions), priorities(generous))].flatMap((turn) =>
      turn.kind === 'taken' ? [turn] : [],
    );
    expect(lazy.length).toBeGreaterThan(POSITIONS / 2);
    // The order of two that are worth nearly the same is not sure, and a plan that moved a pool the other way
    // makes a later one worth more.
    let least = lazy[0]!.worth;
    for (const { worth } of lazy) {
      expect(worth * 85n).toBeLessThanOrEqual(least * 100n);
      if (worth < least) least = worth;
    }
    expect(lazy[0]!.worth).toBe(eager[0]);
    const sum = (all: readonly bigint[]): number => Number(all.reduce((total, one) => total + one, 0n));
    expect(sum(worthsOf(lazy)) / sum(eager)).toBeGreaterThan(0.99);
  });

  it('the first ones are there before the others are looked at', () => {
    let looked = 0;
    const taken: number[] = [];
    for (const turn of inTurns(router, from(positions), priorities(generous))) {
      if (turn.kind === 'taken') taken.push(turn.position);
      else looked += 1;
      if (taken.length === 5) break;
    }
    expect(looked).toBeLessThan(POSITIONS / 3);
    const best = worths.indexOf(worths.reduce((a, b) => (a > b ? a : b)));
    expect(taken[0]).toBe(best);
  });

  it('the caller has a turn after each plan that is computed, also where nothing can be planned', () => {
    let computed = 0;
    const counting: Router = standIn<Router>('the router', {
      best: (trade, form) => {
        computed += 1;
        return router.best(trade, form);
      },
      after: () => counting,
    });
    let turns = 0;
    for (const turn of inTurns(counting, from([...positions, [], []]), priorities([...generous, 5n, 0n]))) {
      turns += 1;
      expect(computed).toBeLessThanOrEqual(turns);
      expect(['taken', 'nothing', 'computed']).toContain(turn.kind);
    }
  });

  it('the options of a position are asked for once, when it is looked at; one out of question is left out', () => {
    const asked: number[] = [];
    const options = (index: number): readonly Option[] | undefined => {
      asked.push(index);
      return index === 0 ? undefined : positions[index];
    };
    const turns = inTurns(router, options, priorities(generous));
    for (const turn of turns) if (turn.kind === 'taken') break;
    expect(asked.length).toBeLessThan(POSITIONS / 3);
    const taken = takenOf([...inTurns(router, options, priorities(generous))]);
    expect(taken).not.toContain(0);
    expect(new Set(asked.slice(-POSITIONS)).size).toBe(POSITIONS);
  });

  it('each position is decided once', () => {
    const turns = [...inTurns(router, from(positions), priorities(generous))];
    const decided = turns.flatMap((turn) => (turn.kind === 'computed' ? [] : [turn.position]));
    expect(decided.sort((a, b) => a - b)).toEqual(positions.map((_, index) => index));
  });

  it('an option that cannot beat the one before it is not planned, one that could is', () => {
    const [[first] = []] = positions;
    const sized: string[] = [];
    const second = (name: string, atMost: bigint): Option => ({
      ...first!,
      atMost: () => atMost,
      trade: { ...first!.trade, size: (debt) => (sized.push(name), first!.trade.size(debt)) },
    });
    const options = [first!, second('worse', worths[0]!), second('better', worths[0]! + 1n)];
    const turns = [...inTurns(router, from([options]), priorities([generous[0]!]))];
    expect(turns.at(-1)).toMatchObject({ kind: 'taken', option: 0 });
    expect(new Set(sized)).toEqual(new Set(['better']));
  });

  it('those of a higher rank come after all of a lower one, whatever they are worth', () => {
    const ranked = priorities(generous, (index) => (index % 3 === 0 ? 7 : 0));
    const ranks = takenOf([...inTurns(router, from(positions), ranked)]).map(
      (position) => ranked[position]!.rank,
    );
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
    expect(new Set(ranks)).toEqual(new Set([0, 7]));
  });
});
