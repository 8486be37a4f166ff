import { Interface } from 'ethers';
import { addressWord, uintWord, type Address, type Hex } from '../domain/hex.js';
import {
  CHIMERA_ABI,
  SELECTORS,
  TOPICS,
  readBidPaid,
  readLiquidated,
  readLiquidationFailed,
  type BidPaidEvent,
  type LiquidatedEvent,
  type LiquidationFailedEvent,
} from './bindings.js';

/** Calldata of `liquidate` (one) or `liquidateBatch` (several) for a packed plan. */
export function liquidateCall(plan: Hex, method: 'liquidate' | 'liquidateBatch' = 'liquidate'): Hex {
  const bytes = plan.slice(2);
  const padded = bytes.padEnd(Math.ceil(bytes.length / 64) * 64, '0');
  return `${SELECTORS[method]}${uintWord(32)}${uintWord(bytes.length / 2)}${padded}`;
}

/** Calldata of a function that takes one address. */
export function callWithAddress(method: keyof typeof SELECTORS, argument: Address): Hex {
  return `${SELECTORS[method]}${addressWord(argument)}`;
}

interface EventLog {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
}

type ChimeraEvent =
  | ({ readonly kind: 'liquidated' } & LiquidatedEvent)
  | ({ readonly kind: 'failed' } & LiquidationFailedEvent)
  | ({ readonly kind: 'bid-paid' } & BidPaidEvent);

/** The events of `chimera` about liquidations, in order. Logs of other contracts prove nothing. */
export function chimeraEvents(logs: readonly EventLog[], chimera: Address): ChimeraEvent[] {
  return logs.flatMap(({ address, topics, data }): ChimeraEvent[] => {
    if (address !== chimera) return [];
    if (topics[0] === TOPICS.Liquidated) return [{ kind: 'liquidated', ...readLiquidated(topics, data) }];
    if (topics[0] === TOPICS.LiquidationFailed)
      return [{ kind: 'failed', ...readLiquidationFailed(topics, data) }];
    if (topics[0] === TOPICS.BidPaid) return [{ kind: 'bid-paid', ...readBidPaid(topics, data) }];
    return [];
  });
}

/** The `Liquidated` events among them. */
export function liquidatedEvents(logs: readonly EventLog[], chimera: Address): LiquidatedEvent[] {
  return chimeraEvents(logs, chimera).filter((event) => event.kind === 'liquidated');
}

/** Errors of other contracts that a liquidation can meet. Aave names its errors since 3.5. */
const FOREIGN_ERRORS = [
  'error HealthFactorNotBelowThreshold()',
  'error MustNotLeaveDust()',
  'error CollateralCannotBeLiquidated()',
  'error SpecifiedCurrencyNotBorrowedByUser()',
  'error ReservePaused()',
  'error ReserveInactive()',
  'error LiquidationGraceSentinelCheckFailed()',
  'error PriceOracleSentinelCheckFailed()',
  'error SelfLiquidation()',
] as const;

type NameOf<Fragment> = Fragment extends `error ${infer Name}(${string})` ? Name : never;

/** `Error(string)` and `Panic(uint256)` are Solidity's own; Uniswap gives its reasons as `Error(string)`. */
export type RevertName =
  NameOf<(typeof CHIMERA_ABI)[number]> | NameOf<(typeof FOREIGN_ERRORS)[number]> | 'Error' | 'Panic';

/** What a call reverted with. */
export type RevertError =
  | {
      readonly kind: 'known';
      readonly name: RevertName;
      /** Numbers in decimal, addresses and bytes in hex. */
      readonly args: readonly string[];
      readonly selector: Hex;
    }
  /** An error of a contract that is not known here, or data that cannot be read. */
  | { readonly kind: 'unknown'; readonly selector: Hex }
  /** No data at all, as when a call runs out of gas. */
  | { readonly kind: 'no-reason' };

/** Reads revert data, which may be anything at all: cut off in the middle, for instance. It never throws. */
export function parseRevert(data: Hex): RevertError {
  if (data === '0x') return { kind: 'no-reason' };
  const selector: Hex = `0x${data.slice(2, 10)}`;
  try {
    const parsed = REVERTS.parseError(data);
    if (!parsed) return { kind: 'unknown', selector };
    // The interface holds the errors of RevertName and no other.
    return { kind: 'known', name: parsed.name as RevertName, args: parsed.args.map(String), selector };
  } catch {
    return { kind: 'unknown', selector };
  }
}

/** For people: "ProfitBelowFloor(1, 2)", "unknown error 0xdeadbeef", "no reason given". */
export function revertReason(data: Hex): string {
  const error = parseRevert(data);
  switch (error.kind) {
    case 'known':
      return error.args.length > 0 ? `${error.name}(${error.args.join(', ')})` : error.name;
    case 'unknown':
      return `unknown error ${error.selector}`;
    case 'no-reason':
      return 'no reason given';
  }
}

const REVERTS = new Interface([
  ...CHIMERA_ABI.filter((fragment) => fragment.startsWith('error ')),
  ...FOREIGN_ERRORS,
]);
