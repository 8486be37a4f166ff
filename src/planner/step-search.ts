import { nativeUsd8 } from '../domain/costs.js';
import { BPS, valueUsd8 } from '../domain/money.js';
import type { LiquidationCandidate, LiquidationPair } from '../domain/opportunity.js';
import type { PositionId } from '../domain/position-id.js';
import type { Pool } from '../liquidity/pool.js';
import type { Address } from '../domain/hex.js';
import { afterStep, sizesLeavingOpen } from '../protocols/market-kinds.js';
import type { Router } from '../routes/router.js';
import type { Plan, Trade } from '../routes/trade.js';
import { worthIn } from './bounds.js';
import { optionsOf, type PairOption, type QuotingContext } from './pair-options.js';
import type { Payables } from './payables.js';
import { gasOfFirst, gasOfFurther } from './step-gas.js';

/** The most liquidations of one borrower in one transaction. */
export const MOST_STEPS = 3;
/** Pairs that are tried before another one, the best by themselves. */
const MOST_FIRST_PAIRS = 3;
/** The most plans that are computed for one position. */
const MOST_PLANNED = 60;
/** The least that further steps must add, as a share of the best single liquidation: they may fail alone. */
const LEAST_GAIN_BPS = 100n;

/** One liquidation of a sequence. */
export interface ChosenStep {
  readonly option: PairOption;
  readonly plan: Plan<LiquidationCandidate>;
  /** USD8, of the net profit. */
  readonly worth: bigint;
}

/** Several liquidations of one borrower, in their order. */
export interface StepSequence {
  readonly steps: readonly ChosenStep[];
  /** The pools after all of them. */
  readonly changed: ReadonlyMap<Address, Pool>;
  /** USD8, of all net profits, less the gas of the further steps and the bid. */
  readonly worth: bigint;
}

interface State {
  readonly pairs: readonly LiquidationPair[];
  readonly payables: Payables;
  readonly router: Router;
}

/**
 * The best sequence of at most {@link MOST_STEPS} liquidations of one position, in one transaction: over its
 * pairs, and with first amounts that leave it open to a next step. Each is computed on the position, the
 * pools and the cash of the market as those before it leave them.
 *
 * Tried first: the {@link MOST_FIRST_PAIRS} best pairs, each with its best amount and with the largest that
 * leaves the position open. No more than {@link MOST_PLANNED} plans are computed, and nothing where a bound
 * says that it is worth less than what is known.
 */
export class StepSearch {
  private left = MOST_PLANNED;

  constructor(
    private readonly position: PositionId,
    private readonly context: QuotingContext,
  ) {}

  /**
   * @param single the best liquidation by itself, which is known.
   * @returns undefined where nothing is worth more than it, by a margin.
   */
  better(state: State, single: ChosenStep): StepSequence | undefined {
    const found = this.best(state, MOST_STEPS, single);
    if (!found || found.steps.length < 2) return undefined;
    const { worth } = this.sequence([single]);
    const least = worth + (worth * LEAST_GAIN_BPS) / BPS;
    return found.worth > least ? found : undefined;
  }

  private best(state: State, most: number, known?: ChosenStep): StepSequence | undefined {
    const isAlone = state.pairs.length === 1;
    const singles = known && isAlone ? [known] : this.singles(state);
    const [first = known] = singles;
    let best = first && this.sequence([first]);
    if (most === 1) return best;
    const { pairs } = state;
    for (const single of singles.slice(0, MOST_FIRST_PAIRS))
      for (const step of this.firsts(single, state)) {
        const { option, plan } = step;
        const left = afterStep(pairs, option.payment.pair, plan.size);
        if (left.length === 0) continue;
        const router = state.router.after(plan.exit.changed);
        const bound = step.worth + boundUsd8(left, router) * BigInt(most - 1) - this.gasUsd8(option);
        if (best && bound <= best.worth) continue;
        const payables = state.payables.after({ ...option.payment, candidate: plan.size });
        const rest = this.best({ pairs: left, payables, router }, most - 1);
        const whole = rest && this.sequence([step, ...rest.steps]);
        if (whole && (!best || whole.worth > best.worth)) best = whole;
      }
    return best;
  }

  /** The best liquidation of each pair by itself, the best first. */
  private singles({ pairs, payables, router }: State): ChosenStep[] {
    const best = new Map<LiquidationPair, ChosenStep>();
    for (const option of optionsOf({ ...this.position, pairs }, payables, this.context)) {
      const { pair } = option.payment;
      const known = best.get(pair);
      if (known && option.atMost && option.atMost(router) <= known.worth) continue;
      const step = this.plan(option, option.trade, router);
      if (step && (!known || step.worth > known.worth)) best.set(pair, step);
    }
    // Of two that are worth the same, the first stays the first.
    return [...best.values()].sort((a, b) => (a.worth === b.worth ? 0 : a.worth < b.worth ? 1 : -1));
  }

  /** A step as it is best by itself, and those that leave the position open. */
  private firsts(single: ChosenStep, { router }: State): ChosenStep[] {
    const { option } = single;
    const open = sizesLeavingOpen(option.payment.pair).filter(
      ({ debtToCover }) => debtToCover < single.plan.size.debtToCover,
    );
    return [
      single,
      ...open.flatMap((size) => this.plan(option, new OneSize(option.trade, size), router) ?? []),
    ];
  }

  private plan(
    option: PairOption,
    trade: Trade<LiquidationCandidate>,
    router: Router,
  ): ChosenStep | undefined {
    if (this.left === 0) return undefined;
    this.left -= 1;
    const plan = router.best(trade, option.form);
    if (!plan || option.fits?.(plan.size) === false) return undefined;
    return { option, plan, worth: option.worth(plan.netProfit) };
  }

  private sequence(steps: readonly ChosenStep[]): StepSequence {
    const [first, ...further] = steps.map(({ option }) => option.payment.pair);
    const gas = further.reduce((sum, pair) => sum + gasOfFurther(pair), first ? gasOfFirst(first) : 0n);
    const profitUsd8 = steps.reduce(
      (sum, { option, worth }, index) => sum + worth - (index === 0 ? 0n : this.gasUsd8(option)),
      0n,
    );
    return {
      steps,
      changed: new Map(steps.flatMap(({ plan }) => [...plan.exit.changed])),
      worth: profitUsd8 - this.bidUsd8(profitUsd8, gas),
    };
  }

  /** Of the gas of a further step like this one. */
  private gasUsd8({ payment: { pair } }: PairOption): bigint {
    const { block, nativePriceUsd8 } = this.context;
    return nativeUsd8(gasOfFurther(pair) * block.baseFeePerGas, nativePriceUsd8);
  }

  /** What its transaction would offer: a further step pays its share, by its profit or by its gas. USD8. */
  private bidUsd8(profitUsd8: bigint, gasUsed: bigint): bigint {
    const { bidOf, nativePriceUsd8 } = this.context;
    const bid = bidOf({ grossProfitUsd8: profitUsd8, marginUsd8: profitUsd8, gasUsed, nativePriceUsd8 });
    return bid ? nativeUsd8(gasUsed * bid.perGasWei, nativePriceUsd8) : 0n;
  }
}

/** What the best of the pairs is worth at most by itself. */
function boundUsd8(pairs: readonly LiquidationPair[], router: Router): bigint {
  const worthOf = worthIn(router);
  const worths = pairs.flatMap(({ candidates }) =>
    candidates.map(({ collateral, debt, collateralSeized, debtToFund }) =>
      worthOf(
        collateral,
        debt,
        Number(valueUsd8(collateralSeized, collateral)),
        Number(valueUsd8(debtToFund, debt)),
      ),
    ),
  );
  return BigInt(Math.ceil(Math.max(0, ...worths)));
}

/** A trade of which one amount is wanted. */
class OneSize implements Trade<LiquidationCandidate> {
  readonly collateral: Address;
  readonly debt: Address;
  readonly least: bigint;
  readonly most: bigint;
  readonly edges: readonly bigint[];

  constructor(
    { collateral, debt }: Trade<LiquidationCandidate>,
    private readonly only: LiquidationCandidate,
  ) {
    const { debtToCover } = only;
    [this.collateral, this.debt] = [collateral, debt];
    [this.least, this.most, this.edges] = [debtToCover, debtToCover, [debtToCover]];
  }

  size(debtToCover: bigint): LiquidationCandidate | undefined {
    return debtToCover === this.only.debtToCover ? this.only : undefined;
  }
}
