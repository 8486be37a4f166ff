import { Injectable } from '@nestjs/common';
import { Between, In, IsNull, Not } from 'typeorm';
import type { Spend } from '../../domain/spend.js';
import { HaltError } from '../../domain/errors.js';
import type { Address, Hash, Hex } from '../../domain/hex.js';
import { safeInteger, storableText, usd8FromText, usd8ToText } from '../columns.js';
import { Database } from '../database.js';
import { OutboxTransaction, type OutboxStatus } from '../entities/outbox-transaction.js';
import { TransactionVersion, type VersionKind } from '../entities/transaction-version.js';
import { Fence, isHeld } from '../fence.js';
import { decisionValues, toJson } from './decision-columns.js';
import type { NewExecution } from './executions.js';
import {
  ACCEPT,
  ADD_VERSION,
  DROPPED,
  END,
  RECORD,
  REOPEN,
  REVIVE,
  type RecordedRows,
} from './outbox-statements.js';
import { SETTLE, settleValues, type BookedSpend, type MinedEnd } from './settle-statement.js';

/** A signed transaction that is to be made durable before it is broadcast. */
export interface OutboxIntent {
  readonly nonce: number;
  readonly hash: Hash;
  readonly raw: Hex;
  /** The door by which it leaves: a name of execution.paths. */
  readonly door: string;
  /** The most that it may pay and lose. The row reserves it until it is settled. */
  readonly reservation: Spend;
  /** What it carries out. Its row is written with that of the transaction. */
  readonly execution: NewExecution;
}

/** The account that signs, and the UTC day that the volume is booked to: YYYY-MM-DD. */
export interface OutboxOwner {
  readonly chainId: number;
  readonly sender: Address;
  readonly day: string;
}

/** A transaction that was taken for lost, and the version by which its row names it. */
interface Dropped extends Pick<TransactionVersion, 'hash' | 'raw'> {
  readonly outboxId: string;
  readonly executionId: string;
}

/** Another version of a transaction that is in flight. */
export interface NewVersion extends Pick<TransactionVersion, 'hash' | 'raw'> {
  readonly kind: Exclude<VersionKind, 'first'>;
  /** Why it replaces the one before it. */
  readonly reason: string;
  /** The most that this version may pay and lose. */
  readonly reservation: Spend;
}

/** A transaction that a node has taken. */
export interface Accepted extends RecordedRows {
  readonly hash: Hash;
  /** Microseconds from the arrival of the head until it was handed over. */
  readonly headToSendUs: number | undefined;
}

export type Recorded =
  /** All of them are durable: they may be broadcast. In the order of the intents. */
  | { readonly kind: 'recorded'; readonly rows: readonly RecordedRows[] }
  /** Another process has taken the lease of the wallet: nothing was written, and nothing may be broadcast. */
  | { readonly kind: 'lease-lost' }
  /** Another intent holds one of the nonces: nothing was written, and nothing may be broadcast. */
  | { readonly kind: 'nonce-taken'; readonly existing: OutboxTransaction };

/** Of transactions that may still be mined. */
const UNSETTLED: readonly OutboxStatus[] = ['prepared', 'broadcast'];

/**
 * Signed transactions. Every write is fenced: it throws LeaseLost when another process has taken the lease of
 * the wallet. Every method throws as {@link Database.query} does.
 */
@Injectable()
export class OutboxRepository {
  constructor(
    private readonly database: Database,
    private readonly fence: Fence = new Fence(),
  ) {}

  /**
   * Makes signed transactions durable with the executions that they carry out, and books their notional:
   * all or nothing, in one statement. After a RetryError it is unknown whether that happened: look for the
   * rows.
   */
  async record({ chainId, sender, day }: OutboxOwner, intents: readonly OutboxIntent[]): Promise<Recorded> {
    const items = intents.map(({ nonce, hash, raw, door, reservation, execution }) => {
      const [reserved_fee_wei, reserved_loss_usd] = amountsOf(reservation);
      const row = { nonce, hash, raw, door, reserved_fee_wei, reserved_loss_usd };
      return { ...decisionValues(execution), ...row };
    });
    const [, , epoch] = this.fence.values;
    const values = [toJson(items), chainId, sender, day, epoch];
    const [row] = await this.database.prepared('record', RECORD, values);
    if (row?.held !== true) return { kind: 'lease-lost' };
    const written = new Map(writtenRows(row.written));
    const rows = intents.flatMap(({ nonce }) => written.get(nonce) ?? []);
    if (rows.length === intents.length) return { kind: 'recorded', rows };
    for (const { nonce } of intents) {
      const existing = await this.find(chainId, sender, nonce);
      if (existing) return { kind: 'nonce-taken', existing };
    }
    throw new HaltError('the database wrote no row for a transaction');
  }

  /**
   * Makes another signed version of a transaction in flight durable. Only after this may it be handed over.
   * May be repeated.
   *
   * @throws HaltError also when the transaction is not in flight any more.
   */
  async addVersion(id: string, { hash, raw, kind, reason, reservation }: NewVersion): Promise<void> {
    const values = [
      id,
      hash,
      raw,
      kind,
      storableText(reason),
      ...amountsOf(reservation),
      ...this.fence.values,
    ];
    const rows = await this.database.query(ADD_VERSION, values);
    if (rows.length === 1) return;
    await this.fence.explain(this.database);
    throw new HaltError(`the transaction ${id} of the outbox is not in flight`);
  }

  /** The versions that were signed for one execution under one nonce, the newest last. */
  versionsOf(transactionId: string, executionId: string): Promise<TransactionVersion[]> {
    return this.database.with(TransactionVersion, (rows) =>
      rows.find({ where: { transactionId, executionId }, order: { id: 'ASC' } }),
    );
  }

  /**
   * The rows of which a version was signed for an execution that was dropped in the last seconds, with that
   * execution. The row may serve another one by now.
   */
  async droppedSince(
    chainId: number,
    sender: Address,
    seconds: number,
  ): Promise<readonly { readonly row: OutboxTransaction; readonly executionId: string }[]> {
    const found = await this.database.query(DROPPED, [chainId, sender, seconds]);
    const ids = found.map(({ id }) => String(id));
    const rows = await this.database.with(OutboxTransaction, (all) => all.findBy({ id: In(ids) }));
    return found.flatMap(({ id, execution_id }) => {
      const row = rows.find((one) => one.id === String(id));
      return row ? [{ row, executionId: String(execution_id) }] : [];
    });
  }

  /**
   * A transaction that was dropped is in flight again: its row, which may have served another execution, and
   * its execution. May be repeated.
   *
   * @param day the UTC day, YYYY-MM-DD, that its notional is booked to.
   */
  async revive({ outboxId, executionId, hash, raw }: Dropped, day: string): Promise<void> {
    await this.database.query(REVIVE, [outboxId, executionId, hash, raw, day, ...this.fence.values]);
  }

  /** The row follows the version that was mined. May be repeated. */
  async takeVersion(id: string, { hash, raw }: Pick<TransactionVersion, 'hash' | 'raw'>): Promise<void> {
    await this.database.query(
      `UPDATE transactions SET hash = $2, raw = $3, updated_at = now()
         WHERE id = $1 AND ${isHeld('$4', '$5', '$6')}`,
      [id, hash, raw, ...this.fence.values],
    );
  }

  find(chainId: number, sender: Address, nonce: number): Promise<OutboxTransaction | null> {
    return this.database.with(OutboxTransaction, (rows) => rows.findOneBy({ chainId, sender, nonce }));
  }

  /** The transactions that may still be mined, by ascending nonce. */
  unsettled(chainId: number, sender: Address): Promise<OutboxTransaction[]> {
    return this.database.with(OutboxTransaction, (rows) =>
      rows.find({ where: { chainId, sender, status: In(UNSETTLED) }, order: { nonce: 'ASC' } }),
    );
  }

  /**
   * The highest nonce of a mined row; undefined when there is none. A chain that counts fewer transactions is
   * not the chain for which these rows were written.
   */
  async highestMinedNonce(chainId: number, sender: Address): Promise<number | undefined> {
    const [row] = await this.database.query(
      `SELECT max(nonce) AS nonce FROM transactions WHERE chain_id = $1 AND sender = $2 AND status = 'mined'`,
      [chainId, sender],
    );
    return row && row.nonce !== null ? safeInteger(row.nonce) : undefined;
  }

  /** The transactions that were mined from one block to another, both included, and that may be reopened. */
  minedBetween(
    chainId: number,
    sender: Address,
    fromBlock: number,
    toBlock: number,
  ): Promise<OutboxTransaction[]> {
    const blockNumber = Between(fromBlock, toBlock);
    return this.database.with(OutboxTransaction, (rows) =>
      rows.findBy({ chainId, sender, status: 'mined', blockNumber, blockHash: Not(IsNull()) }),
    );
  }

  /** Nodes have taken them. An execution that is settled stays as it is. May be repeated. */
  async accept(accepted: readonly Accepted[]): Promise<void> {
    const items = accepted.map(({ outboxId, executionId, hash, headToSendUs }) => ({
      ...{ id: outboxId, execution_id: executionId },
      ...{ hash, head_to_send_us: headToSendUs ?? null },
    }));
    const rows = await this.database.prepared('accept', ACCEPT, [toJson(items), ...this.fence.values]);
    const [one] = accepted.filter(({ outboxId }) => !rows.some(({ id }) => String(id) === outboxId));
    if (one) await this.notFound(one.outboxId);
  }

  /** Writes that it will not be mined, and takes its notional off the day. May be repeated. */
  async end(id: string, status: 'failed' | 'dropped'): Promise<void> {
    const rows = await this.database.query(END, [id, status, ...this.fence.values]);
    if (rows.length === 0) await this.notFound(id);
  }

  /**
   * Writes what receipts proved, for all of them in one statement: the ends of transactions and executions.
   * What covered no debt no longer counts in its day's volume, and what was spent is booked. May be repeated:
   * another call replaces the end, which a reorg may require.
   *
   * @returns what is booked for each, in their order, as the first call said it.
   */
  async settle(ends: readonly MinedEnd[]): Promise<BookedSpend[]> {
    const values = [toJson(ends.map(settleValues)), ...this.fence.values];
    const rows = await this.database.prepared('settle', SETTLE, values);
    const booked = new Map(
      rows.map(({ id, spent_day, spent_fee_wei, spent_loss_usd }) => [
        String(id),
        { day: String(spent_day), ...spendOf(spent_fee_wei, spent_loss_usd) },
      ]),
    );
    const missing = ends.find(({ outboxId }) => !booked.has(outboxId));
    if (missing) await this.notFound(missing.outboxId);
    return ends.flatMap(({ outboxId }) => booked.get(outboxId) ?? []);
  }

  /** What was paid and lost on each UTC day, YYYY-MM-DD, by the receipts that were settled on it. */
  async spentByDay(chainId: number, sender: Address): Promise<ReadonlyMap<string, Spend>> {
    const rows = await this.database.query(
      'SELECT day::text, fee_wei::text, loss_usd::text FROM daily_spend WHERE chain_id = $1 AND sender = $2',
      [chainId, sender],
    );
    return new Map(rows.map(({ day, fee_wei, loss_usd }) => [String(day), spendOf(fee_wei, loss_usd)]));
  }

  /**
   * A reorg removed the block in which it was mined. Row and execution become what they were before the
   * receipt. May be repeated.
   *
   * @param day the UTC day, YYYY-MM-DD, that its notional is booked to if no day counts it.
   */
  async reopen(id: string, day: string): Promise<void> {
    await this.database.query(REOPEN, [id, day, ...this.fence.values]);
  }

  /** @throws LeaseLost or HaltError. */
  private async notFound(id: string): Promise<never> {
    await this.fence.explain(this.database);
    throw new HaltError(`there is no transaction ${id} in the outbox`);
  }
}

/** By nonce, as {@link RECORD} gives them. */
function writtenRows(written: unknown): [number, RecordedRows][] {
  if (!Array.isArray(written)) return [];
  return written.map(([nonce, outboxId, executionId]: unknown[]) => [
    safeInteger(nonce),
    { outboxId: String(outboxId), executionId: String(executionId) },
  ]);
}

function amountsOf({ feeWei, lossUsd8 }: Spend): readonly [string, string] {
  return [String(feeWei), usd8ToText(lossUsd8)];
}

function spendOf(feeWei: unknown, lossUsd: unknown): Spend {
  return { feeWei: BigInt(String(feeWei)), lossUsd8: usd8FromText(lossUsd) };
}
