import { Logger } from '@nestjs/common';
import type { ExecutionMode } from '../database/index.js';
import type { Block } from '../domain/block.js';
import { HaltError, RetryError } from '../domain/errors.js';
import type { Address, Hash } from '../domain/hex.js';
import type { Receipt } from '../rpc/chain/chain-answers.js';
import type { Chain } from '../rpc/chain/chain.js';
import { InsufficientFunds, NonceTooLow } from '../rpc/rpc-errors.js';
import type { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import type { SafetyController } from '../safety/index.js';
import { chainFees, reasonOfRevert, viewAccount, type AccountView } from './chain-reads.js';
import type { InFlight, Reopening, Settlement } from './in-flight.js';
import type { Ledger } from './ledger.js';
import type { NonceLane } from './nonce-lane.js';
import { outcomeOf, type Outcome } from './settlement.js';

/** What settling needs of a block. */
export type SettlingHead = Pick<Block, 'number' | 'timestamp'>;

export interface SettlerSettings {
  readonly operator: Address;
  readonly chimera: Address;
  /** Blocks on top of a receipt's block before it counts. 0: the receipt alone does. */
  readonly confirmationBlocks: number;
  /** In a dry run the key may well be at work elsewhere: nothing is signed here that could collide with it. */
  readonly mode: ExecutionMode;
}

/** A transaction that is not mined this many blocks after it was handed over is handed over again; then at doubling distances. */
const RESEND_AFTER_BLOCKS = 2;
const LONGEST_RESEND_DISTANCE_BLOCKS = 32;
/** How long the chain may count fewer transactions than were confirmed before that is taken for a reorg, not a late node. */
export const LATE_NODE_MS = 10_000;
/** One look may have met a node between two blocks; two looks at two heads have not. */
const LOOKS_UNTIL_OVERTAKEN = 2;
/** For how long a settlement can be taken back: as many blocks as the picture of the markets can be. */
const REOPENED_FOR_BLOCKS = 128;

/**
 * Follows what is in flight to its end, one look at the chain per head, and back again when a reorg takes that end away.
 * It signs nothing: what is not mined is handed to the nodes again as it is, so that nothing is ever sent under a second
 * nonce.
 */
export class Settler {
  private readonly logger = new Logger(Settler.name);
  private balanceWei = 0n;
  private headNumber = 0;
  /** The highest nonce that a confirmed receipt of this process had. */
  private minedNonce = -1;
  /** The blocks of the last reorg. A node that does not follow it yet still gives receipts of theirs. */
  private gone: { readonly blocks: ReadonlySet<Hash>; readonly untilBlock: number } = {
    blocks: new Set(),
    untilBlock: 0,
  };
  private countTooLowSinceMs: number | undefined;

  constructor(
    private readonly pool: RpcPool,
    private readonly chain: Chain,
    private readonly ledger: Ledger,
    private readonly lane: NonceLane,
    private readonly safety: SafetyController,
    private readonly settings: SettlerSettings,
  ) {}

  /** Wei, at the last look. */
  get operatorBalanceWei(): bigint {
    return this.balanceWei;
  }

  /** What a state at the last head does not show yet. */
  get pending(): readonly InFlight[] {
    return this.ledger.all.filter(({ minedIn }) => minedIn === undefined || minedIn > this.headNumber);
  }

  /** The operator's account at the latest block, with the receipts of what is in flight. @throws RetryError */
  async look(): Promise<AccountView> {
    const hashes = this.ledger.all.map(({ hash }) => hash);
    const view = await viewAccount(this.pool, this.settings.operator, hashes);
    this.balanceWei = view.balanceWei;
    return view;
  }

  /** What was settled in these blocks, which the chain has taken back, is in flight again from this call on. */
  takeBack(blocks: readonly Hash[], head: SettlingHead): void {
    if (blocks.length === 0) return;
    this.gone = { blocks: new Set(blocks), untilBlock: head.number + REOPENED_FOR_BLOCKS };
    for (const { nonce } of this.ledger.takeBack(this.gone.blocks))
      this.minedNonce = Math.min(this.minedNonce, nonce - 1);
  }

  /**
   * As {@link takeBack}, for what an earlier process settled in blocks that the chain has taken back since.
   *
   * @param report gets each reopening.
   * @throws RetryError when that is not known yet: the chain has not come back to the number of such a block.
   */
  async takeBackEarlier(head: SettlingHead, report: (reopening: Reopening) => void): Promise<void> {
    const { number } = head;
    const blocks = await this.ledger.loadSettled(number - REOPENED_FOR_BLOCKS, number + REOPENED_FOR_BLOCKS);
    const highest = Math.max(number, ...blocks.map((block) => block.number));
    if (highest > number)
      throw new RetryError(
        `the chain is at block ${number}, behind block ${highest} that settled a transaction`,
      );
    const now = await Promise.all(blocks.map((block) => this.chain.getBlock(block.number)));
    const gone = blocks.filter(({ hash }, index) => now[index]?.hash !== hash);
    this.takeBack(
      gone.map(({ hash }) => hash),
      head,
    );
    await this.ledger.saveReopened(report);
  }

  /**
   * One step of everything in flight.
   *
   * @param report gets each settlement and reopening as soon as its rows are written, also when a later one fails.
   * @throws RetryError when the chain or the database could not be asked: the next head goes on.
   * @throws HaltError when our key was used by someone else; the bot is HALTED then.
   */
  async step(head: SettlingHead, report: (news: Settlement | Reopening) => void): Promise<void> {
    const { receipts, transactionCount } = await this.look();
    await this.ledger.saveReopened(report);
    // By the head before this one, whose reorg may not have been told yet.
    this.ledger.forgetSettledBefore(this.headNumber - REOPENED_FOR_BLOCKS);
    this.headNumber = head.number;
    let overtaken = 0;
    for (const transaction of this.ledger.all) {
      const receipt = receipts.get(transaction.hash);
      if (receipt && this.isGone(receipt)) continue;
      transaction.minedIn = receipt?.blockNumber;
      if (receipt) {
        transaction.overtaken = 0;
        if (head.number - receipt.blockNumber >= this.settings.confirmationBlocks)
          report(await this.close(transaction, receipt));
      } else if (transaction.nonce < transactionCount) {
        transaction.overtaken += 1;
        if (transaction.overtaken >= LOOKS_UNTIL_OVERTAKEN) {
          overtaken += 1;
          report(await this.ledger.drop(transaction, 'dropped', 'its nonce was used by another transaction'));
        }
      } else {
        const settlement = await this.pursue(transaction, head);
        if (settlement) report(settlement);
      }
    }
    await this.checkHistory(transactionCount);
    const foreign = this.lane.foreignTransactions(transactionCount) + overtaken;
    if (foreign > 0 && this.settings.mode === 'live') throw await this.foreign(foreign);
  }

  /**
   * Halts because of transactions of our key that are not ours (F23), before anything else can be signed.
   * @returns the error to throw.
   */
  async foreign(count: number): Promise<HaltError> {
    const found = count === 1 ? '1 transaction' : `${count} transactions`;
    const message = `the operator wallet ${this.settings.operator} has sent ${found} that this bot did not sign: someone else uses its key`;
    await this.safety.halt(message, 'chimera');
    return new HaltError(message);
  }

  private async close(transaction: InFlight, receipt: Receipt): Promise<Settlement> {
    const fees = await chainFees(this.pool, receipt, transaction.raw);
    const outcome = outcomeOf(receipt, transaction.terms, this.settings.chimera, fees);
    const reason = await this.failureOf(outcome, transaction, receipt);
    const settlement = await this.ledger.settle(transaction, receipt, outcome, reason);
    this.minedNonce = Math.max(this.minedNonce, transaction.nonce);
    return settlement;
  }

  private isGone({ blockHash }: Receipt): boolean {
    return this.headNumber <= this.gone.untilBlock && this.gone.blocks.has(blockHash);
  }

  /**
   * The chain may not forget what was settled too long ago to be taken back: the books then hold profit that is gone, and
   * whatever is sent next waits behind a gap of nonces.
   * @throws HaltError once a late node no longer explains it.
   */
  private async checkHistory(transactionCount: number): Promise<void> {
    if (transactionCount > this.minedNonce) {
      this.countTooLowSinceMs = undefined;
      return;
    }
    const nowMs = performance.now();
    this.countTooLowSinceMs ??= nowMs;
    if (nowMs - this.countTooLowSinceMs < LATE_NODE_MS) return;
    const message = `a confirmed transaction with nonce ${this.minedNonce} is gone, the chain counts only ${transactionCount} of ${this.settings.operator}: a reorg was deeper than our books can go back`;
    await this.safety.halt(message, 'chimera');
    throw new HaltError(message);
  }

  private async failureOf({ kind }: Outcome, { raw }: InFlight, receipt: Receipt): Promise<string> {
    switch (kind) {
      case 'succeeded':
        return '';
      case 'reverted':
        return reasonOfRevert(this.pool, receipt, raw);
      case 'no-event':
        return 'the contract reported no liquidation of this borrower';
    }
  }

  /** Not mined: handed over again when its time has come, or given up when it could only revert. */
  private async pursue(transaction: InFlight, head: SettlingHead): Promise<Settlement | undefined> {
    if (head.timestamp > transaction.terms.deadline) {
      const settlement = await this.lane.take(() => this.giveUp(transaction));
      if (settlement) return settlement;
    }
    if (this.safety.isHalted || !isDue(transaction, head)) return undefined;
    const { raw, hash } = transaction;
    const outcome = await this.chain.sendRawTransaction(raw, hash);
    if (transaction.sentAtBlock !== undefined) transaction.resent += 1;
    transaction.sentAtBlock = head.number;
    if (outcome.kind === 'accepted') this.ledger.accepted(transaction);
    else if (outcome.kind === 'unknown')
      this.logger.warn(`${hash} was sent again, unanswered: ${outcome.detail}`);
    else if (outcome.error instanceof InsufficientFunds)
      await this.safety.halt(
        `the operator wallet cannot pay for ${hash}: ${outcome.error.reason}`,
        'chimera',
      );
    // NonceTooLow: mined a moment ago, or overtaken; the next look tells.
    else if (!(outcome.error instanceof NonceTooLow))
      this.logger.warn(`${hash} was sent again and refused: ${outcome.error.reason}`);
    return undefined;
  }

  /**
   * After its deadline the contract refuses the plan, so mining it would only cost gas. When no node has it any more,
   * its nonce serves another intent; a transaction that later ones wait for is kept alive instead, to clear their way.
   * Should a node come up with it all the same, then only one of the two is mined, and the other side is noticed as F23.
   */
  private async giveUp(transaction: InFlight): Promise<Settlement | undefined> {
    if (this.ledger.all.some(({ nonce }) => nonce > transaction.nonce)) return undefined;
    if (await this.chain.getTransaction(transaction.hash)) return undefined;
    const settlement = await this.ledger.drop(transaction, 'dropped', 'it was not mined before its deadline');
    this.lane.giveBack(transaction.nonce);
    return settlement;
  }
}

function isDue({ sentAtBlock, resent }: InFlight, head: SettlingHead): boolean {
  if (sentAtBlock === undefined) return true;
  const distance = Math.min(RESEND_AFTER_BLOCKS * 2 ** resent, LONGEST_RESEND_DISTANCE_BLOCKS);
  return head.number - sentAtBlock >= distance;
}
