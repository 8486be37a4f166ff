/** Written by `npm run generate` from contracts/src. Do not edit: change the contract instead. */
import { addressAt, addressFromWord, bytesAt, uintAt, type Address, type Hex } from '../domain/hex.js';

export const CHIMERA_ABI = [
  'error AlreadyLiquidated()',
  'error AmountTooLarge()',
  'error AskedTooMuch(uint256 owed, uint256 most)',
  'error BlockPassed()',
  'error CannotBid(address profitToken)',
  'error CannotBuyFrom(address factory)',
  'error CannotRepay(address token, uint256 held, uint256 owed)',
  'error CompoundError(address mToken, uint256 code)',
  'error DeadlinePassed()',
  'error EnforcedPause()',
  'error ExpectedPause()',
  'error ForeignToken(address token)',
  'error InventoryShort(address token)',
  'error LostInUnwrapping(address wrapper, uint256 got, uint256 least)',
  'error NativeNotExpected()',
  'error NativeTransferFailed()',
  'error NoFloor()',
  'error NoPool(address tokenA, address tokenB, uint256 parameter)',
  'error NotExecutor(address caller)',
  'error NotListed(address mToken)',
  'error NotUnderlying(address mToken, address collateral)',
  'error NotWrappedNative(address collateral)',
  'error NothingLiquidated()',
  'error NothingToLiquidate(address borrower, uint256 debtLeft)',
  'error OnlySelf()',
  'error OwnTreasury()',
  'error OwnableInvalidOwner(address owner)',
  'error OwnableUnauthorizedAccount(address account)',
  'error PlanTooLong()',
  'error PlanTooShort()',
  'error ProfitBelowFloor(uint256 profit, uint256 minProfit)',
  'error ReentrancyGuardReentrantCall()',
  'error RenounceDisabled()',
  'error SafeCastOverflowedUintToInt(uint256 value)',
  'error SafeERC20FailedOperation(address token)',
  'error UnexpectedCallback()',
  'error UnknownCounterparty(address counterparty)',
  'error UnknownFlags(uint256 flags)',
  'error UnknownStep(uint256 opcode)',
  'error ZeroAddress()',
  'event BidPaid(address indexed producer, uint256 amountWei)',
  'event CounterpartySet(address indexed counterparty, uint8 kind)',
  'event ExecutorSet(address indexed executor, bool allowed)',
  'event Liquidated(address indexed market, address indexed borrower, address collateralAsset, address debtAsset, uint256 debtCovered, uint256 collateralSeized, address profitToken, uint256 profit)',
  'event LiquidationFailed(uint256 indexed index, address indexed borrower, bytes reason)',
  'event OwnershipTransferStarted(address indexed previousOwner, address indexed newOwner)',
  'event OwnershipTransferred(address indexed previousOwner, address indexed newOwner)',
  'event Paused(address account)',
  'event Rescued(address indexed token, uint256 amount)',
  'event TreasurySet(address indexed treasury)',
  'event Unpaused(address account)',
  'function acceptOwnership()',
  'function executeOperation(address, uint256 amount, uint256 premium, address initiator, bytes data) returns (bool)',
  'function factory() view returns (address)',
  'function isExecutor(address account) view returns (bool)',
  'function kindOf(address counterparty) view returns (uint8)',
  'function liquidate(bytes plan) returns ((uint256 debtCovered, uint256 collateralSeized, uint256 protocolFee, uint256 swapOutput, uint256 flashFee, uint256 bid, uint256 profit, uint256 gasUsed) outcome)',
  'function liquidateBatch(bytes plan) returns ((uint256 debtCovered, uint256 collateralSeized, uint256 protocolFee, uint256 swapOutput, uint256 flashFee, uint256 bid, uint256 profit, uint256 gasUsed)[] outcomes)',
  'function liquidateInBatch(bytes liquidation, uint256 bidBps) returns ((uint256 debtCovered, uint256 collateralSeized, uint256 protocolFee, uint256 swapOutput, uint256 flashFee, uint256 bid, uint256 profit, uint256 gasUsed) outcome)',
  'function onBalancerV3Unlock(uint256 amount, bytes data)',
  'function onMorphoFlashLoan(uint256 assets, bytes data)',
  'function onMorphoLiquidate(uint256 repaidAssets, bytes data)',
  'function owner() view returns (address)',
  'function pancakeV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes data)',
  'function pause()',
  'function paused() view returns (bool)',
  'function pendingOwner() view returns (address)',
  'function receiveFlashLoan(address[], uint256[] amounts, uint256[] feeAmounts, bytes data)',
  'function renounceOwnership() pure',
  'function rescue(address token)',
  'function rescueNative()',
  'function setCounterparty(address counterparty, uint8 kind)',
  'function setExecutor(address executor, bool allowed)',
  'function setTreasury(address newTreasury)',
  'function transferOwnership(address newOwner)',
  'function treasury() view returns (address)',
  'function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes data)',
  'function unpause()',
  'function weth() view returns (address)',
] as const;

export const SELECTORS = {
  acceptOwnership: '0x79ba5097',
  executeOperation: '0x1b11d0ff',
  factory: '0xc45a0155',
  isExecutor: '0xdebfda30',
  kindOf: '0xd3b441a8',
  liquidate: '0x1721539b',
  liquidateBatch: '0xb5599eca',
  liquidateInBatch: '0x210f1938',
  onBalancerV3Unlock: '0x5072c228',
  onMorphoFlashLoan: '0x31f57072',
  onMorphoLiquidate: '0xcf7ea196',
  owner: '0x8da5cb5b',
  pancakeV3SwapCallback: '0x23a69e75',
  pause: '0x8456cb59',
  paused: '0x5c975abb',
  pendingOwner: '0xe30c3978',
  receiveFlashLoan: '0xf04f2707',
  renounceOwnership: '0x715018a6',
  rescue: '0x839006f2',
  rescueNative: '0xfc82f084',
  setCounterparty: '0x67599856',
  setExecutor: '0x1e1bff3f',
  setTreasury: '0xf0f44260',
  transferOwnership: '0xf2fde38b',
  treasury: '0x61d027b3',
  uniswapV3SwapCallback: '0xfa461e33',
  unpause: '0x3f4ba83a',
  weth: '0x3fc8cef3',
} as const satisfies Record<string, Hex>;

export const TOPICS = {
  BidPaid: '0xeb040938001b5237fe4380ff98a1f7e25b191adcc245f9b148f8cef037c73376',
  Liquidated: '0xc35f2fb5d2031258bbf11f3a7f916ffc06517ef89d0e26f4a6c1a8fffa8fe6c2',
  LiquidationFailed: '0x88259972d5928931921b242a45c93eeb6179766578fe07f2a8e3c24d30847444',
} as const satisfies Record<string, Hex>;

export const Kind = {
  None: 0,
  AaveV3: 1,
  CompoundV2: 2,
  MorphoBlue: 3,
  BalancerV2: 4,
  BalancerV3: 5,
  Slipstream: 6,
  Solidly: 7,
  PancakeV3: 8,
  Erc4626: 9,
  Unwrapper: 10,
} as const;

export const PLAN = {
  PROFIT_TOKEN: 3,
  MEASURE_FEE: 4,
  BY_RESERVE_ID: 8,
  LOOK_FIRST: 16,
  ALL_FLAGS: 31,
  BUY: 1,
  BUY_ON: 2,
  SELL: 3,
  SELL_ON: 7,
  LISTED_FACTORY: 16,
  UNWRAP: 32,
  SELL_DATA_SIZE: 64,
  LOAN: 4,
  INVENTORY: 5,
  LIQUIDATE: 6,
  SHARES: 1,
  CALLBACK: 2,
} as const;

export interface Outcome {
  readonly debtCovered: bigint;
  readonly collateralSeized: bigint;
  readonly protocolFee: bigint;
  readonly swapOutput: bigint;
  readonly flashFee: bigint;
  readonly bid: bigint;
  readonly profit: bigint;
  readonly gasUsed: bigint;
}
/** @param first the struct's first word @throws RangeError when the data is too short. */
export function readOutcome(data: Hex, first = 0): Outcome {
  return {
    debtCovered: uintAt(data, first + 0),
    collateralSeized: uintAt(data, first + 1),
    protocolFee: uintAt(data, first + 2),
    swapOutput: uintAt(data, first + 3),
    flashFee: uintAt(data, first + 4),
    bid: uintAt(data, first + 5),
    profit: uintAt(data, first + 6),
    gasUsed: uintAt(data, first + 7),
  };
}
export const OUTCOME_WORDS = 8;

export interface LiquidatedEvent {
  readonly market: Address;
  readonly borrower: Address;
  readonly collateralAsset: Address;
  readonly debtAsset: Address;
  readonly debtCovered: bigint;
  readonly collateralSeized: bigint;
  readonly profitToken: Address;
  readonly profit: bigint;
}
/** @throws RangeError when the log is too short. */
export function readLiquidated(topics: readonly Hex[], data: Hex): LiquidatedEvent {
  return {
    market: addressFromWord(topics[1] ?? '0x'),
    borrower: addressFromWord(topics[2] ?? '0x'),
    collateralAsset: addressAt(data, 0),
    debtAsset: addressAt(data, 1),
    debtCovered: uintAt(data, 2),
    collateralSeized: uintAt(data, 3),
    profitToken: addressAt(data, 4),
    profit: uintAt(data, 5),
  };
}

export interface LiquidationFailedEvent {
  readonly index: bigint;
  readonly borrower: Address;
  readonly reason: Hex;
}
/** @throws RangeError when the log is too short. */
export function readLiquidationFailed(topics: readonly Hex[], data: Hex): LiquidationFailedEvent {
  return {
    index: uintAt(topics[1] ?? '0x', 0),
    borrower: addressFromWord(topics[2] ?? '0x'),
    reason: bytesAt(data, 0),
  };
}

export interface BidPaidEvent {
  readonly producer: Address;
  readonly amountWei: bigint;
}
/** @throws RangeError when the log is too short. */
export function readBidPaid(topics: readonly Hex[], data: Hex): BidPaidEvent {
  return { producer: addressFromWord(topics[1] ?? '0x'), amountWei: uintAt(data, 0) };
}
