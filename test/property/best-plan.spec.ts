import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../devnet/random.js';
import { bruteForce } from '../../testing/brute-force-routes.js';
import { poolWorld, randomTrade, type PoolWorld } from '../../testing/builders/pool-worlds.js';
import type { Form } from '../../src/routes/form.js';
import { Router } from '../../src/routes/router.js';
import type { Trade } from '../../src/routes/trade.js';

/** All of them, in some minutes: POSITIONS=300. Other ones: POSITIONS_SEED=… */
const POSITIONS = Number(process.env['POSITIONS'] ?? 4);
const SEED = Number(process.env['POSITIONS_SEED'] ?? 1);
/** Of the dollars that the brute force finds. */
const LEAST_SHARE = 0.995;

const HOP_USD = 0.02;
const KINDS = ['flash-swap', 'sale'] as const;

/** One way to pay for one pair of a position. */
interface Option {
  readonly trade: Trade;
  readonly form: Form;
  /** Of the token that the profit is in: USD for one unit. */
  readonly unitUsd: number;
}

/** A position with one to three pairs, and both ways to pay for each. */
function positionOf(random: SeededRandom, world: PoolWorld): Option[] {
  const pairs = Array.from({ length: random.integer(1, 3) }, () =>
    randomTrade(random, world, random.magnitude(100, 1e6)),
  );
  return pairs.flatMap((trade) =>
    KINDS.map((kind) => {
      const token = kind === 'sale' ? trade.debt : trade.collateral;
      const { unitUsd } = world.tokens.find(({ address }) => address === token)!;
      const hopCost = BigInt(Math.ceil(HOP_USD / unitUsd));
      const form: Form = kind === 'sale' ? { kind, hopCost, loanFeeBps: 5n } : { kind, hopCost };
      return { trade, form, unitUsd };
    }),
  );
}

/** The most that one of the options brings. USD. */
function best(options: readonly Option[], netProfit: (option: Option) => bigint): number {
  return Math.max(0, ...options.map((option) => Number(netProfit(option)) * option.unitUsd));
}

describe(`${POSITIONS} positions over 30 pools (seed ${SEED})`, () => {
  it('plans bring 99.5 % of a brute force over pairs, both ways to pay, 200 amounts, all routes, splits of two', () => {
    const random = new SeededRandom(SEED);
    const world = poolWorld(random, { tokens: 10, pools: 30, concentrated: 0.6, unlending: 0.2 });
    const router = Router.of(world.pools);
    const found = Array.from({ length: POSITIONS }, (_, position) => {
      const options = positionOf(random, world);
      const ours = best(options, ({ trade, form }) => router.best(trade, form)?.netProfit ?? 0n);
      const most = best(options, ({ trade, form }) => bruteForce(world.pools, trade, form).netProfit);
      return { position, ours, most, missed: most - ours };
    });
    const sum = (of: (one: (typeof found)[number]) => number): number =>
      found.reduce((total, one) => total + of(one), 0);
    const share = sum(({ ours }) => ours) / sum(({ most }) => most);
    const [worst] = found.toSorted((a, b) => b.missed - a.missed);
    const report = `$${sum(({ ours }) => ours).toFixed(2)} of $${sum(({ most }) => most).toFixed(2)}, ${(share * 100).toFixed(3)} %; the largest gap is $${worst!.missed.toFixed(2)} of $${worst!.most.toFixed(2)}, of position ${worst!.position}`;
    if (process.env['POSITIONS'] !== undefined) process.stdout.write(`${report}\n`);
    expect(found.filter(({ most }) => most > 0).length).toBeGreaterThan(POSITIONS / 4);
    expect(share, report).toBeGreaterThan(LEAST_SHARE);
  }, 3_600_000);
});
