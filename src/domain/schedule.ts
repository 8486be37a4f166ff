import type { Address } from './hex.js';

/** By what a liquidation of a position may come in. */
export type MarketDoor =
  /** Any account may call the market. */
  | { readonly kind: 'direct' }
  /**
   * A call of the wrapper around the market's price feed, which takes a part of the bonus (OEV). It opens the
   * position at a price that the market itself does not use yet.
   */
  | { readonly kind: 'oev-wrapper'; readonly wrapper: Address }
  /**
   * A call of a contract that the borrower authorised to take a part of the position below the limit of the
   * market, for a smaller bonus.
   */
  | { readonly kind: 'pre-liquidation'; readonly contract: Address };

/** From when on, and by which doors, a position may be liquidated. Plain data. */
export interface Schedule {
  /** The first block time at which it is allowed: seconds since the epoch. 0: it is allowed now. */
  readonly opensAt: number;
  /** At least one, the cheapest first. */
  readonly doors: readonly MarketDoor[];
}

/** Any account may liquidate it now. */
export const OPEN_NOW: Schedule = { opensAt: 0, doors: [{ kind: 'direct' }] };

/** Whether a liquidation may come without the leave of the borrower, at the limit of the market itself. */
export function needsNoLeave({ doors }: Schedule): boolean {
  return doors.some(({ kind }) => kind !== 'pre-liquidation');
}
