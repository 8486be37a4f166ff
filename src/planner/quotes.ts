import { nativeUsd8 } from '../domain/costs.js';
import { rejected, type Rejection } from '../domain/decision.js';
import { profitAssetOf, type Funding } from '../domain/funding.js';
import type { Address } from '../domain/hex.js';
import { amountWorth, BPS, max, mulDivFloor, valueUsd8 } from '../domain/money.js';
import {
  mostSeized,
  type LiquidationCandidate,
  type LiquidationPair,
  type Opportunity,
} from '../domain/opportunity.js';
import type { Route } from '../domain/route.js';
import type { Offer } from '../liquidity/lenders/lender.js';
import { sizePair, sizePayable } from '../protocols/market-kinds.js';
import type { FormKind } from '../routes/form.js';
import { Router } from '../routes/router.js';
import { inTurns, type Option } from '../routes/sequence.js';
import type { Trade } from '../routes/trade.js';
import { saleBoundUsd8, worthIn } from './bounds.js';
import { Payables, type Payment } from './payables.js';
import type { PlanningContext } from './planning-context.js';
import type { Openable } from './prospects.js';

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
/** A loan that could bring only so much more than the flash swap is not looked for, which would take time. */
const NEGLIGIBLE_BPS = 20n;
/** A loan of all that a lender has stays below it by this part. */
const LENT_MARGIN = 10n ** 9n;

/** What one more pool of a route burns: measured by bench:gas. */
export const GAS_OF_HOP = 65_000n;

type QuotingContext = Pick<PlanningContext, 'pools' | 'lenders' | 'block' | 'nativePriceUsd8'>;

/** What came of one turn: the decision about an opportunity, or none yet. */
export type QuoteTurn = { readonly opportunity: Opportunity; readonly decision: QuoteDecision } | undefined;

/**
 * The most profitable collateral, debt, amount, funding and route of each opportunity, by the pools, lenders
 * and markets at one block and before costs. Nothing is asked.
 *
 * The most profitable opportunity comes first, because its plan is sent first. The others find the pools, and
 * what the markets can pay out, as it leaves them. A prospect is opened when it may be worth more than all
 * that were: it becomes an opportunity, unless it is refused then. Each turn takes less than some
 * milliseconds: the caller may stop, or give others their turn.
 *
 * @param ranks of the prospects: those of a higher rank come after all of a lower one.
 */
export function* quotesInTurns(
  context: QuotingContext,
  prospects: Openable,
  ranks: readonly number[] = [],
): Generator<QuoteTurn, void, undefined> {
  const { pools, isWhole } = context.pools;
  const router = Router.of(pools.values());
  const payables = new Payables();
  const opened = new Map<number, Opened>();
  const open = (index: number): readonly PairOption[] | undefined => {
    const opportunity = prospects.open(index);
    if (!opportunity) return undefined;
    payables.add(opportunity);
    const options = optionsOf(opportunity, payables, context);
    opened.set(index, { opportunity, options });
    return options;
  };
  const worthOf = worthIn(router);
  const priorities = prospects.all.map((one, index) => ({
    bound: one.worthAtMost(worthOf),
    rank: ranks[index] ?? 0,
  }));
  for (const turn of inTurns(router, open, priorities)) {
    if (turn.kind === 'computed') {
      yield undefined;
      continue;
    }
    const known = opened.get(turn.position);
    if (!known) continue;
    const { opportunity, options } = known;
    const chosen = turn.kind === 'taken' ? options[turn.option] : undefined;
    if (turn.kind === 'nothing' || !chosen) {
      yield { opportunity, decision: refusalOf(opportunity, options, router, payables, isWhole) };
      continue;
    }
    const { plan } = turn;
    const { funding } = chosen;
    const candidate = plan.size;
    payables.take({ ...chosen.payment, candidate });
    const grossUsd8 = valueUsd8(plan.profit, profitAssetOf(funding, candidate));
    const { route, sharesBps } = plan.exit;
    const quote = { candidate, funding, route, sharesBps, profit: plan.profit, grossUsd8 };
    yield { opportunity, decision: { kind: 'quoted', quote } };
  }
}

interface Opened {
  readonly opportunity: Opportunity;
  readonly options: readonly PairOption[];
}

/** One pair of an opportunity, and one way to fund it. */
interface PairOption extends Option<LiquidationCandidate> {
  readonly payment: Payment;
  readonly funding: Funding;
  readonly trade: PairTrade;
}

/**
 * By a flash swap, and by each lender up to the first that has enough for the largest amount: those after it
 * are dearer. Within one token there is nothing to swap.
 */
function optionsOf(
  { market, borrower, pairs }: Opportunity,
  payables: Payables,
  { lenders, block, nativePriceUsd8 }: QuotingContext,
): readonly PairOption[] {
  const gasUsd8 = (gas: bigint): bigint => nativeUsd8(gas * block.baseFeePerGas, nativePriceUsd8);
  const hopUsd8 = gasUsd8(GAS_OF_HOP);
  return pairs.flatMap((pair) => {
    const [candidate] = pair.candidates;
    if (!candidate) return [];
    const { collateral, debt } = candidate;
    const payment = { market, pair, candidate };
    const flashSwap: PairOption = {
      payment,
      funding: { kind: 'flash-swap' },
      form: { kind: 'flash-swap', hopCost: amountWorth(hopUsd8, collateral) },
      trade: new PairTrade(payment, payables),
      worth: (netProfit) => valueUsd8(netProfit, collateral),
      fits: (size) => payables.fits({ ...payment, candidate: size }),
    };
    const loans = upToEnough(lenders.for(borrower, debt.address), pair).map((offer): PairOption => {
      const trade = new PairTrade(payment, payables, offer);
      return {
        payment,
        funding: { kind: 'loan', name: offer.name, lender: offer.lender, feeBps: offer.feeBps },
        form: { kind: 'sale', hopCost: amountWorth(hopUsd8, debt), loanFeeBps: offer.feeBps },
        trade,
        worth: (netProfit) => valueUsd8(netProfit, debt) - gasUsd8(offer.gas),
        fits: (size) => trade.fits(size),
        atMost: (router) => {
          const bound = saleBoundUsd8(pair, offer.feeBps, router);
          return mulDivFloor(bound, BPS - NEGLIGIBLE_BPS, BPS) - gasUsd8(offer.gas);
        },
      };
    });
    return collateral.address === debt.address ? loans : [flashSwap, ...loans];
  });
}

function upToEnough(offers: readonly Offer[], { candidates }: LiquidationPair): readonly Offer[] {
  const enough = candidates.map(({ debtToFund }) => debtToFund).reduce(max, 0n);
  const first = offers.findIndex(({ most }) => most >= enough);
  return first < 0 ? offers : offers.slice(0, first + 1);
}

function refusalOf(
  { pairs }: Opportunity,
  options: readonly PairOption[],
  router: Router,
  payables: Payables,
  isWhole: boolean,
): Rejection {
  const reaches = ({ collateral, debt }: Pair, kind: FormKind): boolean =>
    collateral === debt ? kind === 'sale' : router.reaches(collateral, debt, kind);
  const reached = options.filter(({ trade, form }) => reaches(trade, form.kind));
  if (reached.length === 0) {
    const lacksLoan = pairs.some(({ candidates: [first] }) => first && reaches(pairOf(first), 'sale'));
    if (lacksLoan) return rejected('no-lender');
    return rejected(isWhole ? 'no-route' : 'pools-not-read');
  }
  const unpayable = reached.find(({ trade }) => trade.most === 0n);
  if (unpayable)
    return unpayable.trade.isPayable ? rejected('no-lender') : payables.refusalOf(unpayable.payment);
  return rejected('route-too-shallow', {
    pairs: String(new Set(reached.map(({ payment }) => payment)).size),
  });
}

type Pair = Pick<PairTrade, 'collateral' | 'debt'>;

function pairOf({ collateral, debt }: LiquidationCandidate): Pair {
  return { collateral: collateral.address, debt: debt.address };
}

/** The amounts of a pair that its market can pay out now, and that the lender has, if one is needed. */
class PairTrade implements Trade<LiquidationCandidate> {
  readonly collateral: Address;
  readonly debt: Address;
  private readonly pair: LiquidationPair;

  constructor(
    private readonly payment: Payment,
    private readonly payables: Payables,
    private readonly offer?: Offer,
  ) {
    const { candidate, pair } = payment;
    this.collateral = candidate.collateral.address;
    this.debt = candidate.debt.address;
    this.pair = pair;
  }

  get edges(): readonly bigint[] {
    return this.allowed().map(({ debtToCover }) => debtToCover);
  }

  /** 0 where the market can pay out nothing that the protocol allows, or the lender has too little for it. */
  get most(): bigint {
    return this.edges.reduce(max, 0n);
  }

  get least(): bigint {
    return max(this.most / LEAST_PART, 1n);
  }

  /** Whether the market can pay out any amount, wherever the debt tokens come from. */
  get isPayable(): boolean {
    return this.payable().length > 0;
  }

  size(debtToCover: bigint): LiquidationCandidate | undefined {
    const edge = this.allowed().find((one) => one.debtToCover === debtToCover);
    if (edge) return edge;
    const sized = sizePair(this.pair, debtToCover, 'swap-depth');
    return sized && this.fits(sized) ? sized : undefined;
  }

  fits(candidate: LiquidationCandidate): boolean {
    return this.canPay(candidate) && this.canLend(candidate);
  }

  /** Of what can be paid out what can be lent, and the largest that can. */
  private allowed(): readonly LiquidationCandidate[] {
    const payable = this.payable();
    if (!this.offer) return payable;
    const lent = payable.filter((candidate) => this.canLend(candidate));
    const largest = payable.reduce<LiquidationCandidate | undefined>(
      (best, one) => (best && best.debtToCover >= one.debtToCover ? best : one),
      undefined,
    );
    if (!largest || lent.includes(largest)) return lent;
    const debtToCover = mulDivFloor(this.offer.most, largest.debtToCover, this.takenBy(largest));
    // Rounding must not lift it above what there is.
    const sized = sizePair(this.pair, debtToCover - debtToCover / LENT_MARGIN, 'lender-depth');
    return sized && this.fits(sized) ? [...lent, sized] : lent;
  }

  /** Of the amounts worth trying those that can be paid out, and the largest that can. */
  private payable(): readonly LiquidationCandidate[] {
    const { candidates } = this.pair;
    const payable = candidates.filter((candidate) => this.canPay(candidate));
    if (payable.length === candidates.length) return payable;
    const left = this.payables.of(this.payment);
    const largest = left === undefined ? undefined : sizePayable(this.pair, left);
    const most = candidates.map(({ debtToCover }) => debtToCover).reduce(max, 0n);
    return largest && largest.debtToCover <= most ? [...payable, largest] : payable;
  }

  private canPay(candidate: LiquidationCandidate): boolean {
    return this.payables.fits({ ...this.payment, candidate });
  }

  private canLend(candidate: LiquidationCandidate): boolean {
    return !this.offer || this.takenBy(candidate) <= this.offer.most;
  }

  /**
   * What the lender must have. A market that lends out of the reserve from which it pays the collateral needs
   * both: Aave pays out before it is repaid (LiquidationLogic.sol `executeLiquidationCall`).
   */
  private takenBy(candidate: LiquidationCandidate): bigint {
    const isOwn = this.offer?.lender === this.payment.market && this.collateral === this.debt;
    return candidate.debtToFund + (isOwn ? mostSeized(candidate) : 0n);
  }
}
