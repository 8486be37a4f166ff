import { describe, expect, it } from 'vitest';
import { ConstantProductPool } from '../../testing/fakes/constant-product-pool.js';
import type { Address } from '../domain/hex.js';
import type { Form } from './form.js';
import { Router } from './router.js';
import { inSequence } from '../../testing/sequence.js';
import type { Option } from './sequence.js';
import type { Trade } from './trade.js';

const address = (name: string): Address => `0x${name.repeat(40 / name.length)}`;
const [COLLATERAL, DEBT, HUB, OTHER] = [address('c0'), address('d0'), address('e0'), address('f0')];
const MILLION = 10n ** 12n;

/** A pool of two tokens that are worth the same: so many millions of units of each. */
function pool(name: string, a: Address, b: Address, millions: bigint, lends = true): ConstantProductPool {
  const tokens = a < b ? ([a, b] as const) : ([b, a] as const);
  return new ConstantProductPool(address(name), tokens, [millions * MILLION, millions * MILLION], 500, lends);
}

/** What is seized is worth 5 % more than what is covered. */
function trade(most: bigint, edges: readonly bigint[] = []): Trade {
  return {
    ...{ collateral: COLLATERAL, debt: DEBT, least: 1_000n, most, edges },
    size: (debtToFund) => ({ debtToFund, collateralSeized: (debtToFund * 105n) / 100n }),
  };
}

const FLASH: Form = { kind: 'flash-swap', hopCost: 0n };
const SALE: Form = { kind: 'sale', hopCost: 0n, loanFeeBps: 0n };

const poolsIn = (plan: {
  exit: { route: { parts: readonly { hops: readonly { pool: Address }[] }[] } };
}): string[] =>
  plan.exit.route.parts.map(({ hops }) => hops.map(({ pool: used }) => used.slice(2, 4)).join('-')).sort();

describe('routes', () => {
  it('go over the hub where no pool trades the pair, also over two tokens', () => {
    const two = [pool('a1', COLLATERAL, HUB, 1n), pool('a2', HUB, DEBT, 1n)];
    expect(poolsIn(Router.of(two).best(trade(10n ** 9n), FLASH)!)).toEqual(['a1-a2']);
    const three = [pool('a1', COLLATERAL, HUB, 1n), pool('a2', HUB, OTHER, 1n), pool('a3', OTHER, DEBT, 1n)];
    expect(poolsIn(Router.of(three).best(trade(10n ** 9n), FLASH)!)).toEqual(['a1-a2-a3']);
  });

  it('are never of four hops', () => {
    const far = address('ab');
    const four = [
      ...[pool('a1', COLLATERAL, HUB, 1n), pool('a2', HUB, OTHER, 1n)],
      ...[pool('a3', OTHER, far, 1n), pool('a4', far, DEBT, 1n)],
    ];
    expect(Router.of(four).best(trade(10n ** 9n), FLASH)).toBeUndefined();
    expect(Router.of(four).reaches(COLLATERAL, DEBT, 'sale')).toBe(false);
  });

  it('are split over parallel pools where that pays, and not where the gas of a hop is more than it saves', () => {
    const router = Router.of([pool('a1', COLLATERAL, DEBT, 1n), pool('a2', COLLATERAL, DEBT, 1n)]);
    const most = MILLION / 100n;
    const both = router.best(trade(most), FLASH)!;
    const one = Router.of([pool('a1', COLLATERAL, DEBT, 1n)]).best(trade(most), FLASH)!;
    expect(poolsIn(both)).toEqual(['a1', 'a2']);
    const saved = both.profit - one.profit;
    expect(saved).toBeGreaterThan(0n);
    const parts = (hopCost: bigint): number =>
      router.best(trade(most), { kind: 'flash-swap', hopCost })!.exit.route.parts.length;
    expect([parts((saved * 9n) / 10n), parts((saved * 11n) / 10n)]).toEqual([2, 1]);
  });

  it('use a pool that does not lend in a sale only', () => {
    const router = Router.of([pool('a1', COLLATERAL, DEBT, 1n, false)]);
    expect(router.best(trade(10n ** 9n), FLASH)).toBeUndefined();
    expect(router.reaches(COLLATERAL, DEBT, 'flash-swap')).toBe(false);
    expect(router.best(trade(10n ** 9n), SALE)?.exit.lends).toBe(false);
    expect(router.reaches(COLLATERAL, DEBT, 'sale')).toBe(true);
  });

  it('meet in a pool in a sale, and share no pool in flash swaps', () => {
    const router = Router.of([
      ...[pool('a1', COLLATERAL, HUB, 100n), pool('a2', HUB, DEBT, 1n), pool('a3', HUB, DEBT, 1n)],
    ]);
    const most = MILLION / 50n;
    expect(poolsIn(router.best(trade(most), SALE)!)).toEqual(['a1-a2', 'a1-a3']);
    expect(poolsIn(router.best(trade(most), FLASH)!)).toHaveLength(1);
  });

  it('of an exact amount take the least, or give the most', () => {
    const router = Router.of([pool('a1', COLLATERAL, DEBT, 1n), pool('a2', COLLATERAL, DEBT, 3n)]);
    const bought = router.bestExactOut(COLLATERAL, DEBT, MILLION / 10n)!;
    expect(bought.amountOut).toBe(MILLION / 10n);
    expect(bought.route.parts.map(({ output }) => Number(output) / 1e11)).toEqual([
      expect.closeTo(0.75, 2),
      expect.closeTo(0.25, 2),
    ]);
    const sold = router.bestExactIn(COLLATERAL, DEBT, MILLION / 10n)!;
    expect(sold.amountIn).toBe(MILLION / 10n);
    expect(sold.sharesBps).toEqual([expect.any(BigInt), 10_000n]);
    expect(router.bestExactOut(COLLATERAL, DEBT, 4n * MILLION)).toBeUndefined();
    expect(router.bestExactOut(COLLATERAL, HUB, 1_000n)).toBeUndefined();
  });
});

describe('amounts', () => {
  it('end where the last unit costs more than it brings, between the edges', () => {
    const router = Router.of([pool('a1', COLLATERAL, DEBT, 1n)]);
    const plan = router.best(trade(MILLION / 2n, [MILLION / 4n]), FLASH)!;
    // The marginal price of a constant product, 1 / (1 - x)^2 with its fee, reaches the bonus.
    const expected = 1 - Math.sqrt(1 / (1.05 * 0.9995));
    expect(Number(plan.size.debtToFund) / 1e12).toBeCloseTo(expected, 3);
  });

  it('are an edge where everything pays, and never one that the market refuses', () => {
    const router = Router.of([pool('a1', COLLATERAL, DEBT, 1_000n)]);
    const most = MILLION;
    expect(router.best(trade(most), FLASH)?.size.debtToFund).toBe(most);
    const leaves = (most * 8n) / 10n;
    const refusing = {
      ...trade(most, [leaves]),
      size: (debt: bigint) => (debt > leaves ? undefined : trade(most).size(debt)),
    };
    expect(router.best(refusing, FLASH)?.size.debtToFund).toBe(leaves);
  });

  it('are not profitable where the bonus is less than the fees', () => {
    const router = Router.of([pool('a1', COLLATERAL, DEBT, 1_000n)]);
    const poor = {
      ...trade(MILLION),
      size: (debt: bigint) => ({ debtToFund: debt, collateralSeized: debt }),
    };
    expect(router.best(poor, FLASH)).toBeUndefined();
    expect(router.best(poor, SALE)).toBeUndefined();
  });

  it('of one token as collateral and debt need no exit, and a loan', () => {
    const router = Router.of([]);
    const same = { ...trade(MILLION, [MILLION / 2n]), debt: COLLATERAL };
    const plan = router.best(same, { kind: 'sale', hopCost: 7n, loanFeeBps: 5n })!;
    expect(plan.exit.route.parts).toEqual([]);
    expect(plan.netProfit).toBe((MILLION * 5n) / 100n - (MILLION * 5n) / 10_000n);
    expect(router.best(same, FLASH)).toBeUndefined();
  });
});

describe('plans of one pass', () => {
  const option = (most: bigint, form: Form = FLASH): Option => ({
    trade: trade(most),
    form,
    worth: (netProfit) => netProfit,
  });

  it('that meet in a pool are resized on the state after the earlier ones, the most profitable first', () => {
    const router = Router.of([pool('a1', COLLATERAL, DEBT, 1n)]);
    const [small, large] = [option(MILLION / 100n), option(MILLION / 50n)];
    const taken = [...inSequence(router, [[small], [large]])];
    expect(taken.map(({ position }) => position)).toEqual([1, 0]);
    const alone = router.best(small.trade, FLASH)!;
    expect(taken[1]!.plan.size.debtToFund).toBeLessThan(alone.size.debtToFund);
    const after = router.after(taken[0]!.plan.exit.changed);
    expect(taken[1]!.plan).toEqual(after.best(small.trade, FLASH));
  });

  it('are rerouted to a pool that the earlier ones left alone', () => {
    const router = Router.of([pool('a1', COLLATERAL, DEBT, 1n), pool('a2', COLLATERAL, DEBT, 1n)]);
    const dear: Form = { kind: 'flash-swap', hopCost: MILLION / 4_000n };
    const taken = [...inSequence(router, [[option(MILLION / 100n, dear)], [option(MILLION / 100n, dear)]])];
    expect(taken.map(({ position, plan }) => [position, ...poolsIn(plan)])).toEqual([
      [0, 'a1'],
      [1, 'a2'],
    ]);
  });

  it('are left out when nothing of them pays any more', () => {
    const router = Router.of([pool('a1', COLLATERAL, DEBT, 1n)]);
    const taken = [...inSequence(router, [[option(MILLION / 2n)], [option(MILLION / 2n)]])];
    expect(taken.map(({ position }) => position)).toEqual([0]);
  });

  it('take one option of each position, the best one', () => {
    const router = Router.of([pool('a1', COLLATERAL, DEBT, 1n)]);
    const options = [option(MILLION / 1_000n), option(MILLION / 100n), option(MILLION / 500n)];
    expect([...inSequence(router, [options])].map((one) => [one.position, one.option])).toEqual([[0, 1]]);
  });

  it('are planned again when a market has no longer what they seize', () => {
    const router = Router.of([pool('a1', COLLATERAL, DEBT, 1_000n)]);
    let payable = MILLION;
    const limited: Option = {
      form: FLASH,
      worth: (netProfit) => netProfit,
      fits: ({ collateralSeized }) => collateralSeized <= payable,
      trade: {
        ...trade(MILLION),
        get edges() {
          return [(payable * 100n) / 105n];
        },
        size: (debt) => {
          const sized = trade(MILLION).size(debt)!;
          return sized.collateralSeized <= payable ? sized : undefined;
        },
      },
    };
    const seized: bigint[] = [];
    for (const { plan } of inSequence(router, [[limited], [limited]])) {
      seized.push(plan.size.collateralSeized);
      payable -= (plan.size.collateralSeized * 7n) / 10n;
    }
    expect(seized).toHaveLength(2);
    expect(seized[1]).toBeLessThan(seized[0]! / 2n);
  });
});
