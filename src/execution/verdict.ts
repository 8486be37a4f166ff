import type { RevertError, RevertName } from '../contract/contract.js';
import type { Rival, Verdict } from '../domain/outcome.js';

/** Why a mined transaction reverted, as far as its call tells when it is made again around its block. */
export type Revert =
  | { readonly kind: 'error'; readonly error: RevertError; readonly reason: string }
  | { readonly kind: 'out-of-gas' }
  /** The call succeeds on the state before its block and on the state after it. */
  | { readonly kind: 'within-block' }
  /** No node could make the call again. */
  | { readonly kind: 'unread'; readonly reason: string };

/**
 * Errors that say: the position can no longer be liquidated, or no longer at a profit. They need no fault of
 * the bot.
 */
const MARKET_MOVED: ReadonlySet<RevertName> = new Set<RevertName>([
  // Of our own contract: the floor, what pays for the swaps, the look at the debt, wrappers, and the time.
  'ProfitBelowFloor',
  'CannotRepay',
  'AskedTooMuch',
  'NothingLiquidated',
  'NothingToLiquidate',
  'LostInUnwrapping',
  'DeadlinePassed',
  'BlockPassed',
  // Of Aave: LiquidationLogic.validateLiquidationCall, and the rule against leftovers.
  'HealthFactorNotBelowThreshold',
  'MustNotLeaveDust',
  'CollateralCannotBeLiquidated',
  'SpecifiedCurrencyNotBorrowedByUser',
  'ReservePaused',
  'ReserveInactive',
  'LiquidationGraceSentinelCheckFailed',
  'PriceOracleSentinelCheckFailed',
]);

/** Errors that any contract can raise, so that they do not tell whose fault it is. */
const OF_ANYBODY: ReadonlySet<RevertName> = new Set<RevertName>([
  'Error',
  'Panic',
  'CompoundError',
  'SafeERC20FailedOperation',
]);

/** What a revert proves together with the rival that was first, if there was one. Pure. */
export function verdictOfRevert(revert: Revert, rival: Rival | 'unknown' | undefined): Verdict {
  const reason = reasonOf(revert);
  switch (causeOf(revert)) {
    case 'ours':
      return { outcome: 'malfunction', reason, rival };
    case 'market':
      return { outcome: isRival(rival) ? 'lost' : 'stale', reason, rival };
    case 'not-known':
      return { outcome: isRival(rival) ? 'lost' : 'malfunction', reason, rival };
  }
}

/** What a transaction that was not mined before its deadline proves. Pure. */
export function verdictOfDeadline(reason: string, rival: Rival | 'unknown' | undefined): Verdict {
  return { outcome: isRival(rival) ? 'lost' : 'stale', reason, rival };
}

function isRival(rival: Rival | 'unknown' | undefined): boolean {
  return rival !== undefined && rival !== 'unknown';
}

/**
 * Whose fault it was. `not-known`: a rival explains it, where there was one.
 *
 * `within-block` is the market's: our contract did what it should before the block and after it, so another
 * transaction of the block, such as a sandwich around ours, made the difference.
 */
function causeOf(revert: Revert): 'ours' | 'market' | 'not-known' {
  switch (revert.kind) {
    case 'out-of-gas':
      return 'ours';
    case 'within-block':
      return 'market';
    case 'unread':
      return 'not-known';
    case 'error': {
      const { error } = revert;
      if (error.kind !== 'known' || OF_ANYBODY.has(error.name)) return 'not-known';
      return MARKET_MOVED.has(error.name) ? 'market' : 'ours';
    }
  }
}

function reasonOf(revert: Revert): string {
  switch (revert.kind) {
    case 'error':
    case 'unread':
      return revert.reason;
    case 'out-of-gas':
      return 'out of gas';
    case 'within-block':
      return 'reverted by something that happened within its block';
  }
}
