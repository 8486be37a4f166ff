import type { Address } from '../../domain/hex.js';
import { each, type Read } from '../../rpc/chain/read.js';
import type { AaveMarket } from './market.js';
import { payableRead } from './reads.js';

/** What was answered, by asset; undefined where the market does not tell. */
export type CashAnswers = ReadonlyMap<Address, bigint | undefined>;

/**
 * What a market can pay out of each asset. It is asked again at the head after a block that changed it, which
 * ReserveDataUpdated tells. At the head of that very block it is not known.
 */
export class ReserveCash {
  private known = new Map<Address, bigint | undefined>();

  /** The asset's cash was changed by a block, or by its undo. */
  touch(assets: Iterable<Address>): void {
    for (const asset of assets) this.known.delete(asset);
  }

  reset(): void {
    this.known.clear();
  }

  /** No calls where all is known. */
  reads({ pool, reserves }: AaveMarket): Read<CashAnswers> {
    const unknown = [...reserves.values()].filter(({ asset }) => !this.known.has(asset));
    const { calls, decode } = each(unknown.map((reserve) => payableRead(pool, reserve)));
    return {
      calls,
      decode: (results) => {
        const payables = decode(results);
        return new Map(unknown.map(({ asset }, index) => [asset, payables[index]]));
      },
    };
  }

  /** With what was read at the head: units by asset, absent where it is not known. */
  complete(answers: CashAnswers): ReadonlyMap<Address, bigint> {
    for (const [asset, payable] of answers) this.known.set(asset, payable);
    const payables = new Map<Address, bigint>();
    for (const [asset, payable] of this.known) if (payable !== undefined) payables.set(asset, payable);
    return payables;
  }
}
