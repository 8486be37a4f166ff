import { Transaction } from 'ethers';
import type {
  BookedSpend,
  Execution,
  OutboxTransaction,
  TransactionVersion,
  VersionKind,
} from '../database/index.js';
import type { Block } from '../domain/block.js';
import { reservationOf, type Spend } from '../domain/spend.js';
import { HaltError } from '../domain/errors.js';
import { toAddress, type Hex } from '../domain/hex.js';
import type { TransactionCall } from '../domain/plan.js';
import type { Receipt } from '../rpc/chain/chain-answers.js';
import { termsOfRow, type SettlementTerms } from './settlement-terms.js';
import type { SignedTransaction } from './signer.js';

/** One signed version of a transaction, with a durable row. */
export interface Version extends SignedTransaction {
  readonly kind: VersionKind;
  readonly call: TransactionCall;
  /** Why it replaces the version before it; undefined for the first. */
  readonly reason: string | undefined;
}

/**
 * A nonce whose rows are durable and whose outcome is not known. Any of its versions may be mined. Hash, raw,
 * kind and call are those of the version that counts now: the newest, or the mined one.
 */
export interface InFlight extends Version {
  /** Every version that was signed, the newest last. */
  readonly versions: readonly Version[];
  readonly outboxId: string;
  readonly executionId: string;
  readonly terms: SettlementTerms;
  /**
   * The name of the door by which it leaves, now and whenever it is handed over again; undefined for a row
   * from before doors had names.
   */
  readonly door: string | undefined;
  /** The UTC day whose volume counts it. */
  bookedDay: string | undefined;
  /** The most that it may pay and lose, as long as it is in flight. */
  reservation: Spend;
  /** What its receipt says that it paid and lost, and to which UTC day that is booked. */
  spent: BookedSpend | undefined;
  /** The block of its receipt at the last look; undefined while it has none. */
  minedIn: number | undefined;
  /** The head at which it was handed over last; undefined when this process never did. */
  sentAtBlock: number | undefined;
  /** When that was: monotonic milliseconds. */
  sentAtMs: number | undefined;
  /** How often it was handed over again. */
  resent: number;
  /** Microseconds from the arrival of the head to the first hand-over. */
  headToSendUs: number | undefined;
  /** A node has taken it. */
  accepted: boolean;
  /** The rows say so. */
  acceptanceSaved: boolean;
  /** By how much its outcome has changed the count of failures; undefined while it has not. */
  failures: number | undefined;
  /** It may have left this process: a node may have it. */
  left: boolean;
  /** The nodes take it when every transaction before it is mined. */
  waitsForTurn: boolean;
  /** A node refused its nonce as used, and no node knew the transaction. */
  nonceDoubted: boolean;
  /** Since when its nonce is used and no receipt of its own was found: monotonic milliseconds. */
  absentSinceMs: number | undefined;
  /** Since when no node has had it: monotonic milliseconds. */
  lostSinceMs: number | undefined;
}

/** The version of a transaction that was mined. */
export interface Mined {
  readonly version: Version;
  readonly receipt: Receipt;
}

/** What following a transaction needs of a block. */
export type SettlingHead = Pick<Block, 'number' | 'timestamp'>;

/** The state of a transaction that this process has not handed over. */
export const NOT_SENT = {
  minedIn: undefined,
  sentAtBlock: undefined,
  sentAtMs: undefined,
  resent: 0,
  headToSendUs: undefined,
  accepted: false,
  acceptanceSaved: false,
  failures: undefined,
  left: false,
  waitsForTurn: false,
  nonceDoubted: false,
  absentSinceMs: undefined,
  lostSinceMs: undefined,
  spent: undefined,
};

/** The first version of a plan's transaction. */
export function firstVersion(signed: SignedTransaction, call: TransactionCall): Version {
  return { ...signed, kind: 'first', call, reason: undefined };
}

/** This version counts from now on: a new one, or the one that was mined. */
export function takeVersion(transaction: InFlight, version: Version): void {
  const { hash, raw, kind, call, reason } = version;
  const versions = transaction.versions.includes(version)
    ? transaction.versions
    : [...transaction.versions, version];
  Object.assign(transaction, { hash, raw, kind, call, reason, versions });
}

/** A transaction as its rows describe it. @throws HaltError when the rows make no sense. */
export function restored(
  row: OutboxTransaction,
  execution: Execution,
  rows: readonly TransactionVersion[],
): InFlight {
  const { id, hash, nonce, status, bookedDay } = row;
  const versions = rows.map(({ hash, raw, kind, reason }): Version => ({
    hash,
    raw,
    nonce,
    kind,
    call: callOf(raw),
    reason: reason ?? undefined,
  }));
  // A row that serves a later execution names the version of that one.
  const current = versions.find((version) => version.hash === hash) ?? versions.at(-1);
  if (!current) throw new HaltError(`the outbox row ${id} lacks its signed version`);
  const accepted = status !== 'prepared';
  const terms = termsOfRow(execution);
  return {
    ...NOT_SENT,
    outboxId: id,
    executionId: execution.id,
    ...current,
    versions,
    terms,
    door: row.door ?? undefined,
    bookedDay: bookedDay ?? undefined,
    reservation: reservationOfRow(row, current.call, terms),
    spent: spentOfRow(row),
    accepted,
    acceptanceSaved: accepted,
    left: true,
  };
}

/** A row from before budgets names none: gas limit times max fee is what it may pay, L1 data left out. */
function reservationOfRow(
  { reservedFeeWei, reservedLossUsd8 }: OutboxTransaction,
  { gasLimit, maxFeePerGas }: TransactionCall,
  { nativePriceUsd8 }: SettlementTerms,
): Spend {
  if (reservedFeeWei === null || reservedLossUsd8 === null)
    return reservationOf(gasLimit * maxFeePerGas, nativePriceUsd8);
  return { feeWei: reservedFeeWei, lossUsd8: reservedLossUsd8 };
}

function spentOfRow({ spentDay, spentFeeWei, spentLossUsd8 }: OutboxTransaction): BookedSpend | undefined {
  if (spentDay === null || spentFeeWei === null || spentLossUsd8 === null) return undefined;
  return { day: spentDay, feeWei: spentFeeWei, lossUsd8: spentLossUsd8 };
}

/** @throws HaltError when the transaction is not of the kind that the signer makes. */
function callOf(raw: Hex): TransactionCall {
  const { to, data, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = Transaction.from(raw);
  if (to === null || maxFeePerGas === null || maxPriorityFeePerGas === null)
    throw new HaltError('the outbox holds a transaction of another kind');
  return { to: toAddress(to), data: `0x${data.slice(2)}`, gasLimit, maxFeePerGas, maxPriorityFeePerGas };
}
