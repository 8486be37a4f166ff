/** Logs of Aave and of a feed, encoded by hand: hundreds of thousands are needed. */
import { Interface } from 'ethers';
import { addressWord, uintWord, type Address, type Hash } from '../../src/domain/hex.js';
import type { AaveMarket, Reserve, ReserveIndexes } from '../../src/protocols/aave-v3/market.js';
import type { RawLog } from '../../src/rpc/chain/chain-answers.js';

/** What the baseline decodes with. */
export const EVENTS = new Interface([
  'event ReserveDataUpdated(address indexed reserve, uint256 liquidityRate, uint256 stableBorrowRate, uint256 variableBorrowRate, uint256 liquidityIndex, uint256 variableBorrowIndex)',
  'event ReserveUsedAsCollateralEnabled(address indexed reserve, address indexed user)',
  'event ReserveUsedAsCollateralDisabled(address indexed reserve, address indexed user)',
  'event UserEModeSet(address indexed user, uint8 categoryId)',
  'event Supply(address indexed reserve, address user, address indexed onBehalfOf, uint256 amount, uint16 indexed referralCode)',
  'event Withdraw(address indexed reserve, address indexed user, address indexed to, uint256 amount)',
  'event Borrow(address indexed reserve, address user, address indexed onBehalfOf, uint256 amount, uint8 interestRateMode, uint256 borrowRate, uint16 indexed referralCode)',
  'event Repay(address indexed reserve, address indexed user, address indexed repayer, uint256 amount, bool useATokens)',
  'event Transfer(address indexed from, address indexed to, uint256 value)',
  'event Mint(address indexed caller, address indexed onBehalfOf, uint256 value, uint256 balanceIncrease, uint256 index)',
  'event Burn(address indexed from, address indexed target, uint256 value, uint256 balanceIncrease, uint256 index)',
  'event BalanceTransfer(address indexed from, address indexed to, uint256 value, uint256 index)',
  'event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt)',
]);

const NOBODY: Address = `0x${'0'.repeat(40)}`;
const HASH: Hash = `0x${'1'.repeat(64)}`;

/** A number, an address, or a word. */
type Value = bigint | number | Address;

/** Makes logs of these events. */
export function logMaker(
  events: Interface,
): (address: Address, name: string, indexed: number, ...values: readonly Value[]) => RawLog {
  const topics = new Map<string, Hash>();
  events.forEachEvent(({ name, topicHash }) => topics.set(name, topicHash as Hash));
  return (address, name, indexed, ...values) => {
    const topic = topics.get(name);
    if (topic === undefined) throw new Error(`there is no event ${name}`);
    const words = values.map((value) => (typeof value === 'string' ? addressWord(value) : uintWord(value)));
    return {
      address,
      topics: [topic, ...words.slice(0, indexed).map((word): Hash => `0x${word}`)],
      data: `0x${words.slice(indexed).join('')}`,
      blockNumber: 1,
      blockHash: HASH,
      transactionHash: HASH,
      logIndex: 0,
    };
  };
}

/** The first of the values are topics: so many as the third argument says. */
const log = logMaker(EVENTS);

/** What changed on a token, beside the plain Transfer that goes along with it. */
export interface TokenStep {
  readonly account: Address;
  readonly value: bigint;
  readonly increase: bigint;
  readonly index: bigint;
}

export const mint = (token: Address, { account, value, increase, index }: TokenStep): [RawLog, RawLog] => [
  log(token, 'Transfer', 2, NOBODY, account, value),
  log(token, 'Mint', 2, account, account, value, increase, index),
];

export const burn = (token: Address, { account, value, increase, index }: TokenStep): [RawLog, RawLog] => [
  log(token, 'Transfer', 2, account, NOBODY, value),
  log(token, 'Burn', 2, account, account, value, increase, index),
];

/** @param scaled what BalanceTransfer tells; Transfer tells the balance. */
export const balanceTransfer = (
  token: Address,
  from: Address,
  to: Address,
  scaled: bigint,
  index: bigint,
): [RawLog, RawLog] => [
  log(token, 'Transfer', 2, from, to, scaled),
  log(token, 'BalanceTransfer', 2, from, to, scaled, index),
];

export const reserveDataUpdated = (
  { pool }: AaveMarket,
  { asset }: Reserve,
  {
    liquidityRate,
    variableBorrowRate,
    liquidityIndex,
    variableBorrowIndex,
  }: Omit<ReserveIndexes, 'updatedAt'>,
): RawLog =>
  log(
    pool,
    'ReserveDataUpdated',
    1,
    asset,
    liquidityRate,
    0n,
    variableBorrowRate,
    liquidityIndex,
    variableBorrowIndex,
  );

export const collateralFlag = (
  { pool }: AaveMarket,
  { asset }: Reserve,
  account: Address,
  used: boolean,
): RawLog =>
  log(pool, used ? 'ReserveUsedAsCollateralEnabled' : 'ReserveUsedAsCollateralDisabled', 2, asset, account);

export const eModeSet = ({ pool }: AaveMarket, account: Address, eMode: number): RawLog =>
  log(pool, 'UserEModeSet', 1, account, eMode);

export const answerUpdated = (aggregator: Address, answer: bigint, updatedAt: number): RawLog =>
  log(aggregator, 'AnswerUpdated', 2, answer, 1n, updatedAt);

/** The pool's own word on what was done, which the bot has no use for. */
export function action(
  { pool }: AaveMarket,
  name: 'Supply' | 'Withdraw' | 'Borrow' | 'Repay',
  { asset }: Reserve,
  account: Address,
  amount: bigint,
): RawLog {
  switch (name) {
    case 'Supply':
      return log(pool, name, 3, asset, account, 0n, account, amount);
    case 'Borrow':
      return log(pool, name, 3, asset, account, 0n, account, amount, 2n, 0n);
    case 'Withdraw':
      return log(pool, name, 3, asset, account, account, amount);
    case 'Repay':
      return log(pool, name, 3, asset, account, account, amount, 0n);
  }
}
