import type { Block } from '../../domain/block.js';
import type { Address } from '../../domain/hex.js';
import { OPENING_HORIZON_SECONDS } from '../lending-market.js';
import { Crossings } from '../scan/crossings.js';
import type { Watchlist } from '../scan/watchlist.js';
import { opens, type CompoundOpening, type CompoundPosition } from './at-risk.js';
import { marketFactors } from './factors.js';
import { positionOf } from './health.js';
import type { CompoundMarket, InterestClock, MarketConditions } from './market.js';
import type { PositionTable } from './position-table.js';

/** The moment up to which a market counts interest at a block time: {@link MarketConditions.at}. */
export function momentAt(
  clock: InterestClock,
  { number, timestamp: now }: Pick<Block, 'number' | 'timestamp'>,
  timestamp: number,
  blockTimeMs: number,
): bigint {
  if (clock === 'timestamp') return BigInt(timestamp);
  // As many blocks as the chain is meant to make until then.
  return BigInt(number + Math.floor(((timestamp - now) * 1_000) / blockTimeMs));
}

/** The positions that interest alone opens soon. */
export class Openings {
  private readonly crossings: Crossings<Address>;

  constructor(
    private readonly table: PositionTable,
    watchlist: Watchlist<Address>,
    private readonly blockTimeMs: number,
  ) {
    this.crossings = new Crossings(table.rows, watchlist, OPENING_HORIZON_SECONDS);
  }

  /** Call it at each block, after the update of the watchlist. @returns the earliest first */
  update(
    block: Pick<Block, 'number' | 'timestamp'>,
    market: CompoundMarket,
    conditions: MarketConditions,
    positions: ReadonlyMap<Address, CompoundPosition>,
    touched: Iterable<Address>,
  ): CompoundOpening[] {
    const at = (timestamp: number): MarketConditions => ({
      ...conditions,
      at: momentAt(market.clock, block, timestamp, this.blockTimeMs),
    });
    const outlook = {
      now: block.timestamp,
      // Another map with each change of a state; the terms come with all states.
      terms: conditions.states,
      prices: conditions.prices,
      fillAt: (timestamp: number) => marketFactors(market, at(timestamp)),
      isOpenNow: (address: Address) => {
        const position = positions.get(address);
        return position !== undefined && !position.wrapper && isOpen(position.data);
      },
      isOpenAt: (address: Address, timestamp: number) => {
        const account = this.table.get(address);
        const data = account && positionOf(market, account, at(timestamp));
        return data !== undefined && !('priceMissing' in data) && opens(data);
      },
    };
    return this.crossings.update(outlook, touched).flatMap(({ key, opensAt }) => {
      const account = this.table.get(key);
      return account ? [{ account, opensAt, at: at(opensAt).at }] : [];
    });
  }
}

function isOpen(data: CompoundPosition['data']): boolean {
  return 'priceMissing' in data || opens(data);
}
