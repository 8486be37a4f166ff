import type { Execution, OutboxRepository, OutboxTransaction } from '../database/index.js';
import type { Clock } from '../domain/clock.js';
import type { Hash } from '../domain/hex.js';
import type { SafetyController } from '../safety/index.js';
import type { InFlight } from './in-flight.js';
import type { Ledger } from './ledger.js';
import type { Wallet } from './wallet.js';

/** For so long a dropped transaction is looked for: no node keeps an older one for later. */
const LOOK_SECONDS = 600;

/**
 * Transactions that were taken for lost. One of them may be mined all the same, because absence was taken for
 * a proof. Then its outcome replaces the drop in the rows.
 */
export class RecentDrops {
  private dropped: { readonly transaction: InFlight; readonly sinceMs: number }[] = [];

  constructor(
    private readonly ledger: Ledger,
    private readonly outbox: OutboxRepository,
    private readonly safety: SafetyController,
    private readonly wallet: Wallet,
    private readonly clock: Clock,
  ) {}

  /** The versions to look for, with what was dropped since the last call. */
  get hashes(): readonly Hash[] {
    const nowMs = this.clock.monotonicMs();
    const fresh = this.ledger.takeDropped().map((transaction) => ({ transaction, sinceMs: nowMs }));
    this.dropped = [...this.dropped, ...fresh].filter(
      ({ sinceMs }) => nowMs - sinceMs < LOOK_SECONDS * 1_000,
    );
    return this.dropped.flatMap(({ transaction }) => transaction.versions.map(({ hash }) => hash));
  }

  /** Nothing is looked for. */
  get isEmpty(): boolean {
    return this.hashes.length === 0;
  }

  /** Another process looks for them. */
  forget(): void {
    this.dropped = [];
  }

  /** Takes up what an earlier process has dropped. @throws RetryError when the database is away. */
  async load(): Promise<void> {
    const { chainId, address } = this.wallet;
    const rows = await this.outbox.droppedSince(chainId, address, LOOK_SECONDS);
    const known = new Set(this.dropped.map(({ transaction }) => transaction.executionId));
    const sinceMs = this.clock.monotonicMs();
    for (const { row, executionId } of rows) {
      if (known.has(executionId)) continue;
      const execution = await this.ledger.executionOf({ id: row.id, executionId });
      this.dropped.push({ transaction: await this.restore(row, execution), sinceMs });
    }
  }

  /**
   * Puts a dropped transaction in flight again, of which a receipt was found.
   *
   * @throws RetryError when the database is away.
   */
  async revive(found: (hash: Hash) => boolean): Promise<void> {
    for (const one of this.dropped) {
      const { transaction } = one;
      if (!transaction.versions.some(({ hash }) => found(hash))) continue;
      await this.putBack(transaction);
      this.dropped = this.dropped.filter((other) => other !== one);
    }
  }

  /**
   * Puts the row in flight again that gave its nonce back, so that the nonce can be used.
   *
   * @returns undefined when there is no such row: only a plan can take the nonce then.
   */
  async reviveNonce(nonce: number): Promise<InFlight | undefined> {
    const row = await this.outbox.find(this.wallet.chainId, this.wallet.address, nonce);
    if (!row || (row.status !== 'failed' && row.status !== 'dropped')) return undefined;
    const transaction = await this.restore(row, await this.ledger.executionOf(row));
    this.dropped = this.dropped.filter(
      ({ transaction: other }) => other.executionId !== transaction.executionId,
    );
    await this.putBack(transaction);
    return transaction;
  }

  private async putBack(transaction: InFlight): Promise<void> {
    const { nonce, terms } = transaction;
    const other = this.ledger.at(nonce);
    if (other)
      await this.ledger.drop(other, 'dropped', {
        outcome: 'stale',
        reason: 'an earlier transaction of its nonce was mined',
      });
    const day = this.safety.volume.today;
    await this.outbox.revive(transaction, day);
    this.safety.volume.booked(day, terms.notionalUsd8);
    this.ledger.reopen(transaction);
    transaction.bookedDay = day;
    this.wallet.lane.hold(nonce);
  }

  private restore(row: OutboxTransaction, execution: Execution): Promise<InFlight> {
    return this.ledger.restore(row, execution);
  }
}
