import { Transaction } from 'ethers';
import type { Execution, OutboxTransaction } from '../database/index.js';
import type { Block } from '../domain/block.js';
import { HaltError } from '../domain/errors.js';
import { toAddress, type Address, type Hash, type Hex } from '../domain/hex.js';
import type { TransactionCall } from '../domain/plan.js';
import { termsOfRow, type SettlementTerms } from './settlement-terms.js';
import type { SignedTransaction } from './signer.js';

/** A signed transaction whose row is durable and whose fate is open. */
export interface InFlight extends SignedTransaction {
  readonly outboxId: string;
  readonly executionId: string;
  readonly terms: SettlementTerms;
  readonly call: TransactionCall;
  /** The UTC day whose volume counts it. */
  bookedDay: string | undefined;
  /** Where its receipt was seen last; undefined while there is none, or none any more. */
  minedIn: number | undefined;
  /** The head at which it was handed to the nodes last; undefined when this process never did. */
  sentAtBlock: number | undefined;
  /** How often it was handed over again. */
  resent: number;
  /** Microseconds from the head's arrival to the first hand-over. */
  headToSendUs: number | undefined;
  /** A node has taken it. */
  accepted: boolean;
  /** The rows say so. */
  acceptanceSaved: boolean;
  /** By how much its outcome has changed the count of failures; undefined while it has no part in it. */
  failures: number | undefined;
  /** Looks at the chain that found its nonce used and no receipt of its own. */
  overtaken: number;
}

/** What a transaction is before it was handed over. */
export const NOT_SENT = {
  minedIn: undefined,
  sentAtBlock: undefined,
  resent: 0,
  headToSendUs: undefined,
  accepted: false,
  acceptanceSaved: false,
  failures: undefined,
  overtaken: 0,
};

/** What became of an intent, as events and logs carry it. Money is decimal text. */
export interface Settlement {
  readonly executionId: string;
  readonly borrower: Address;
  readonly hash: Hash;
  readonly outcome: 'succeeded' | 'reverted' | 'dropped';
  /** Why it did not succeed. */
  readonly reason: string | undefined;
  /** Where it was mined. */
  readonly block: number | undefined;
  /** USD with 8 decimals. */
  readonly realisedProfitUsd8: string | undefined;
  readonly simulatedNetProfitUsd8: string;
}

/** A reorg took the block of a settlement back: the intent is in flight again. Money is decimal text. */
export interface Reopening extends Pick<
  Settlement,
  'executionId' | 'borrower' | 'hash' | 'realisedProfitUsd8'
> {
  readonly outcome: 'reopened';
  /** What it was until now, with the realised profit that no longer counts. */
  readonly was: 'succeeded' | 'reverted';
  /** The block that is gone. */
  readonly block: number;
  /** Whether this process had reported the outcome that it takes back. */
  readonly reported: boolean;
}

/** A settled transaction, as long as a reorg may take its block back. */
export interface Settled {
  readonly transaction: InFlight;
  readonly block: Pick<Block, 'number' | 'hash'>;
  readonly reopening: Reopening;
}

export function settledIn(
  block: Settled['block'],
  transaction: InFlight,
  { was, realisedProfitUsd8, reported }: Pick<Reopening, 'was' | 'realisedProfitUsd8' | 'reported'>,
): Settled {
  const { executionId, hash, terms } = transaction;
  const { borrower } = terms;
  const what = { was, block: block.number, realisedProfitUsd8, reported };
  return { transaction, block, reopening: { executionId, borrower, hash, outcome: 'reopened', ...what } };
}

export function settlement(
  { executionId, hash, terms }: InFlight,
  what: Pick<Settlement, 'outcome' | 'reason'> & Partial<Pick<Settlement, 'block' | 'realisedProfitUsd8'>>,
): Settlement {
  return {
    executionId,
    borrower: terms.borrower,
    hash,
    block: undefined,
    realisedProfitUsd8: undefined,
    simulatedNetProfitUsd8: String(terms.netProfitUsd8),
    ...what,
  };
}

/** As an earlier process left it. @throws HaltError when the rows make no sense. */
export function restored(row: OutboxTransaction, execution: Execution): InFlight {
  const { id, hash, raw, nonce, status, bookedDay } = row;
  const accepted = status !== 'prepared';
  return {
    ...NOT_SENT,
    outboxId: id,
    executionId: execution.id,
    hash,
    raw,
    nonce,
    terms: termsOfRow(execution),
    call: callOf(raw),
    bookedDay: bookedDay ?? undefined,
    accepted,
    acceptanceSaved: accepted,
  };
}

/** As {@link restored}, for one that an earlier process settled; undefined when its block is not known. */
export function restoredSettled(row: OutboxTransaction, execution: Execution): Settled | undefined {
  const { blockNumber: number, blockHash: hash } = row;
  if (number === null || hash === null) return undefined;
  const was = execution.status === 'succeeded' ? 'succeeded' : 'reverted';
  // How many failures a success of an earlier process ended is not known any more.
  const failures = was === 'reverted' ? 1 : 0;
  const realisedProfitUsd8 = execution.realisedProfitUsd8?.toString();
  const what = { was, realisedProfitUsd8, reported: false } as const;
  return settledIn({ number, hash }, { ...restored(row, execution), failures }, what);
}

/** @throws HaltError when it is not what the signer makes. */
function callOf(raw: Hex): TransactionCall {
  const { to, data, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = Transaction.from(raw);
  if (to === null || maxFeePerGas === null || maxPriorityFeePerGas === null)
    throw new HaltError('the outbox holds a transaction of another kind');
  return { to: toAddress(to), data: `0x${data.slice(2)}`, gasLimit, maxFeePerGas, maxPriorityFeePerGas };
}
