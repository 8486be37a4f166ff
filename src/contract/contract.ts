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

/** Calldata of a call with one address for its argument. */
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

/** What `chimera` itself said of liquidations, in order: what a receipt proves. Other contracts' logs are ignored. */
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

/**
 * The error of our contract, or of a contract it called, in words: its name, else its selector, else "no reason". Revert
 * data may be anything at all, cut off in the middle for instance: this never throws.
 */
export function revertReason(data: Hex): string {
  if (data === '0x') return 'no reason given';
  const unknown = `unknown error ${data.slice(0, 10)}`;
  try {
    const parsed = REVERTS.parseError(data);
    if (!parsed) return unknown;
    return parsed.args.length > 0 ? `${parsed.name}(${parsed.args.map(String).join(', ')})` : parsed.name;
  } catch {
    return unknown;
  }
}

/** Errors a liquidation can meet: ours, Aave's (3.5 and later name them), Uniswap's reason strings (Error(string)). */
const REVERTS = new Interface([
  ...CHIMERA_ABI.filter((fragment) => fragment.startsWith('error ')),
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
