import { expect, it } from 'vitest';
import { SeededRandom } from '../../devnet/random.js';
import { poolWorld, tradeOf, type PoolWorld } from '../../testing/builders/pool-worlds.js';
import { ConstantProductPool } from '../../testing/fakes/constant-product-pool.js';
import type { Address } from '../domain/hex.js';
import { ConcentratedPool } from '../liquidity/concentrated/concentrated-pool.js';
import { sqrtRatioAtTick } from '../liquidity/concentrated/tick-math.js';
import { TickTable } from '../liquidity/concentrated/tick-table.js';
import type { Pool } from '../liquidity/pool.js';
import type { Form } from './form.js';
import { Router } from './router.js';

const [LOWEST, HIGHEST] = [-887_272, 887_271];

/** Pools between these tokens that give nothing, or at the end of all prices: in one direction a gift. */
const ODD: Readonly<Record<string, (address: Address, tokens: readonly [Address, Address]) => Pool>> = {
  'created, and not initialised': (address, tokens) => concentrated(address, tokens, 0n, 0, 0n),
  'initialised, without liquidity': (address, tokens) => concentrated(address, tokens, 2n ** 96n, 0, 0n),
  'at the lowest price': (address, tokens) =>
    concentrated(address, tokens, sqrtRatioAtTick(LOWEST), LOWEST, 1n),
  'at the highest price': (address, tokens) =>
    concentrated(address, tokens, sqrtRatioAtTick(HIGHEST), HIGHEST, 1n),
  'that was drained': (address, tokens) => new ConstantProductPool(address, tokens, [1n, 1n]),
  'without anything': (address, tokens) => new ConstantProductPool(address, tokens, [0n, 0n]),
};

function concentrated(
  address: Address,
  tokens: readonly [Address, Address],
  sqrtPriceX96: bigint,
  tick: number,
  liquidity: bigint,
): ConcentratedPool {
  const [feePips, tickSpacing] = [500, 1];
  const terms = { address, tokens, venue: 'uniswap-v3', parameter: feePips, feePips, tickSpacing };
  return new ConcentratedPool({
    ...{ ...terms, sqrtPriceX96, tick, liquidity: 0n, ticks: TickTable.of([], tickSpacing) },
  }).afterLiquidityLog(LOWEST, HIGHEST + 1, liquidity);
}

function betweenAll({ tokens }: PoolWorld, make: (typeof ODD)[string]): Pool[] {
  const addresses = tokens.map(({ address }) => address).sort();
  return addresses.flatMap((first, one) =>
    addresses.slice(one + 1).map((second, other) => {
      const place = (one * 100 + other).toString(16).padStart(8, '0');
      return make(`0xffffffff${'0'.repeat(24)}${place}`, [first, second]);
    }),
  );
}

it.each(Object.entries(ODD))('a pool %s hides no route beside it', (_, make) => {
  let planned = 0;
  for (let seed = 0; seed < 12; seed += 1) {
    const random = new SeededRandom(seed);
    const world = poolWorld(random, { tokens: 5, pools: 12, concentrated: 0.5, unlending: 0.2 });
    const [collateral, debt] = world.tokens;
    const trade = tradeOf(random, collateral!, debt!, random.magnitude(100, 200_000));
    for (const kind of ['flash-swap', 'sale'] as const) {
      const form: Form = kind === 'sale' ? { kind, hopCost: 0n, loanFeeBps: 0n } : { kind, hopCost: 0n };
      const plan = Router.of(world.pools).best(trade, form);
      const among = Router.of([...world.pools, ...betweenAll(world, make)]).best(trade, form);
      const least = ((plan?.netProfit ?? 0n) * 995n) / 1_000n;
      expect(among?.netProfit ?? 0n, `seed ${seed}, ${kind}`).toBeGreaterThanOrEqual(least);
      if (plan) planned += 1;
    }
  }
  expect(planned).toBeGreaterThan(10);
});
