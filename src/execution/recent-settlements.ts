import type { Execution, OutboxRepository, OutboxTransaction } from '../database/index.js';
import type { Block } from '../domain/block.js';
import { windowBlocks } from '../domain/chain-description.js';
import type { Clock } from '../domain/clock.js';
import { RetryError } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import type { Hash } from '../domain/hex.js';
import type { Receipt } from '../rpc/chain/chain-answers.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { SafetyController } from '../safety/index.js';
import type { InFlight } from './in-flight.js';
import type { Ledger } from './ledger.js';
import type { Proof } from './settlement.js';
import type { Wallet } from './wallet.js';

/** A settled transaction, as long as a reorg may take its block back. */
interface Settled {
  readonly transaction: InFlight;
  readonly block: Pick<Block, 'number' | 'hash'>;
  readonly was: 'succeeded' | 'reverted' | 'cancelled';
  /** Absent where the row holds none. */
  readonly realisedProfitUsd8: bigint | undefined;
  /** Whether this process has told the outcome. */
  readonly reported: boolean;
}

/**
 * How long the chain may count fewer transactions than were settled before that is taken for a chain that has
 * lost them: for so long a late node explains it.
 */
const LATE_NODE_SECONDS = 10;

/** The settlements that a reorg can still take back. What it takes back is in flight again. */
export class RecentSettlements {
  private readonly settled = new Map<Hash, Settled>();
  /** In flight again, which their rows do not say yet. */
  private reopened: readonly (Settled & { readonly day: string })[] = [];
  /**
   * The blocks of the last reorg. A node that does not follow it yet still answers with receipts of these
   * blocks.
   */
  private gone: { readonly blocks: ReadonlySet<Hash>; readonly untilBlock: number } = {
    blocks: new Set(),
    untilBlock: 0,
  };
  private highest = -1;
  private countTooLowSinceMs: number | undefined;

  constructor(
    private readonly chain: Chain,
    private readonly ledger: Ledger,
    private readonly outbox: OutboxRepository,
    private readonly safety: SafetyController,
    private readonly wallet: Wallet,
    private readonly events: Events,
    private readonly clock: Clock,
  ) {}

  /** For how many blocks a settlement can be taken back: as many as the positions of the markets can. */
  private get windowBlocks(): number {
    return windowBlocks('reorg', this.chain.blockTime);
  }

  /** Another process follows them. */
  forget(): void {
    this.settled.clear();
    this.reopened = [];
    this.gone = { blocks: new Set(), untilBlock: 0 };
    this.highest = -1;
    this.countTooLowSinceMs = undefined;
  }

  /** The ledger has settled this transaction by this receipt. */
  add(transaction: InFlight, receipt: Receipt, { kind, realisedProfitUsd8 }: Proof): void {
    const block = { number: receipt.blockNumber, hash: receipt.blockHash };
    const was = kind === 'succeeded' || kind === 'cancelled' ? kind : 'reverted';
    this.settled.set(transaction.hash, { transaction, block, was, realisedProfitUsd8, reported: true });
    this.highest = Math.max(this.highest, transaction.nonce);
  }

  /**
   * Forgets what is too old to be taken back. Its age is counted from the head of the last look, because a
   * reorg that comes with the present head may not be known yet.
   */
  forgetOld(): void {
    const before = this.ledger.headNumber - this.windowBlocks;
    for (const [hash, { block }] of this.settled) if (block.number < before) this.settled.delete(hash);
  }

  /** Whether the receipt is of a block that the last reorg took back. */
  isGone({ blockHash }: Receipt): boolean {
    return this.ledger.headNumber <= this.gone.untilBlock && this.gone.blocks.has(blockHash);
  }

  /**
   * What was settled in these blocks, which the chain has taken back, is in flight again from this call on.
   * The rows follow with {@link saveReopened}. The latest nonce comes first, so that the count of failures
   * goes back the way it came.
   */
  takeBack(blocks: readonly Hash[], headNumber: number): void {
    if (blocks.length === 0) return;
    this.gone = { blocks: new Set(blocks), untilBlock: headNumber + this.windowBlocks };
    const taken = [...this.settled.values()]
      .filter(({ block }) => this.gone.blocks.has(block.hash))
      .sort((a, b) => b.transaction.nonce - a.transaction.nonce);
    const today = this.safety.volume.today;
    for (const { transaction } of taken) {
      this.settled.delete(transaction.hash);
      this.ledger.reopen(transaction);
      this.highest = Math.min(this.highest, transaction.nonce - 1);
    }
    const reopened = taken.map((one) => ({ ...one, day: one.transaction.bookedDay ?? today }));
    this.reopened = [...this.reopened, ...reopened];
  }

  /**
   * As {@link takeBack} and {@link saveReopened}, for what an earlier process settled in blocks that the
   * chain has taken back since.
   *
   * @throws RetryError when that is not known yet: the chain has not come back to the number of such a block.
   */
  async takeBackEarlier(headNumber: number): Promise<void> {
    const blocks = await this.loadEarlier(headNumber - this.windowBlocks, headNumber + this.windowBlocks);
    const highest = Math.max(headNumber, ...blocks.map(({ number }) => number));
    if (highest > headNumber)
      throw new RetryError(
        `the chain is at block ${headNumber}, behind block ${highest} that settled a transaction`,
      );
    const now = await Promise.all(blocks.map(({ number }) => this.chain.getBlock(number)));
    const gone = blocks.filter(({ hash }, index) => now[index]?.hash !== hash);
    this.takeBack(
      gone.map(({ hash }) => hash),
      headNumber,
    );
    await this.saveReopened();
  }

  /**
   * Clears the outcomes of what was taken back, books again what they had released, and takes them out of the
   * count of failures. Each is told as soon as its rows are written. A crash after the row may leave a
   * failure counted.
   *
   * @throws RetryError when the database is away: to be called again.
   */
  async saveReopened(): Promise<void> {
    for (let [one] = this.reopened; one; [one] = this.reopened) {
      const { transaction, day } = one;
      await this.outbox.reopen(transaction.outboxId, day);
      this.reopened = this.reopened.slice(1);
      if (transaction.bookedDay === undefined) this.safety.volume.booked(day, transaction.terms.notionalUsd8);
      transaction.bookedDay = day;
      const { failures = 0, spent } = transaction;
      if (spent) this.wallet.budget.takeBack(spent.day, spent);
      transaction.spent = undefined;
      transaction.failures = undefined;
      this.report(one);
      await this.safety.takeBackOutcome(failures);
    }
  }

  /** The highest nonce that this process has settled; -1 while there is none. */
  get highestNonce(): number {
    return this.highest;
  }

  /**
   * Whether the chain counts all transactions up to the nonce of a settled one. `late-node`: it does not, and
   * a node that is behind explains that for some seconds. `lost`: it has not for longer than that.
   */
  compare(transactionCount: number, nonce: number): 'all' | 'late-node' | 'lost' {
    if (transactionCount > nonce) {
      this.countTooLowSinceMs = undefined;
      return 'all';
    }
    const nowMs = this.clock.monotonicMs();
    this.countTooLowSinceMs ??= nowMs;
    return nowMs - this.countTooLowSinceMs < LATE_NODE_SECONDS * 1_000 ? 'late-node' : 'lost';
  }

  /**
   * Takes up what an earlier process settled from one block to another, both included.
   *
   * @returns the blocks that settled anything. @throws RetryError when the database is away; HaltError when a
   *   row makes no sense.
   */
  private async loadEarlier(fromBlock: number, toBlock: number): Promise<readonly Settled['block'][]> {
    const { chainId, address } = this.wallet;
    const rows = await this.outbox.minedBetween(chainId, address, fromBlock, toBlock);
    for (const row of rows.filter(({ hash, nonce }) => !this.settled.has(hash) && !this.ledger.at(nonce))) {
      const settled = await this.restore(row, await this.ledger.executionOf(row));
      if (settled) this.settled.set(row.hash, settled);
    }
    const blocks = [...this.settled.values()].map(({ block }) => block);
    return [...new Map(blocks.map((block) => [block.hash, block])).values()];
  }

  /** @returns undefined when its block is not known. @throws HaltError when the rows make no sense. */
  private async restore(row: OutboxTransaction, execution: Execution): Promise<Settled | undefined> {
    const { blockNumber: number, blockHash: hash } = row;
    if (number === null || hash === null) return undefined;
    const { status } = execution;
    const was = status === 'succeeded' || status === 'cancelled' ? status : 'reverted';
    const transaction = {
      ...(await this.ledger.restore(row, execution)),
      failures: this.failuresOf(execution, hash),
    };
    const realisedProfitUsd8 = execution.realisedProfitUsd8 ?? undefined;
    return { transaction, block: { number, hash }, was, realisedProfitUsd8, reported: false };
  }

  /**
   * By how much an outcome of an earlier process has changed the count of failures: the first malfunction of
   * a block by one. Rows from before outcomes were stored counted each. How many failures a success ended is
   * not known any more.
   */
  private failuresOf({ outcome, status }: Execution, block: Hash): number {
    if (outcome === null) return status === 'reverted' ? 1 : 0;
    if (outcome !== 'malfunction') return 0;
    const counted = [...this.settled.values()].some(
      (other) => other.block.hash === block && other.transaction.failures === 1,
    );
    return counted ? 0 : 1;
  }

  private report({ transaction, block, was, realisedProfitUsd8, reported }: Settled): void {
    this.events.emit({
      event: 'execution-reopened',
      executionId: transaction.executionId,
      borrower: transaction.terms.borrower,
      hash: transaction.hash,
      was,
      realisedProfitUsd8: realisedProfitUsd8?.toString(),
      block: block.number,
      reported,
    });
  }
}
