import { id } from 'ethers';
import { addressFromWord, uintAt, type Address, type Hex } from '../../domain/hex.js';
import type { RawLog } from '../../rpc/chain-answers.js';
import type { AaveMarket, Reserve, ReserveIndexes } from './market.js';

const TOPIC = {
  borrow: id('Borrow(address,address,address,uint256,uint8,uint256,uint16)') as Hex,
  reserveDataUpdated: id('ReserveDataUpdated(address,uint256,uint256,uint256,uint256,uint256)') as Hex,
  collateralEnabled: id('ReserveUsedAsCollateralEnabled(address,address)') as Hex,
  collateralDisabled: id('ReserveUsedAsCollateralDisabled(address,address)') as Hex,
  userEModeSet: id('UserEModeSet(address,uint8)') as Hex,
  upgraded: id('Upgraded(address)') as Hex,
  transfer: id('Transfer(address,address,uint256)') as Hex,
} as const;

/** Logs that name a borrower: IPool.Borrow, onBehalfOf is the second indexed argument. */
export function borrowFilter(market: AaveMarket): { address: Address; topics: Hex[] } {
  return { address: market.pool, topics: [TOPIC.borrow] };
}

/** onBehalfOf of each IPool.Borrow. */
export function borrowersOf(logs: readonly RawLog[]): Set<Address> {
  const borrowers = new Set<Address>();
  for (const log of logs) {
    if (log.topics[0] === TOPIC.borrow && log.topics[2]) borrowers.add(addressFromWord(log.topics[2]));
  }
  return borrowers;
}

/** Every contract whose logs can change a position or the market. */
export function watchedAddresses(market: AaveMarket): Address[] {
  return [
    market.pool,
    market.poolConfigurator,
    market.oracle,
    market.addressesProvider,
    ...[...market.reserves.values()].flatMap((reserve) => [reserve.aToken, reserve.variableDebtToken]),
  ];
}

/** What a block's logs mean for our picture. */
export interface MarketChanges {
  /** Accounts whose balances, flags or e-mode changed. */
  readonly touched: ReadonlySet<Address>;
  /** Accounts that took debt. */
  readonly borrowers: ReadonlySet<Address>;
  /** The last indexes of each updated reserve, by reserve asset. */
  readonly indexes: ReadonlyMap<Address, Omit<ReserveIndexes, 'updatedAt'>>;
  /** Configuration, oracle, addresses or code changed: the market must be loaded again. */
  readonly reload: boolean;
}

/**
 * Reads a block's logs (topics and data are hand-sliced: this runs on the hot path). Balances change with the Transfer
 * of an aToken or a debt token, which every mint, burn, transfer and liquidation emits.
 */
export function changesOf(market: AaveMarket, logs: readonly RawLog[]): MarketChanges {
  const touched = new Set<Address>();
  const borrowers = new Set<Address>();
  // Each update replaces the one before: only the last of each reserve is read.
  const updates = new Map<Hex, Hex>();
  let reload = false;

  for (const log of logs) {
    const [topic, first, second] = log.topics;
    if (log.address === market.pool) {
      if (topic === TOPIC.reserveDataUpdated && first) {
        updates.set(first, log.data);
      } else if (topic === TOPIC.borrow && second) {
        borrowers.add(addressFromWord(second));
      } else if ((topic === TOPIC.collateralEnabled || topic === TOPIC.collateralDisabled) && second) {
        touched.add(addressFromWord(second));
      } else if (topic === TOPIC.userEModeSet && first) {
        touched.add(addressFromWord(first));
      } else if (topic === TOPIC.upgraded) {
        reload = true;
      }
    } else if (topic === TOPIC.transfer && first && second) {
      touched.add(addressFromWord(first));
      touched.add(addressFromWord(second));
    } else if (
      log.address === market.poolConfigurator ||
      log.address === market.oracle ||
      log.address === market.addressesProvider
    ) {
      reload = true;
    }
  }
  const indexes = new Map([...updates].map(([reserve, data]) => [addressFromWord(reserve), indexesOf(data)]));
  return { touched, borrowers, indexes, reload };
}

/** The data of a ReserveDataUpdated. */
function indexesOf(data: Hex): Omit<ReserveIndexes, 'updatedAt'> {
  return {
    liquidityRate: uintAt(data, 0),
    variableBorrowRate: uintAt(data, 2),
    liquidityIndex: uintAt(data, 3),
    variableBorrowIndex: uintAt(data, 4),
  };
}

/** The market after a block at `timestamp` (seconds) updated these indexes. */
export function withIndexes(market: AaveMarket, changes: MarketChanges, timestamp: number): AaveMarket {
  if (changes.indexes.size === 0) return market;
  const reserves = new Map<number, Reserve>();
  for (const [reserveId, reserve] of market.reserves) {
    const updated = changes.indexes.get(reserve.asset);
    reserves.set(
      reserveId,
      updated ? { ...reserve, indexes: { ...updated, updatedAt: timestamp } } : reserve,
    );
  }
  return { ...market, reserves };
}
