import { rejected, type Rejection } from '../domain/decision.js';
import {
  mostSeized,
  type LiquidationCandidate,
  type LiquidationPair,
  type Opportunity,
} from '../domain/opportunity.js';
import type { PositionId } from '../domain/position-id.js';

/** Which market pays. */
type Market = Pick<PositionId, 'market' | 'marketId'>;

/** An amount of a pair, in the market of its position. */
export interface Payment extends Market {
  readonly pair: LiquidationPair;
  readonly candidate: LiquidationCandidate;
}

/**
 * What markets can pay out of each collateral at one block. Others may have borrowed most of it: a
 * liquidation that seizes more reverts. The plans of one pass share it.
 */
export class Payables {
  /** Collateral units by market and asset. Without an entry nothing bounds them. */
  private readonly left = new Map<string, bigint>();

  /** One more that shares them. What its market can pay out is known from here on. */
  add({ pairs, ...market }: Market & Pick<Opportunity, 'pairs'>): void {
    for (const { payable, candidates } of pairs) {
      const [first] = candidates;
      if (payable === undefined || !first) continue;
      const key = keyOf(market, first);
      if (!this.left.has(key)) this.left.set(key, payable);
    }
  }

  /** Collateral units; undefined where the market does not tell. */
  of(payment: Payment): bigint | undefined {
    return this.left.get(keyOf(payment, payment.candidate));
  }

  fits(payment: Payment): boolean {
    const left = this.of(payment);
    return left === undefined || mostSeized(payment.candidate) <= left;
  }

  /** The plans after this one have less. */
  take(payment: Payment): void {
    const key = keyOf(payment, payment.candidate);
    const left = this.left.get(key);
    if (left !== undefined) this.left.set(key, left - mostSeized(payment.candidate));
  }

  /** What is left after a plan that was not taken yet. */
  after(payment: Payment): Payables {
    const next = new Payables();
    for (const [key, left] of this.left) next.left.set(key, left);
    next.take(payment);
    return next;
  }

  /** No amount that the protocol allows can be paid out. */
  refusalOf(payment: Payment): Rejection {
    const { collateral, collateralSeized } = payment.candidate;
    return rejected('collateral-not-payable', {
      collateral: collateral.symbol,
      payable: String(this.of(payment)),
      collateralSeized: String(collateralSeized),
    });
  }
}

function keyOf({ market, marketId = '0x' }: Market, { collateral }: LiquidationCandidate): string {
  return `${market}-${marketId}-${collateral.address}`;
}
