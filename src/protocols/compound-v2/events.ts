import { id } from 'ethers';
import {
  addressAt,
  addressFromWord,
  MOST_128_BITS,
  uintAt,
  uintWithin,
  type Address,
  type Hash,
  type Hex,
} from '../../domain/hex.js';
import type { RawLog } from '../../rpc/chain/chain-answers.js';
import type { WatchedLogs } from '../../rpc/chain/logs-bloom.js';
import type { CompoundMarket } from './market.js';

/**
 * The topics of Compound's and Moonwell's logs. Their data is decoded by hand, because this runs on the hot
 * path. Mint, Redeem and LiquidateBorrow are ignored for accounts: Transfer, Borrow and RepayBorrow say the
 * same.
 */
export const TOPIC = {
  accrueInterest: id('AccrueInterest(uint256,uint256,uint256,uint256)') as Hex,
  borrow: id('Borrow(address,uint256,uint256,uint256)') as Hex,
  repayBorrow: id('RepayBorrow(address,address,uint256,uint256,uint256)') as Hex,
  liquidateBorrow: id('LiquidateBorrow(address,address,uint256,address,uint256)') as Hex,
  transfer: id('Transfer(address,address,uint256)') as Hex,
  reservesAdded: id('ReservesAdded(address,uint256,uint256)') as Hex,
  reservesReduced: id('ReservesReduced(address,uint256,uint256)') as Hex,
  newReserveFactor: id('NewReserveFactor(uint256,uint256)') as Hex,
  newRateModel: id('NewMarketInterestRateModel(address,address)') as Hex,
  newSeizeShare: id('NewProtocolSeizeShare(uint256,uint256)') as Hex,
  newComptroller: id('NewComptroller(address,address)') as Hex,
  newImplementation: id('NewImplementation(address,address)') as Hex,
  marketEntered: id('MarketEntered(address,address)') as Hex,
  marketExited: id('MarketExited(address,address)') as Hex,
  marketListed: id('MarketListed(address)') as Hex,
  newCloseFactor: id('NewCloseFactor(uint256,uint256)') as Hex,
  newCollateralFactor: id('NewCollateralFactor(address,uint256,uint256)') as Hex,
  newIncentive: id('NewLiquidationIncentive(uint256,uint256)') as Hex,
  newPriceOracle: id('NewPriceOracle(address,address)') as Hex,
  actionPaused: id('ActionPaused(string,bool)') as Hex,
  marketActionPaused: id('ActionPaused(address,string,bool)') as Hex,
} as const;

/** One change of an account. */
export type AccountChange =
  | {
      readonly kind: 'transfer';
      readonly mTokenId: number;
      readonly account: Address;
      readonly to: Address;
      /** mTokens. */
      readonly amount: bigint;
    }
  | {
      readonly kind: 'debt';
      readonly mTokenId: number;
      readonly account: Address;
      /** Whether it borrowed: an account that repays, and is not followed, owes nothing of interest to us. */
      readonly borrowed: boolean;
      /** What it owes now, units of the asset. */
      readonly principal: bigint;
      /** The market's index at that time, wad; undefined where the logs before it do not tell it. */
      readonly interestIndex: bigint | undefined;
    }
  | {
      readonly kind: 'membership';
      readonly mTokenId: number;
      readonly account: Address;
      readonly entered: boolean;
    };

/** What the logs of a block change in the state. */
export interface MarketChanges {
  /** In the order of the chain. */
  readonly accounts: readonly AccountChange[];
  /** The borrow index that each market has booked last, by id. */
  readonly indexes: ReadonlyMap<number, bigint>;
  /** The ids of the markets whose state is another one now. */
  readonly touched: ReadonlySet<number>;
  /** Terms, oracle, feeds, rates or code changed: the market must be loaded again. */
  readonly reload: boolean;
}

const MARKET_TOPICS = [
  TOPIC.accrueInterest,
  TOPIC.borrow,
  TOPIC.repayBorrow,
  TOPIC.transfer,
  TOPIC.reservesAdded,
  TOPIC.reservesReduced,
];
const MARKET_TERMS = [
  TOPIC.newReserveFactor,
  TOPIC.newRateModel,
  TOPIC.newSeizeShare,
  TOPIC.newComptroller,
  TOPIC.newImplementation,
];
const COMPTROLLER_ACCOUNTS = [TOPIC.marketEntered, TOPIC.marketExited];
const COMPTROLLER_TERMS = [
  TOPIC.marketListed,
  TOPIC.newCloseFactor,
  TOPIC.newCollateralFactor,
  TOPIC.newIncentive,
  TOPIC.newPriceOracle,
  TOPIC.actionPaused,
  TOPIC.marketActionPaused,
  TOPIC.newImplementation,
];
const IS_MARKET_TERM: ReadonlySet<Hex | undefined> = new Set(MARKET_TERMS);
const IS_COMPTROLLER_TERM: ReadonlySet<Hex | undefined> = new Set(COMPTROLLER_TERMS);

/** Every contract whose logs can change a position or the market, and which of its logs can. */
export function watchedLogs({ comptroller, oracle, mTokens }: CompoundMarket): WatchedLogs {
  return new Map<Address, readonly Hash[]>([
    [comptroller, [...COMPTROLLER_ACCOUNTS, ...COMPTROLLER_TERMS]],
    // PricePosted and FeedSet of Moonwell's oracle; any log of another one.
    [oracle, []],
    ...[...mTokens.values()].flatMap(
      ({ address, rateModel }) =>
        [
          // NewInterestParams: the rate is another one, without a log of the market.
          [rateModel, []],
          [address, [...MARKET_TOPICS, ...MARKET_TERMS]],
        ] as const,
    ),
  ]);
}

/** What a log must have, by its first topic: topics beside the first, and the largest number of each word. */
interface LogShape {
  readonly topics: number;
  readonly words: readonly bigint[];
}

const ANY = 2n ** 256n - 1n;
const ADDRESS = 2n ** 160n - 1n;
const AMOUNT = MOST_128_BITS;

const SHAPES: ReadonlyMap<Hex, LogShape> = new Map([
  [TOPIC.accrueInterest, { topics: 0, words: [ANY, ANY, AMOUNT, ANY] }],
  [TOPIC.borrow, { topics: 0, words: [ADDRESS, AMOUNT, AMOUNT, AMOUNT] }],
  [TOPIC.repayBorrow, { topics: 0, words: [ADDRESS, ADDRESS, AMOUNT, AMOUNT, AMOUNT] }],
  [TOPIC.transfer, { topics: 2, words: [AMOUNT] }],
  [TOPIC.marketEntered, { topics: 0, words: [ADDRESS, ADDRESS] }],
  [TOPIC.marketExited, { topics: 0, words: [ADDRESS, ADDRESS] }],
]);

/** The borrow index begins at 1 and grows (CToken.initialize). */
const LEAST_INDEX = 10n ** 18n;

/**
 * Looks at a log before it is used.
 *
 * @throws RangeError when a topic or a word of its data is missing, or a number is out of its range.
 */
export function checkLog({ topics, data }: Pick<RawLog, 'topics' | 'data'>): void {
  const shape = SHAPES.get(topics[0] ?? '0x');
  if (!shape) return;
  if (topics.length <= shape.topics) throw new RangeError('a log lacks a topic');
  for (const [index, most] of shape.words.entries()) uintWithin(data, index, most, 'a number of a log');
  if (topics[0] === TOPIC.accrueInterest && uintAt(data, 2) < LEAST_INDEX)
    throw new RangeError('an index of a log is below 1');
}

/**
 * Reads the logs of any number of blocks, in the order of the chain. Logs of other contracts are ignored.
 *
 * @param indexes the borrow indexes before the first of them, by id; what is not known may be absent.
 */
export function changesOf(
  { comptroller, oracle, mTokens }: CompoundMarket,
  logs: readonly RawLog[],
  indexes: ReadonlyMap<number, bigint>,
): MarketChanges {
  const accounts: AccountChange[] = [];
  const booked = new Map(indexes);
  const touched = new Set<number>();
  let reload = false;
  const ids = new Map([...mTokens.values()].map((mToken) => [mToken.address, mToken.id]));
  const rateModels = new Set([...mTokens.values()].map(({ rateModel }) => rateModel));

  for (const { address, topics, data } of logs) {
    const [topic, first, second] = topics;
    const mTokenId = ids.get(address);
    if (mTokenId !== undefined) {
      if (IS_MARKET_TERM.has(topic)) reload = true;
      else if (topic === TOPIC.transfer && first && second) {
        const [account, to] = [addressFromWord(first), addressFromWord(second)];
        // To or from the market itself: mTokens are made or burnt.
        if (account === address || to === address) touched.add(mTokenId);
        accounts.push({ kind: 'transfer', mTokenId, account, to, amount: uintAt(data, 0) });
      } else if (topic === TOPIC.borrow || topic === TOPIC.repayBorrow) {
        const borrowed = topic === TOPIC.borrow;
        touched.add(mTokenId);
        accounts.push({
          ...{ kind: 'debt', mTokenId, borrowed },
          account: addressAt(data, borrowed ? 0 : 1),
          principal: uintAt(data, borrowed ? 2 : 3),
          interestIndex: booked.get(mTokenId),
        });
      } else if (topic === TOPIC.accrueInterest) {
        touched.add(mTokenId);
        booked.set(mTokenId, uintAt(data, 2));
      } else if (topic === TOPIC.reservesAdded || topic === TOPIC.reservesReduced) touched.add(mTokenId);
    } else if (address === comptroller) {
      if (topic === TOPIC.marketEntered || topic === TOPIC.marketExited) {
        const entered = topic === TOPIC.marketEntered;
        const id = ids.get(addressAt(data, 0));
        const account = addressAt(data, 1);
        if (id !== undefined) accounts.push({ kind: 'membership', mTokenId: id, account, entered });
      } else if (IS_COMPTROLLER_TERM.has(topic)) reload = true;
    } else if (address === oracle || rateModels.has(address)) reload = true;
  }
  return { accounts, indexes: booked, touched, reload };
}
