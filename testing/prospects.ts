import type { WorthOfPair } from '../src/domain/at-risk.js';
import type { PlanDecision } from '../src/domain/decision.js';
import { unitOf, type Priced } from '../src/domain/money.js';
import type { Opportunity } from '../src/domain/opportunity.js';
import { positionIdOf } from '../src/domain/position-id.js';
import type { Prospects } from '../src/planner/prospects.js';

/** @param left is told those that were not opened. */
export function prospectsOf(
  opportunities: readonly Opportunity[],
  left: (decisions: PlanDecision[]) => void = () => undefined,
): Prospects {
  const opened = new Set<number>();
  return {
    all: opportunities.map((one) => ({
      ...positionIdOf(one),
      worthAtMost: (worthOf) => worthOfPairs(one.pairs, worthOf),
    })),
    open: (index) => {
      opened.add(index);
      return opportunities[index];
    },
    leave: (rest) => {
      const unopened = opportunities.filter((_, index) => !opened.has(index));
      if (unopened.length > 0) left(unopened.map((opportunity) => ({ ...rest, opportunity })));
    },
  };
}

/** The best of all amounts of all pairs. */
export function worthOfPairs(pairs: Opportunity['pairs'], worthOf: WorthOfPair): number {
  const worths = pairs.flatMap(({ candidates }) =>
    candidates.map(({ collateral, debt, collateralSeized, debtToFund }) =>
      worthOf(collateral, debt, usd8(collateralSeized, collateral), usd8(debtToFund, debt)),
    ),
  );
  return Math.max(0, ...worths);
}

function usd8(amount: bigint, { decimals, priceUsd8 }: Priced): number {
  return (Number(amount) * Number(priceUsd8)) / Number(unitOf(decimals));
}
