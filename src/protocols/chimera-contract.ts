import { id, Interface } from 'ethers';
import { addressAt, addressFromWord, uintAt, type Address, type Hex } from '../domain/hex.js';

/** The part of contracts/src/Chimera.sol that the bot calls and reads. A test compares it with the compiled contract. */
export const CHIMERA_ABI = [
  'function liquidateAave((address market, address borrower, address collateralAsset, address debtAsset, uint256 debtToCover, uint24 poolFee, uint256 minProfit, uint256 deadline) plan) returns ((uint256 debtCovered, uint256 collateralSeized, uint256 swapInput, uint256 profit) outcome)',
  'function isExecutor(address executor) view returns (bool)',
  'function isMarket(address market) view returns (bool)',
  'function paused() view returns (bool)',
  'function treasury() view returns (address)',
  'function factory() view returns (address)',
  'event Liquidated(address indexed protocol, address indexed borrower, address collateralAsset, address debtAsset, uint256 debtCovered, uint256 collateralSeized, uint256 profit)',
] as const;

export const chimeraInterface = new Interface(CHIMERA_ABI);
const LIQUIDATED = id('Liquidated(address,address,address,address,uint256,uint256,uint256)');

/** Arguments of Chimera.liquidateAave. Amounts in the smallest units of the token they name. */
export interface AaveLiquidationCall {
  readonly market: Address;
  readonly borrower: Address;
  readonly collateralAsset: Address;
  readonly debtAsset: Address;
  /** Debt token units borrowed from the pool and offered to Aave; what Aave does not take goes to the treasury. */
  readonly debtToCover: bigint;
  readonly poolFee: number;
  /** Collateral units. */
  readonly minProfit: bigint;
  /** Seconds since the epoch. */
  readonly deadline: bigint;
}

export interface LiquidationOutcome {
  /** Debt token units. */
  readonly debtCovered: bigint;
  /** Collateral units. */
  readonly collateralSeized: bigint;
  /** Collateral units paid to the pool. */
  readonly swapInput: bigint;
  /** Collateral units sent to the treasury. */
  readonly profit: bigint;
}

export function encodeLiquidateAave(call: AaveLiquidationCall): Hex {
  return chimeraInterface.encodeFunctionData('liquidateAave', [call]) as Hex;
}

/** @throws RangeError when the data is too short to be the return value of liquidateAave. */
export function decodeLiquidateAave(data: Hex): LiquidationOutcome {
  return {
    debtCovered: uintAt(data, 0),
    collateralSeized: uintAt(data, 1),
    swapInput: uintAt(data, 2),
    profit: uintAt(data, 3),
  };
}

export interface LiquidatedEvent {
  readonly market: Address;
  readonly borrower: Address;
  readonly collateralAsset: Address;
  readonly debtAsset: Address;
  readonly debtCovered: bigint;
  readonly collateralSeized: bigint;
  readonly profit: bigint;
}

interface EventLog {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
}

/** The Liquidated events that `chimera` itself emitted, in order: what a receipt proves. Other contracts' logs are ignored. */
export function liquidatedEvents(logs: readonly EventLog[], chimera: Address): LiquidatedEvent[] {
  return logs.flatMap(({ address, topics: [topic, market, borrower], data }) => {
    if (address !== chimera || topic !== LIQUIDATED || !market || !borrower) return [];
    return [
      {
        market: addressFromWord(market),
        borrower: addressFromWord(borrower),
        collateralAsset: addressAt(data, 0),
        debtAsset: addressAt(data, 1),
        debtCovered: uintAt(data, 2),
        collateralSeized: uintAt(data, 3),
        profit: uintAt(data, 4),
      },
    ];
  });
}

/** The error of our contract, or of a contract it called, in words: its name, else its selector, else "no reason". */
export function revertReason(data: Hex): string {
  if (data === '0x') return 'no reason given';
  const parsed = REVERTS.parseError(data);
  if (!parsed) return `unknown error ${data.slice(0, 10)}`;
  return parsed.args.length > 0 ? `${parsed.name}(${parsed.args.map(String).join(', ')})` : parsed.name;
}

/** Errors a liquidation can meet: ours, Aave's (3.5 and later name them), Uniswap's reason strings (Error(string)). */
const REVERTS = new Interface([
  'error ProfitBelowFloor(uint256 profit, uint256 floor)',
  'error DeadlinePassed()',
  'error NoPool()',
  'error NotExecutor(address caller)',
  'error UnknownMarket(address market)',
  'error SameAsset()',
  'error SwapFellShort(uint256 received, uint256 debtToCover)',
  'error SwapExceedsSeized(uint256 swapInput, uint256 collateralSeized)',
  'error UnexpectedCallback()',
  'error EnforcedPause()',
  'error HealthFactorNotBelowThreshold()',
  'error MustNotLeaveDust()',
  'error CollateralCannotBeLiquidated()',
  'error SpecifiedCurrencyNotBorrowedByUser()',
  'error ReservePaused()',
  'error ReserveInactive()',
  'error LiquidationGraceSentinelCheckFailed()',
  'error PriceOracleSentinelCheckFailed()',
  'error SelfLiquidation()',
]);
