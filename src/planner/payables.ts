import { rejected, type Rejection } from '../domain/decision.js';
import type { Address } from '../domain/hex.js';
import { mostSeized, type LiquidationCandidate, type LiquidationPair } from '../domain/opportunity.js';
import { payableOf } from '../protocols/market-kinds.js';
import type { Read } from '../rpc/chain/read.js';

/** An amount of a pair, in the market of its position. */
export interface Payment {
  readonly market: Address;
  readonly pair: LiquidationPair;
  readonly candidate: LiquidationCandidate;
}

/**
 * What markets can pay out of each collateral at one block. Others may have borrowed most of it: a
 * liquidation that seizes more reverts. The plans of one pass share it.
 */
export class Payables {
  /** Collateral units by market and asset. Without an entry nothing bounds them. */
  private constructor(private readonly left: Map<string, bigint>) {}

  /** One read for each market and collateral. */
  static read(payments: readonly Payment[]): Read<Payables> {
    const reads = new Map<string, Read<bigint | undefined>>();
    for (const { market, pair, candidate } of payments) {
      const { address } = candidate.collateral;
      const key = keyOf(market, address);
      if (!reads.has(key)) reads.set(key, payableOf(pair, market, address));
    }
    return {
      calls: [...reads.values()].flatMap(({ calls }) => calls),
      decode: (results) => {
        const left = new Map<string, bigint>();
        let start = 0;
        for (const [key, { calls, decode }] of reads) {
          const payable = decode(results.slice(start, (start += calls.length)));
          if (payable !== undefined) left.set(key, payable);
        }
        return new Payables(left);
      },
    };
  }

  /** Collateral units; undefined where the market does not tell. */
  of({ market, candidate: { collateral } }: Payment): bigint | undefined {
    return this.left.get(keyOf(market, collateral.address));
  }

  fits(payment: Payment): boolean {
    const left = this.of(payment);
    return left === undefined || mostSeized(payment.candidate) <= left;
  }

  /** The plans after this one have less. */
  take({ market, candidate }: Payment): void {
    const key = keyOf(market, candidate.collateral.address);
    const left = this.left.get(key);
    if (left !== undefined) this.left.set(key, left - mostSeized(candidate));
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

function keyOf(market: Address, collateral: Address): string {
  return `${market}-${collateral}`;
}
