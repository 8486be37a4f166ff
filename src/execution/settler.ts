import type { ExecutionMode } from '../database/index.js';
import { errorFrom, HaltError, RetryError, worstFirst } from '../domain/errors.js';
import type { Hash } from '../domain/hex.js';
import type { Receipt } from '../rpc/chain/chain-answers.js';
import type { FailurePolicy } from '../safety/index.js';
import type { AccountView } from './chain-reads.js';
import type { DryBook } from './dry-book.js';
import type { Evidence } from './evidence.js';
import type { Settlement } from './execution-row.js';
import { takeVersion, type InFlight, type Mined, type SettlingHead } from './in-flight.js';
import type { Judge } from './judge.js';
import type { Ledger } from './ledger.js';
import type { Prospect, Pursuit } from './pursuit.js';
import type { RecentDrops } from './recent-drops.js';
import type { RecentSettlements } from './recent-settlements.js';
import type { Wallet } from './wallet.js';

export interface SettlerSettings {
  readonly judge: Judge;
  /** Blocks on top of a receipt's block before it counts. 0: the receipt alone does. */
  readonly confirmationBlocks: number;
  /** In a dry run another bot may use the key: nothing is signed here that could collide with it. */
  readonly mode: ExecutionMode;
  readonly drops: RecentDrops;
  /** Of a dry run. */
  readonly dry: DryBook | undefined;
}

/** A row whose nonce is so far beyond the chain's count waits for transactions that do not exist. */
const FAR_NONCES = 1_000;

/** Follows what is in flight to its end, with one look at the chain per head. */
export class Settler {
  /** What a pass did not wait for, until its turn comes. */
  private left: readonly Confirmed[] = [];
  private settlingLeft: Promise<void> | undefined;
  private leftFailed = false;

  constructor(
    private readonly evidence: Evidence,
    private readonly wallet: Wallet,
    private readonly ledger: Ledger,
    private readonly settlements: RecentSettlements,
    private readonly pursuit: Pursuit,
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
    const { mode, dry } = this.settings;
    // A dry run follows nothing: what is in flight is the business of a bot that signs.
    if (mode === 'live') await this.ledger.load();
    await (dry ? dry.load() : this.ledger.loadSpent());
    if (mode === 'live') await this.settings.drops.load();
    await this.ledger.book.load();
    const { transactionCount } = await this.look();
    const held = Math.max(await this.highestMined(), ...this.ledger.all.map(({ nonce }) => nonce));
    const { lowest, highest } = await this.evidence.countAtStart(transactionCount, held + 1);
    await this.settlements.takeBackEarlier(head.number);
    const highestMined = await this.highestMined();
    this.checkRows(highest, highestMined);
    await this.dropFarNonces(lowest);
    this.wallet.lane.start(
      lowest,
      this.ledger.all.map(({ nonce }) => nonce),
      highestMined,
    );
    await this.step(head);
    await this.ledger.rejectUnsigned(mode);
  }

  /** Another process follows what is in flight. What it left is taken up by {@link recover}. */
  forget(): void {
    this.left = [];
    this.ledger.forget();
    this.settlements.forget();
    this.settings.drops.forget();
    this.wallet.lane.forget();
  }

  /** Nothing is in flight, looked for or in question: a look finds only what others do with the wallet. */
  get isAtRest(): boolean {
    return this.ledger.size === 0 && this.settings.drops.isEmpty && !this.wallet.lane.inQuestion;
  }

  /** Refreshes the balance of the wallet. @throws RetryError */
  async watch(): Promise<void> {
    await this.evidence.look([]);
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
   * @param goesOn the caller waits for no settlement that can only give something back: where every mined
   *   transaction liquidated. It is left to {@link settled}, and until then what it reserved is reserved.
   *   When it fails, the next step settles and tells why.
   * @throws RetryError when the chain or the database could not be asked: the next head goes on.
   * @throws HaltError when our key was used by someone else, or a settled transaction is gone; the bot is
   *   HALTED then.
   */
  async step(head: SettlingHead, goesOn = false): Promise<void> {
    await this.settled();
    const { receipts, transactionCount } = await this.look();
    // What was seen while the lease was held is no work of another process.
    if (this.isLate()) return;
    await this.evidence.lookForCode();
    await this.settlements.saveReopened();
    this.settlements.forgetOld();
    this.ledger.headNumber = head.number;
    await this.settings.drops.revive((hash) => receipts.has(hash));
    const all = this.ledger.all.map((transaction) => ({
      transaction,
      mined: minedOf(transaction, receipts),
    }));
    const count = await this.evidence.weigh(
      transactionCount,
      transactionCount <= this.settlements.highestNonce ||
        all.some(({ transaction: { nonce }, mined }) => !mined && nonce < transactionCount),
    );
    const here = all.filter(({ mined }) => !mined || !this.settlements.isGone(mined.receipt));
    for (const { transaction, mined } of here) {
      transaction.minedIn = mined?.receipt.blockNumber;
      // It is our own transaction that has the nonce.
      if (mined) transaction.nonceDoubted = false;
      if (mined || transaction.nonce >= count.lowest) this.evidence.present(transaction);
    }
    const confirmed = here.flatMap(({ transaction, mined }) =>
      mined && head.number - mined.receipt.blockNumber >= this.settings.confirmationBlocks
        ? [{ transaction, mined }]
        : [],
    );
    if (goesOn && this.mayBeLeft(confirmed)) this.left = confirmed;
    else await this.settle(confirmed);
    let foreign = count.foreign;
    const waiting: InFlight[] = [];
    for (const { transaction, mined } of here) {
      if (mined) continue;
      if (transaction.nonce >= count.lowest) waiting.push(transaction);
      else if (await this.evidence.isOvertaken(transaction)) {
        foreign += 1;
        const reason = 'its nonce was used by another transaction';
        await this.ledger.drop(transaction, 'dropped', { outcome: 'malfunction', reason });
      }
    }
    if (this.isLate()) return;
    await this.checkSettled(count.highest);
    if (foreign > 0 && this.settings.mode === 'live')
      throw await this.failures.halt(this.wallet.foreignTransactions(foreign), 'signer');
    await this.pursuit.goOn(waiting, head, count.lowest);
  }

  /** Whether a step has left something that is not settled yet. */
  get hasLeft(): boolean {
    return this.left.length > 0 || this.settlingLeft !== undefined;
  }

  /** Settles what a step has left. A failure is told by the next step. Never rejects. */
  async settled(): Promise<void> {
    const { left } = this;
    this.left = [];
    if (left.length > 0)
      this.settlingLeft = this.settle(left)
        .catch(() => {
          this.leftFailed = true;
        })
        .finally(() => {
          this.settlingLeft = undefined;
        });
    await this.settlingLeft;
  }

  /** A failure must count before anything more is signed, so it is never left. */
  private mayBeLeft(confirmed: readonly Confirmed[]): boolean {
    const { judge } = this.settings;
    return !this.leftFailed && confirmed.every(({ transaction, mined }) => judge.isWin(transaction, mined));
  }

  /** The lease has run out: what is seen from now on may be the work of another process. */
  private isLate(): boolean {
    return !this.wallet.lease.holds;
  }

  /** What a resume would do with what is in flight. Never throws. */
  prospect(head: SettlingHead): Promise<Prospect> {
    return this.pursuit.prospect(head);
  }

  /** The account at the latest block, with the receipts of all versions. @throws RetryError */
  private look(): Promise<AccountView> {
    const hashes = this.ledger.all.flatMap(({ versions }) => versions.map(({ hash }) => hash));
    return this.evidence.look([...hashes, ...this.settings.drops.hashes]);
  }

  /**
   * Settles what was mined and is confirmed, together.
   *
   * @throws RetryError when one could not be judged: the others are settled then.
   */
  private async settle(all: readonly Confirmed[]): Promise<void> {
    await this.evidence.hear(all.map(({ mined }) => mined));
    const judged = await Promise.allSettled(
      all.map(({ transaction, mined }) => this.settlementOf(transaction, mined)),
    );
    const settlements = judged.flatMap((one) => (one.status === 'fulfilled' ? (one.value ?? []) : []));
    await this.ledger.settle(settlements);
    for (const { transaction, receipt, proof } of settlements)
      this.settlements.add(transaction, receipt, proof);
    const [worst] = worstFirst(
      judged.flatMap((one) => (one.status === 'rejected' ? [errorFrom(one.reason)] : [])),
    );
    if (worst) throw worst;
    this.leftFailed = false;
  }

  /** Undefined while the endpoints do not agree about it. */
  private async settlementOf(
    transaction: InFlight,
    { version, receipt }: Mined,
  ): Promise<Settlement | undefined> {
    if (!this.evidence.confirms(transaction, version, receipt)) return undefined;
    const fees = await this.evidence.feesPaid(transaction, version, receipt);
    if (!fees) return undefined;
    this.evidence.booked(receipt.transactionHash);
    takeVersion(transaction, version);
    return { transaction, receipt, ...(await this.settings.judge.ofReceipt(transaction, receipt, fees)) };
  }

  /** -1 when no row is mined. @throws RetryError when the database is away. */
  private async highestMined(): Promise<number> {
    return (await this.ledger.highestMinedNonce()) ?? -1;
  }

  /** Such a row is of a count that was false. It would wait for ever, and so would all later ones. */
  private async dropFarNonces(transactionCount: number): Promise<void> {
    for (const transaction of this.ledger.all) {
      const { nonce } = transaction;
      if (nonce < transactionCount + this.ledger.size + FAR_NONCES) continue;
      const reason = `its nonce ${nonce} is far beyond the chain's count of ${transactionCount}`;
      await this.ledger.drop(transaction, 'dropped', { outcome: 'malfunction', reason });
    }
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
      'books',
    );
  }

  /**
   * The chain must have what earlier processes settled.
   *
   * @throws RetryError as long as a late node explains that it does not; HaltError after that.
   */
  private checkRows(transactionCount: number, nonce: number): void {
    const found = this.settlements.compare(transactionCount, nonce);
    if (found === 'all') return;
    const message = `the database holds a mined transaction with nonce ${nonce}, but the chain counts only ${transactionCount} of ${this.wallet.address}`;
    if (found === 'late-node') throw new RetryError(`${message}: waiting for the node`);
    throw new HaltError(`${message}: it is another chain, or one that was reset`, 'books');
  }
}

interface Confirmed {
  readonly transaction: InFlight;
  readonly mined: Mined;
}

/** The version that has a receipt. */
function minedOf({ versions }: InFlight, receipts: ReadonlyMap<Hash, Receipt>): Mined | undefined {
  for (const version of versions) {
    const receipt = receipts.get(version.hash);
    if (receipt) return { version, receipt };
  }
  return undefined;
}
