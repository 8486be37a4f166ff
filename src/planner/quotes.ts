import { rejected, type Rejection } from '../domain/decision.js';
import { profitAssetOf, type Funding } from '../domain/funding.js';
import type { Address } from '../domain/hex.js';
import { amountWorth, max, valueUsd8 } from '../domain/money.js';
import type { LiquidationCandidate, LiquidationPair, Opportunity } from '../domain/opportunity.js';
import type { Route } from '../domain/route.js';
import type { PoolsView } from '../liquidity/pool-book.js';
import { sizePair, sizePayable } from '../protocols/market-kinds.js';
import type { Form } from '../routes/form.js';
import { Router } from '../routes/router.js';
import { inSequence, type Option } from '../routes/sequence.js';
import type { Trade } from '../routes/trade.js';
import { Payables, type Payment } from './payables.js';

/** A candidate with the money that would fund it, and the route that would sell its collateral. */
export interface Quote {
  readonly candidate: LiquidationCandidate;
  readonly funding: Funding;
  readonly route: Route;
  /** Of a sale: what each part sells of the collateral that is left for it. See {@link Exit.sharesBps}. */
  readonly sharesBps: readonly bigint[];
  /** Units of the profit token; positive. */
  readonly profit: bigint;
  readonly grossUsd8: bigint;
}

export type QuoteDecision = { readonly kind: 'quoted'; readonly quote: Quote } | Rejection;

/** The smallest amount that is looked at, as a part of the largest. */
const LEAST_PART = 1_000n;

/**
 * The most profitable collateral, debt, amount and route of each opportunity, by the pools and the markets at
 * one block and before costs. Nothing is asked.
 *
 * The most profitable opportunity is the first to choose, because its plan is sent first. The others find the
 * pools, and what the markets can pay out, as it leaves them.
 *
 * @param hopCostUsd8 gas of one hop.
 */
export function bestQuotes(
  { pools, isWhole }: PoolsView,
  opportunities: readonly Opportunity[],
  hopCostUsd8: bigint,
): QuoteDecision[] {
  const router = Router.of(pools.values());
  const payables = Payables.of(opportunities);
  const positions = opportunities.map((one) => optionsOf(one, payables, hopCostUsd8));
  const decisions: QuoteDecision[] = [];
  for (const { position, option, plan } of inSequence(router, positions)) {
    const chosen = positions[position]?.[option];
    if (!chosen) continue;
    const candidate = plan.size;
    payables.take({ ...chosen.payment, candidate });
    const { funding } = chosen;
    const { route, sharesBps } = plan.exit;
    const grossUsd8 = valueUsd8(plan.profit, profitAssetOf(funding, candidate));
    const quote = { candidate, funding, route, sharesBps, profit: plan.profit, grossUsd8 };
    decisions[position] = { kind: 'quoted', quote };
  }
  return opportunities.map(
    (_, index) => decisions[index] ?? refusalOf(positions[index] ?? [], router, payables, isWhole),
  );
}

/** One pair of an opportunity, and one way to fund it. */
interface PairOption extends Option<LiquidationCandidate> {
  readonly payment: Payment;
  readonly funding: Funding;
  readonly trade: PairTrade;
}

function optionsOf(
  { market, pairs }: Opportunity,
  payables: Payables,
  hopCostUsd8: bigint,
): readonly PairOption[] {
  return pairs.flatMap((pair) => {
    const [candidate] = pair.candidates;
    if (!candidate) return [];
    const payment = { market, pair, candidate };
    const form: Form = { kind: 'flash-swap', hopCost: amountWorth(hopCostUsd8, candidate.collateral) };
    return [
      {
        payment,
        funding: { kind: 'flash-swap' } as const,
        form,
        trade: new PairTrade(payment, payables),
        worth: (netProfit) => valueUsd8(netProfit, candidate.collateral),
        fits: (size) => payables.fits({ ...payment, candidate: size }),
      },
    ];
  });
}

function refusalOf(
  options: readonly PairOption[],
  router: Router,
  payables: Payables,
  isWhole: boolean,
): Rejection {
  const reached = options.filter(({ trade, form }) =>
    router.reaches(trade.collateral, trade.debt, form.kind),
  );
  if (reached.length === 0) return rejected(isWhole ? 'no-route' : 'pools-not-read');
  const unpayable = reached.find(({ trade }) => trade.most === 0n);
  if (unpayable) return payables.refusalOf(unpayable.payment);
  return rejected('route-too-shallow', { pairs: String(reached.length) });
}

/** The amounts of a pair that its market can pay out now. */
class PairTrade implements Trade<LiquidationCandidate> {
  readonly collateral: Address;
  readonly debt: Address;
  private readonly pair: LiquidationPair;

  constructor(
    private readonly payment: Payment,
    private readonly payables: Payables,
  ) {
    const { candidate, pair } = payment;
    this.collateral = candidate.collateral.address;
    this.debt = candidate.debt.address;
    this.pair = pair;
  }

  get edges(): readonly bigint[] {
    return this.payable().map(({ debtToCover }) => debtToCover);
  }

  /** 0 where the market can pay out nothing that the protocol allows. */
  get most(): bigint {
    return this.edges.reduce(max, 0n);
  }

  get least(): bigint {
    return max(this.most / LEAST_PART, 1n);
  }

  size(debtToCover: bigint): LiquidationCandidate | undefined {
    const edge = this.payable().find((one) => one.debtToCover === debtToCover);
    if (edge) return edge;
    const sized = sizePair(this.pair, debtToCover, 'swap-depth');
    return sized && this.fits(sized) ? sized : undefined;
  }

  /** Of the amounts worth trying those that can be paid out, and the largest that can. */
  private payable(): readonly LiquidationCandidate[] {
    const { candidates } = this.pair;
    const payable = candidates.filter((candidate) => this.fits(candidate));
    if (payable.length === candidates.length) return payable;
    const left = this.payables.of(this.payment);
    const largest = left === undefined ? undefined : sizePayable(this.pair, left);
    const most = candidates.map(({ debtToCover }) => debtToCover).reduce(max, 0n);
    return largest && largest.debtToCover <= most ? [...payable, largest] : payable;
  }

  private fits(candidate: LiquidationCandidate): boolean {
    return this.payables.fits({ ...this.payment, candidate });
  }
}
