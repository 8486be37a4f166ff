import { id } from 'ethers';
import {
  addressFromWord,
  MOST_128_BITS,
  uintAt,
  uintWithin,
  type Address,
  type Hash,
  type Hex,
} from '../../domain/hex.js';
import { RAY } from '../../domain/money.js';
import type { RawLog } from '../../rpc/chain/chain-answers.js';
import type { WatchedLogs } from '../../rpc/chain/logs-bloom.js';
import {
  borrowIndexAt,
  liquidityIndexAt,
  type AaveMarket,
  type Reserve,
  type ReserveIndexes,
} from './market.js';
import type { TokenRounding } from './rules/rules.js';

/**
 * The topics of Aave's logs. Their data is decoded by hand, because this runs on the hot path. An ERC-20
 * Transfer is ignored: Mint, Burn and BalanceTransfer say the same and more.
 */
export const TOPIC = {
  reserveDataUpdated: id('ReserveDataUpdated(address,uint256,uint256,uint256,uint256,uint256)') as Hex,
  collateralEnabled: id('ReserveUsedAsCollateralEnabled(address,address)') as Hex,
  collateralDisabled: id('ReserveUsedAsCollateralDisabled(address,address)') as Hex,
  userEModeSet: id('UserEModeSet(address,uint8)') as Hex,
  liquidationCall: id('LiquidationCall(address,address,address,uint256,uint256,address,bool)') as Hex,
  upgraded: id('Upgraded(address)') as Hex,
  mint: id('Mint(address,address,uint256,uint256,uint256)') as Hex,
  burn: id('Burn(address,address,uint256,uint256,uint256)') as Hex,
  balanceTransfer: id('BalanceTransfer(address,address,uint256,uint256)') as Hex,
} as const;

/** A token of a reserve: its aToken or its variable debt token. */
export interface ReserveToken {
  readonly reserveId: number;
  readonly side: 'supply' | 'debt';
  readonly rounding: TokenRounding;
}

/**
 * One change of an account. Its amounts are decoded from the log's data later, and only for accounts that are
 * followed: these are few of all accounts.
 */
export type AccountChange =
  | {
      readonly kind: 'mint' | 'burn';
      readonly account: Address;
      readonly token: ReserveToken;
      /** (value, balanceIncrease, index) */
      readonly data: Hex;
    }
  | {
      readonly kind: 'transfer';
      readonly account: Address;
      readonly to: Address;
      readonly token: ReserveToken;
      /** (scaled amount, index) */
      readonly data: Hex;
    }
  | {
      readonly kind: 'collateral';
      readonly account: Address;
      readonly reserveId: number;
      readonly used: boolean;
    }
  | { readonly kind: 'e-mode'; readonly account: Address; readonly eMode: number };

/** What the logs of a block change in the state. */
export interface MarketChanges {
  /** In the order of the chain. */
  readonly accounts: readonly AccountChange[];
  /** The data of the last ReserveDataUpdated of each reserve, by reserve asset. */
  readonly updates: ReadonlyMap<Address, Hex>;
  /** Reserve assets whose interest was booked without a ReserveDataUpdated log. */
  readonly accrued: ReadonlySet<Address>;
  /** Configuration, oracle, addresses or code changed: the market must be loaded again. */
  readonly reload: boolean;
}

const POOL_TOPICS = [
  TOPIC.reserveDataUpdated,
  TOPIC.collateralEnabled,
  TOPIC.collateralDisabled,
  TOPIC.userEModeSet,
  TOPIC.liquidationCall,
  TOPIC.upgraded,
];
const DEBT_TOPICS = [TOPIC.mint, TOPIC.burn];
const SUPPLY_TOPICS = [...DEBT_TOPICS, TOPIC.balanceTransfer];

/** Every contract whose logs can change a position or the market, and which of its logs can. */
export function watchedLogs(market: AaveMarket): WatchedLogs {
  return new Map<Address, readonly Hash[]>([
    [market.pool, POOL_TOPICS],
    [market.poolConfigurator, []],
    [market.oracle, []],
    [market.addressesProvider, []],
    ...(market.stableDebtTokens ?? []).map((token) => [token, []] as const),
    ...[...market.reserves.values()].flatMap(
      ({ aToken, variableDebtToken }) =>
        [
          [aToken, SUPPLY_TOPICS],
          [variableDebtToken, DEBT_TOPICS],
        ] as const,
    ),
  ]);
}

/** What a log must have, by its first topic: topics beside the first, and the largest number of each word. */
interface LogShape {
  readonly topics: number;
  readonly words: readonly bigint[];
  /** The words that hold an index, which is never below one ray: amounts are divided by it. */
  readonly indexes?: readonly number[];
}

const ANY = 2n ** 256n - 1n;
const UINT_8 = 255n;
const AMOUNTS: LogShape = { topics: 2, words: [MOST_128_BITS, MOST_128_BITS, MOST_128_BITS], indexes: [2] };

const SHAPES: ReadonlyMap<Hex, LogShape> = new Map([
  [TOPIC.mint, AMOUNTS],
  [TOPIC.burn, AMOUNTS],
  [TOPIC.balanceTransfer, { topics: 2, words: [MOST_128_BITS, MOST_128_BITS] }],
  // The stable rate, which no contract uses any more, is not read.
  [
    TOPIC.reserveDataUpdated,
    { topics: 1, words: [MOST_128_BITS, ANY, MOST_128_BITS, MOST_128_BITS, MOST_128_BITS], indexes: [3, 4] },
  ],
  [TOPIC.collateralEnabled, { topics: 2, words: [] }],
  [TOPIC.collateralDisabled, { topics: 2, words: [] }],
  [TOPIC.userEModeSet, { topics: 1, words: [UINT_8] }],
  [TOPIC.liquidationCall, { topics: 3, words: [ANY, ANY, ANY, 1n] }],
]);

/**
 * Looks at a log of the pool or of a token before it is used.
 *
 * @throws RangeError when a topic or a word of its data is missing, or a number is out of its range.
 */
export function checkLog({ topics, data }: Pick<RawLog, 'topics' | 'data'>): void {
  const shape = SHAPES.get(topics[0] ?? '0x');
  if (!shape) return;
  if (topics.length <= shape.topics) throw new RangeError('a log lacks a topic');
  for (const [index, most] of shape.words.entries()) uintWithin(data, index, most, 'a number of a log');
  for (const index of shape.indexes ?? [])
    if (uintAt(data, index) < RAY) throw new RangeError('an index of a log is below one ray');
}

/** Reads the logs of any number of blocks, in the order of the chain. Logs of other contracts are ignored. */
export function changesOf(market: AaveMarket, logs: readonly RawLog[]): MarketChanges {
  const accounts: AccountChange[] = [];
  // Each update replaces the one before, so only the last one of each reserve is decoded.
  const updates = new Map<Hex, Hex>();
  const accrued = new Set<Address>();
  let reload = false;
  const { tokens: rounding, booksCollateralInterest } = market.rules;
  const tokens = new Map<Address, ReserveToken>();
  const idOfAsset = new Map<Address, number>();
  for (const { id: reserveId, asset, aToken, variableDebtToken } of market.reserves.values()) {
    tokens.set(aToken, { reserveId, side: 'supply', rounding });
    tokens.set(variableDebtToken, { reserveId, side: 'debt', rounding });
    idOfAsset.set(asset, reserveId);
  }

  for (const { address, topics, data } of logs) {
    const [topic, first, second] = topics;
    const token = tokens.get(address);
    if (token) {
      // Approval and Transfer have both topics too; the first topic tells the events apart.
      if (!first || !second) continue;
      if (topic === TOPIC.mint)
        accounts.push({ kind: 'mint', account: addressFromWord(second), token, data });
      else if (topic === TOPIC.burn)
        accounts.push({ kind: 'burn', account: addressFromWord(first), token, data });
      else if (topic === TOPIC.balanceTransfer) {
        const [account, to] = [addressFromWord(first), addressFromWord(second)];
        accounts.push({ kind: 'transfer', account, to, token, data });
      }
    } else if (address === market.pool) {
      if (topic === TOPIC.reserveDataUpdated && first) {
        updates.set(first, data);
      } else if (
        (topic === TOPIC.collateralEnabled || topic === TOPIC.collateralDisabled) &&
        first &&
        second
      ) {
        const reserveId = idOfAsset.get(addressFromWord(first));
        const used = topic === TOPIC.collateralEnabled;
        if (reserveId !== undefined)
          accounts.push({ kind: 'collateral', account: addressFromWord(second), reserveId, used });
      } else if (topic === TOPIC.userEModeSet && first) {
        accounts.push({ kind: 'e-mode', account: addressFromWord(first), eMode: Number(uintAt(data, 0)) });
      } else if (topic === TOPIC.liquidationCall && first) {
        // LiquidationLogic books the collateral's interest first. When it pays in aTokens, no log says so.
        if (booksCollateralInterest && uintAt(data, 3) === 1n) accrued.add(addressFromWord(first));
      } else if (topic === TOPIC.upgraded) {
        reload = true;
      }
    } else if (
      address === market.poolConfigurator ||
      address === market.oracle ||
      address === market.addressesProvider ||
      market.stableDebtTokens?.includes(address)
    ) {
      reload = true;
    }
  }
  return {
    accounts,
    updates: new Map([...updates].map(([asset, data]) => [addressFromWord(asset), data])),
    accrued,
    reload,
  };
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

/** The market after a block at `timestamp` (seconds) updated these reserves. */
export function withUpdates(
  market: AaveMarket,
  { updates, accrued }: Pick<MarketChanges, 'updates' | 'accrued'>,
  timestamp: number,
): AaveMarket {
  if (updates.size === 0 && accrued.size === 0) return market;
  const reserves = new Map<number, Reserve>();
  for (const [reserveId, reserve] of market.reserves) {
    const data = updates.get(reserve.asset);
    if (data) {
      const indexes = { ...reserve.indexes, ...indexesOf(data), updatedAt: timestamp };
      reserves.set(reserveId, { ...reserve, indexes });
    } else if (accrued.has(reserve.asset))
      reserves.set(reserveId, { ...reserve, indexes: accruedTo(reserve.indexes, timestamp) });
    else reserves.set(reserveId, reserve);
  }
  return { ...market, reserves };
}

/** ReserveLogic.updateState: books the interest up to `timestamp`, at unchanged rates. */
function accruedTo(indexes: ReserveIndexes, timestamp: number): ReserveIndexes {
  return {
    ...indexes,
    liquidityIndex: liquidityIndexAt(indexes, timestamp),
    variableBorrowIndex: borrowIndexAt(indexes, timestamp),
    updatedAt: timestamp,
  };
}
