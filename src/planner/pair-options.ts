import { nativeUsd8 } from '../domain/costs.js';
import type { Funding } from '../domain/funding.js';
import type { Address } from '../domain/hex.js';
import { amountWorth, BPS, max, mulDivFloor, valueUsd8 } from '../domain/money.js';
import {
  mostSeized,
  type LiquidationCandidate,
  type LiquidationPair,
  type Opportunity,
} from '../domain/opportunity.js';
import { marketIdOf, type PositionId } from '../domain/position-id.js';
import type { Offer } from '../liquidity/lenders/lender.js';
import { givesCollateralFirst, sizePair, sizePayable } from '../protocols/market-kinds.js';
import type { Option } from '../routes/sequence.js';
import type { Trade } from '../routes/trade.js';
import { saleBoundUsd8 } from './bounds.js';
import type { Payables, Payment } from './payables.js';
import type { PlanningContext } from './planning-context.js';

/** The smallest amount that is looked at, as a part of the largest. */
const LEAST_PART = 1_000n;
/** A loan that could bring only so much more than the flash swap is not looked for, which would take time. */
const NEGLIGIBLE_BPS = 20n;
/** A loan of all that a lender has stays below it by this part. */
const LENT_MARGIN = 10n ** 9n;

/** What one more pool of a route burns: measured by bench:gas. */
export const GAS_OF_HOP = 65_000n;

export type QuotingContext = Pick<
  PlanningContext,
  'pools' | 'lenders' | 'block' | 'nativePriceUsd8' | 'bidOf'
>;

/** One pair of an opportunity, and one way to fund it. */
export interface PairOption extends Option<LiquidationCandidate> {
  readonly payment: Payment;
  readonly funding: Funding;
  readonly trade: PairTrade;
}

/**
 * By the market itself, where it gives the collateral before it takes the debt: then no lender is needed. By
 * a flash swap. Otherwise also by each lender up to the first that has enough for the largest amount: those
 * after it are dearer. Within one token there is nothing to swap.
 */
export function optionsOf(
  { pairs, ...position }: PositionId & Pick<Opportunity, 'pairs'>,
  payables: Payables,
  { lenders, block, nativePriceUsd8 }: Omit<QuotingContext, 'bidOf'>,
): readonly PairOption[] {
  const gasUsd8 = (gas: bigint): bigint => nativeUsd8(gas * block.baseFeePerGas, nativePriceUsd8);
  const hopUsd8 = gasUsd8(GAS_OF_HOP);
  return pairs.flatMap((pair) => {
    const [candidate] = pair.candidates;
    if (!candidate) return [];
    const { collateral, debt } = candidate;
    const payment = { market: position.market, ...marketIdOf(position), pair, candidate };
    const flashSwap: PairOption = {
      payment,
      funding: { kind: 'flash-swap' },
      form: { kind: 'flash-swap', hopCost: amountWorth(hopUsd8, collateral) },
      trade: new PairTrade(payment, payables),
      worth: (netProfit) => valueUsd8(netProfit, collateral),
      fits: (size) => payables.fits({ ...payment, candidate: size }),
    };
    const isOneToken = collateral.address === debt.address;
    if (givesCollateralFirst(pair)) {
      const callback: PairOption = {
        ...flashSwap,
        funding: { kind: 'callback' },
        form: { kind: 'sale', hopCost: amountWorth(hopUsd8, debt), loanFeeBps: 0n },
        worth: (netProfit) => valueUsd8(netProfit, debt),
      };
      return isOneToken ? [callback] : [callback, flashSwap];
    }
    const loans = upToEnough(lenders.for(position, debt.address), pair).map((offer): PairOption => {
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
    return isOneToken ? loans : [flashSwap, ...loans];
  });
}

function upToEnough(offers: readonly Offer[], { candidates }: LiquidationPair): readonly Offer[] {
  const enough = candidates.map(({ debtToFund }) => debtToFund).reduce(max, 0n);
  const first = offers.findIndex(({ most }) => most >= enough);
  return first < 0 ? offers : offers.slice(0, first + 1);
}

/** The amounts of a pair that its market can pay out now, and that the lender has, if one is needed. */
export class PairTrade implements Trade<LiquidationCandidate> {
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
