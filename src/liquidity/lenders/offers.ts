import type { Loan } from '../../domain/funding.js';
import type { Address } from '../../domain/hex.js';
import { positionKey, type PositionId } from '../../domain/position-id.js';
import type { Offer } from './lender.js';

/** What all lenders would lend, by one reading. A plan takes nothing from it: it gives back what it takes. */
export class Offers {
  /** A lender that lends nothing after all, to whom. */
  private readonly doubted = new Set<string>();

  private constructor(private readonly byToken: ReadonlyMap<Address, readonly Offer[]>) {}

  static of(offers: Iterable<readonly [token: Address, offer: Offer]>): Offers {
    const byToken = new Map<Address, Offer[]>();
    for (const [token, offer] of offers) byToken.set(token, [...(byToken.get(token) ?? []), offer]);
    for (const all of byToken.values()) all.sort(byCost);
    return new Offers(byToken);
  }

  /** For a liquidation of this position, the cheapest first. */
  for(position: PositionId, token: Address): readonly Offer[] {
    const all = this.byToken.get(token) ?? [];
    return this.doubted.size === 0
      ? all
      : all.filter(({ lender }) => !this.doubted.has(keyOf(lender, token, position)));
  }

  /**
   * A plan with this loan reverted in its proof. The offer is not made again for this position until the next
   * reading. Others still get it, because the lender may not be the cause.
   */
  doubt({ lender }: Pick<Loan, 'lender'>, position: PositionId, token: Address): void {
    this.doubted.add(keyOf(lender, token, position));
  }
}

/** Nothing is lent. */
export const NO_OFFERS = Offers.of([]);

function byCost(a: Offer, b: Offer): number {
  if (a.feeBps !== b.feeBps) return a.feeBps < b.feeBps ? -1 : 1;
  return a.gas === b.gas ? 0 : a.gas < b.gas ? -1 : 1;
}

function keyOf(lender: Address, token: Address, position: PositionId): string {
  return [lender, token, positionKey(position)].join('-');
}
