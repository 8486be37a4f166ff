import type { ExecutionMode } from '../database/index.js';
import { HaltError, RetryError } from '../domain/errors.js';
import type { Hash } from '../domain/hex.js';
import type { Receipt } from '../rpc/chain/chain-answers.js';
import type { FailurePolicy } from '../safety/index.js';
import type { AccountView, ChainReads } from './chain-reads.js';
import type { InFlight, SettlingHead } from './in-flight.js';
import type { Judge } from './judge.js';
import type { Ledger } from './ledger.js';
import type { RecentSettlements } from './recent-settlements.js';
import type { Sender } from './sender.js';
import type { Wallet } from './wallet.js';

export interface SettlerSettings {
  readonly judge: Judge;
  /** Blocks on top of a receipt's block before it counts. 0: the receipt alone does. */
  readonly confirmationBlocks: number;
  /** In a dry run another bot may use the key: nothing is signed here that could collide with it. */
  readonly mode: ExecutionMode;
}

/** One look may have met a node between two blocks; two looks at two heads have not. */
const LOOKS_UNTIL_OVERTAKEN = 2;

/** Follows what is in flight to its end, with one look at the chain per head. */
export class Settler {
  constructor(
    private readonly reads: ChainReads,
    private readonly wallet: Wallet,
    private readonly ledger: Ledger,
    private readonly settlements: RecentSettlements,
    private readonly sender: Sender,
    private readonly failures: FailurePolicy,
    private readonly settings: SettlerSettings,
  ) {}

  /**
   * Takes up what an earlier process left, and does the first step. May be called again after an error.
   *
   * @throws RetryError when chain or database could not be asked; HaltError when the rows contradict the
   *   chain.
   */
  async recover(head: SettlingHead): Promise<void> {
    await this.ledger.load();
    await this.ledger.loadSpent();
    const { transactionCount } = await this.look();
    await this.settlements.takeBackEarlier(head.number);
    await this.checkRows(transactionCount);
    this.wallet.lane.start(
      transactionCount,
      this.ledger.all.map(({ nonce }) => nonce),
    );
    await this.step(head);
    await this.ledger.rejectUnsigned();
  }

  /**
   * What was settled in these blocks, which the chain has taken back, is in flight again from this call on.
   */
  takeBack(blocks: readonly Hash[], head: SettlingHead): void {
    this.settlements.takeBack(blocks, head.number);
  }

  /**
   * One step of everything in flight. Refreshes the balance of the wallet.
   *
   * @throws RetryError when the chain or the database could not be asked: the next head goes on.
   * @throws HaltError when our key was used by someone else, or a settled transaction is gone; the bot is
   *   HALTED then.
   */
  async step(head: SettlingHead): Promise<void> {
    const { receipts, transactionCount } = await this.look();
    await this.settlements.saveReopened();
    this.settlements.forgetOld();
    this.ledger.headNumber = head.number;
    let overtaken = 0;
    for (const transaction of this.ledger.all) {
      const receipt = receipts.get(transaction.hash);
      if (receipt && this.settlements.isGone(receipt)) continue;
      transaction.minedIn = receipt?.blockNumber;
      if (receipt) {
        transaction.overtaken = 0;
        if (head.number - receipt.blockNumber >= this.settings.confirmationBlocks)
          await this.settle(transaction, receipt);
      } else if (transaction.nonce < transactionCount) {
        transaction.overtaken += 1;
        if (transaction.overtaken >= LOOKS_UNTIL_OVERTAKEN) {
          overtaken += 1;
          const reason = 'its nonce was used by another transaction';
          await this.ledger.drop(transaction, 'dropped', { outcome: 'malfunction', reason });
        }
      } else await this.sender.pursue(transaction, head);
    }
    await this.checkSettled(transactionCount);
    const foreign = this.wallet.lane.foreignTransactions(transactionCount) + overtaken;
    if (foreign > 0 && this.settings.mode === 'live')
      throw await this.failures.halt(this.wallet.foreignTransactions(foreign));
  }

  /** The account at the latest block, with the receipts of what is in flight. @throws RetryError */
  private async look(): Promise<AccountView> {
    const hashes = this.ledger.all.map(({ hash }) => hash);
    const view = await this.reads.account(this.wallet.address, hashes);
    this.wallet.balanceWei = view.balanceWei;
    return view;
  }

  private async settle(transaction: InFlight, receipt: Receipt): Promise<void> {
    const { proof, verdict } = await this.settings.judge.ofReceipt(transaction, receipt);
    await this.ledger.settle(transaction, receipt, proof, verdict);
    this.settlements.add(transaction, receipt, proof);
  }

  /**
   * The chain must not lose what was settled too long ago to be taken back: the books would hold profit that
   * is gone, and every later transaction would wait behind a gap of nonces.
   *
   * @throws HaltError once a late node no longer explains it; the bot is HALTED then.
   */
  private async checkSettled(transactionCount: number): Promise<void> {
    const nonce = this.settlements.highestNonce;
    if (this.settlements.compare(transactionCount, nonce) !== 'lost') return;
    throw await this.failures.halt(
      `a confirmed transaction with nonce ${nonce} is gone, the chain counts only ${transactionCount} of ${this.wallet.address}: a reorg was deeper than our books can go back`,
    );
  }

  /**
   * The chain must have what earlier processes settled.
   *
   * @throws RetryError as long as a late node explains that it does not; HaltError after that.
   */
  private async checkRows(transactionCount: number): Promise<void> {
    const nonce = (await this.ledger.highestMinedNonce()) ?? -1;
    const found = this.settlements.compare(transactionCount, nonce);
    if (found === 'all') return;
    const message = `the database holds a mined transaction with nonce ${nonce}, but the chain counts only ${transactionCount} of ${this.wallet.address}`;
    if (found === 'late-node') throw new RetryError(`${message}: waiting for the node`);
    throw new HaltError(`${message}: it is another chain, or one that was reset`);
  }
}
